import Glibc
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// Inside of real limits on CPU time and memory.
    @Suite(.enabled(if: Cgroup.isPossible, "needs root and control groups that can be made"))
    struct CgroupLimits {
        @Test func workersFollowTheQuota() throws {
            let affinity = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
            for (quota, most) in [(1.5, 2), (0.5, 1)] {
                let cgroup = try Cgroup(cpus: quota, memory: 128 << 20)
                let folder = try Folder()
                try folder.write("base: {listen: '127.0.0.1:0', routes: [{path: /, respond: a}]}\n", to: "app.yaml")
                let server = try AppServer(in: folder, prefix: cgroup.prefix)
                #expect(server.workers.count == min(most, affinity), "a quota of \(quota)")
                #expect(server.errors.contains("CPU quota of \(quota)"), "it says so: \(server.errors)")
                #expect(server.errors.contains("from 90% of 128 MiB on, the limit of the cgroup"), "\(server.errors)")
                try server.stop()
            }
        }

        /// 64 clients, pages from templates and database, and static files: nobody is killed, and no request fails.
        @Test func noOneIsKilledUnderLoad() throws {
            let cgroup = try Cgroup(cpus: 1.5, memory: 128 << 20)
            let folder = try Folder()
            try folder.write(
                """
                base:
                  listen: 127.0.0.1:0
                  log: {access: false}
                  sites: {polls: {swift: polls, database: polls.sqlite3}}
                """, to: "app.yaml")
            let server = try AppServer(in: folder, prefix: cgroup.prefix)
            let workers = server.workers
            let loads = try ["/", "/1/", "/static/polls/style.css", "/static/polls/live.js"].map { path in
                try Load(16, of: path, at: server.endpoint, .kept)
            }
            for load in loads {
                try eventually("each page is asked for many times") { load.now.ok > 200 }
                let counts = try load.end()
                #expect(
                    counts.failed == 0 && counts.incomplete == 0 && counts.refused == 0 && counts.wrong.isEmpty,
                    "\(counts)")
            }
            #expect(try cgroup.kills() == 0)
            #expect(server.workers == workers, "nobody was replaced")
            #expect(try cgroup.peak() > 0)
            try server.stop()
        }
    }
}

/// A control group of our own: version 2 where the controllers are, else version 1.
final class Cgroup {
    private let folders: [String]
    private let isV2: Bool

    private struct Mount {
        let point: String
        let options: [Substring]
        let isV2: Bool
    }

    private static let mounts: [Mount] = {
        guard let bytes = try? Descriptor.contents(ofFile: "/proc/self/mounts") else { return [] }
        var mounts: [Mount] = []
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 3, fields[2].hasPrefix("cgroup") else { continue }
            let options = fields[3].split(separator: ",")
            mounts.append(Mount(point: String(fields[1]), options: options, isV2: fields[2] == "cgroup2"))
        }
        return mounts
    }()

    private static let unified: String? = mounts.first { mount in
        guard mount.isV2, let bytes = try? Descriptor.contents(ofFile: mount.point + "/cgroup.subtree_control") else {
            return false
        }
        let controllers = String(decoding: bytes, as: UTF8.self)
        return controllers.contains("cpu") && controllers.contains("memory")
    }?.point

    private static func version1(_ controller: String) -> String? {
        mounts.first { !$0.isV2 && $0.options.contains(Substring(controller)) && access($0.point, W_OK) == 0 }?.point
    }

    static let isPossible =
        Machine.isRoot
        && (unified.map { access($0, W_OK) == 0 } ?? (version1("cpu") != nil && version1("memory") != nil))

    init(cpus: Double, memory: Int) throws {
        let name = "portico-tests-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        let quota = Int(cpus * 100_000)
        if let unified = Self.unified {
            isV2 = true
            folders = ["\(unified)/\(name)"]
            mkdir(folders[0], 0o755)
            try Self.write("\(quota) 100000", to: folders[0] + "/cpu.max")
            try Self.write("\(memory)", to: folders[0] + "/memory.max")
        } else {
            isV2 = false
            folders = try ["cpu", "memory"].map { "\(try #require(Self.version1($0)))/\(name)" }
            for folder in folders { mkdir(folder, 0o755) }
            try Self.write("100000", to: folders[0] + "/cpu.cfs_period_us")
            try Self.write("\(quota)", to: folders[0] + "/cpu.cfs_quota_us")
            try Self.write("\(memory)", to: folders[1] + "/memory.limit_in_bytes")
        }
    }

    deinit { for folder in folders { rmdir(folder) } }

    /// Starts a program inside.
    var prefix: [String] {
        let entering = folders.map { "echo $$ > \($0)/cgroup.procs" }.joined(separator: " && ")
        return ["sh", "-c", "\(entering) && exec \"$@\"", "sh"]
    }

    /// How many processes the kernel has ended for want of memory.
    func kills() throws -> Int { try number("oom_kill ", in: isV2 ? "/memory.events" : "/memory.oom_control") }

    /// The most memory that was in use.
    func peak() throws -> Int { try number("", in: isV2 ? "/memory.peak" : "/memory.max_usage_in_bytes") }

    private func number(_ key: String, in file: String) throws -> Int {
        let folder = try #require(folders.last)
        let text = String(decoding: try Descriptor.contents(ofFile: folder + file), as: UTF8.self)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix(key) })
        return try #require(Int(line.dropFirst(key.count)))
    }

    private static func write(_ text: String, to path: String) throws {
        let file = Descriptor(adopting: open(path, O_WRONLY | O_CLOEXEC))
        guard file.rawValue >= 0 else { throw SystemError(operation: "open \(path)", code: errno) }
        try Array(text.utf8).withUnsafeBytes { try file.writeAll($0) }
    }
}
