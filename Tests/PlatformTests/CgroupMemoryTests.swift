import TestSupport
import Testing

@testable import Platform

/// Limits on memory of machines as directories.
@Suite struct CgroupMemoryTests {
    private static let unified = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"

    private func usage(_ files: [String: String]) throws -> MemoryUsage? {
        let machine = try Folder()
        for (path, content) in files { try machine.write(content, to: path) }
        return CgroupMemory(root: machine.path)?.usage()
    }

    @Test func withoutALimit() throws {
        #expect(try usage([:]) == nil)
        #expect(
            try usage([
                "proc/self/cgroup": "0::/\n", "proc/self/mountinfo": Self.unified,
                "sys/fs/cgroup/memory.max": "max\n", "sys/fs/cgroup/memory.current": "1000\n",
            ]) == nil)
    }

    /// What the page cache could give back is free.
    @Test func version2() throws {
        #expect(
            try usage([
                "proc/self/cgroup": "0::/app\n", "proc/self/mountinfo": Self.unified,
                "sys/fs/cgroup/app/memory.max": "1000000\n", "sys/fs/cgroup/app/memory.current": "900000\n",
                "sys/fs/cgroup/app/memory.stat": "anon 500000\nfile 400000\ninactive_file 300000\nactive_file 1\n",
            ]) == MemoryUsage(used: 600_000, limit: 1_000_000))
    }

    /// The nearest limit counts, whoever has it.
    @Test func anAncestorIsNearerItsLimit() throws {
        let usage = try usage([
            "proc/self/cgroup": "0::/pod/app\n", "proc/self/mountinfo": Self.unified,
            "sys/fs/cgroup/pod/memory.max": "1000\n", "sys/fs/cgroup/pod/memory.current": "950\n",
            "sys/fs/cgroup/pod/app/memory.max": "900\n", "sys/fs/cgroup/pod/app/memory.current": "100\n",
        ])
        #expect(usage == MemoryUsage(used: 950, limit: 1000))
        #expect(usage?.share == 0.95)
    }

    @Test(arguments: ["9223372036854771712", "536870912"])
    func version1(limit: String) throws {
        let usage = try usage([
            "proc/self/cgroup": "3:memory:/docker/ab\n",
            "proc/self/mountinfo":
                "33 31 0:30 /docker/ab /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "\(limit)\n",
            "sys/fs/cgroup/memory/memory.usage_in_bytes": "300000000\n",
            "sys/fs/cgroup/memory/memory.stat": "cache 5\ninactive_file 7\ntotal_inactive_file 100000000\n",
        ])
        #expect(usage == (limit.count > 18 ? nil : MemoryUsage(used: 200_000_000, limit: 536_870_912)))
    }
}
