import TestSupport
import Testing

@testable import Platform

/// Machines as directories: what /proc and /sys look like in the wild.
@Suite struct AvailableCPUsTests {
    struct Machine: CustomTestStringConvertible {
        let testDescription: String
        let files: [String: String]
        let quota: Double?
        let count: Int
    }

    private static let unified = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
    private static let legacy =
        "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
        + "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
        + "33 31 0:30 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"

    static let machines: [Machine] = [
        Machine(testDescription: "no cgroups at all", files: [:], quota: nil, count: 8),
        Machine(
            testDescription: "version 2, no limit",
            files: [
                "proc/self/cgroup": "0::/\n", "proc/self/mountinfo": unified, "sys/fs/cgroup/cpu.max": "max 100000\n",
            ], quota: nil, count: 8),
        Machine(
            testDescription: "version 2, docker run --cpus 1.5 (namespaced)",
            files: [
                "proc/self/cgroup": "0::/\n", "proc/self/mountinfo": unified,
                "sys/fs/cgroup/cpu.max": "150000 100000\n",
            ], quota: 1.5, count: 2),
        Machine(
            testDescription: "version 2, less than one CPU",
            files: [
                "proc/self/cgroup": "0::/\n", "proc/self/mountinfo": unified,
                "sys/fs/cgroup/cpu.max": "10000 100000\n",
            ], quota: 0.1, count: 1),
        Machine(
            testDescription: "version 2, more than the machine has",
            files: [
                "proc/self/cgroup": "0::/\n", "proc/self/mountinfo": unified,
                "sys/fs/cgroup/cpu.max": "6400000 100000\n",
            ], quota: 64, count: 8),
        Machine(
            testDescription: "version 2, nested: an ancestor's limit holds",
            files: [
                "proc/self/cgroup": "0::/kubepods/pod1/app\n", "proc/self/mountinfo": unified,
                "sys/fs/cgroup/kubepods/cpu.max": "max 100000\n",
                "sys/fs/cgroup/kubepods/pod1/cpu.max": "300000 100000\n",
                "sys/fs/cgroup/kubepods/pod1/app/cpu.max": "400000 100000\n",
            ], quota: 3, count: 3),
        Machine(
            testDescription: "version 2, quota without period",
            files: [
                "proc/self/cgroup": "0::/a\n", "proc/self/mountinfo": unified, "sys/fs/cgroup/a/cpu.max": "200000\n",
            ], quota: 2, count: 2),
        Machine(
            testDescription: "version 2, a part of the hierarchy is mounted",
            files: [
                "proc/self/cgroup": "0::/docker/ab/inner\n",
                "proc/self/mountinfo": "30 23 0:26 /docker/ab /sys/fs/cgroup ro - cgroup2 cgroup rw\n",
                "sys/fs/cgroup/inner/cpu.max": "max 100000\n", "sys/fs/cgroup/cpu.max": "250000 100000\n",
            ], quota: 2.5, count: 3),
        Machine(
            testDescription: "version 2, the group lies outside of the namespace",
            files: [
                "proc/self/cgroup": "0::/../other\n", "proc/self/mountinfo": unified,
                "sys/fs/cgroup/cpu.max": "200000 100000\n",
            ], quota: 2, count: 2),
        Machine(
            testDescription: "version 2, a mount point with a space",
            files: [
                "proc/self/cgroup": "0::/\n",
                "proc/self/mountinfo": "30 23 0:26 / /my\\040groups rw - cgroup2 cgroup2 rw\n",
                "my groups/cpu.max": "200000 100000\n",
            ], quota: 2, count: 2),
        Machine(
            testDescription: "version 1, no limit",
            files: [
                "proc/self/cgroup": "4:cpu,cpuacct:/\n3:memory:/\n", "proc/self/mountinfo": legacy,
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
            ], quota: nil, count: 8),
        Machine(
            testDescription: "version 1, docker: the group's path is the host's, its directory the root",
            files: [
                "proc/self/cgroup": "4:cpu,cpuacct:/docker/ab\n3:memory:/docker/ab\n",
                "proc/self/mountinfo":
                    "32 31 0:29 /docker/ab /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "50000\n",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "25000\n",
            ], quota: 2, count: 2),
        Machine(
            testDescription: "version 1, nested",
            files: [
                "proc/self/cgroup": "4:cpu,cpuacct:/a/b\n", "proc/self/mountinfo": legacy,
                "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us": "100000\n",
                "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us": "100000\n",
                "sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_period_us": "100000\n",
            ], quota: 1, count: 1),
        Machine(
            testDescription: "hybrid: version 2 mounted without the controller, version 1 limits",
            files: [
                "proc/self/cgroup": "9:name=systemd:/x\n1:cpu:/y\n0::/x\n",
                "proc/self/mountinfo": "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
                    + "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
                    + "40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n",
                "sys/fs/cgroup/cpu/y/cpu.cfs_quota_us": "350000\n",
                "sys/fs/cgroup/cpu/y/cpu.cfs_period_us": "100000\n",
            ], quota: 3.5, count: 4),
        Machine(
            testDescription: "nonsense in the files",
            files: [
                "proc/self/cgroup": "hello\n0::\n::::\n", "proc/self/mountinfo": unified + "what\n - \n",
                "sys/fs/cgroup/cpu.max": "-5 0 nan\n",
            ], quota: nil, count: 8),
        Machine(
            testDescription: "a period of zero",
            files: [
                "proc/self/cgroup": "0::/\n", "proc/self/mountinfo": unified, "sys/fs/cgroup/cpu.max": "100000 0\n",
            ], quota: nil, count: 8),
    ]

    @Test(arguments: machines)
    func finds(machine: Machine) throws {
        let directory = try Folder()
        for (name, content) in machine.files { try directory.write(content, to: name) }
        let cpus = AvailableCPUs(root: directory.path, affinity: 8)
        #expect(cpus.quota == machine.quota)
        #expect(cpus.count == machine.count)
    }

    @Test func findsThisMachine() {
        let cpus = AvailableCPUs()
        #expect(cpus.affinity >= 1)
        #expect((1...cpus.affinity).contains(cpus.count))
    }

    @Test func affinityIsTheLeast() {
        #expect(AvailableCPUs(affinity: 2, quota: 1).count == 1)
        #expect(AvailableCPUs(affinity: 2, quota: 2.5).count == 2)
        #expect(AvailableCPUs(affinity: 2, quota: nil).count == 2)
        #expect(AvailableCPUs(affinity: 2, quota: 1e300).count == 2)
    }
}
