/// The CPU quota of the cgroup this process is in, of version 1 or 2 or both (a hybrid machine).
///
/// A limit on any ancestor holds as well, so the least on the way from the process's group to the mounted root counts.
struct CgroupQuota {
    /// CPUs, or nil without a limit.
    let cpus: Double?

    init(root: String = "") {
        func lines(_ path: String) -> [String] {
            let content = (try? Descriptor.contents(ofFile: root + path)) ?? []
            return content.split(separator: 10).map { String(decoding: $0, as: UTF8.self) }
        }
        let groups = lines("/proc/self/cgroup").compactMap(Group.init)
        let mounts = lines("/proc/self/mountinfo").compactMap(Mount.init)
        var least: Double?
        for mount in mounts {
            guard let group = groups.first(where: { $0.isV2 == mount.isV2 && ($0.isV2 || $0.controlsCPU) }) else {
                continue
            }
            for directory in mount.directories(of: group.path) {
                let limit =
                    mount.isV2
                    ? Self.version2(lines(directory + "/cpu.max"))
                    : Self.version1(
                        quota: lines(directory + "/cpu.cfs_quota_us"), period: lines(directory + "/cpu.cfs_period_us"))
                if let limit { least = min(least ?? limit, limit) }
            }
        }
        cpus = least
    }

    /// `cpu.max`: `max 100000`, `150000 100000`, or the quota alone (the period is then 100 ms).
    static func version2(_ lines: [String]) -> Double? {
        let fields = (lines.first ?? "").split(separator: " ")
        guard let quota = fields.first.flatMap({ Double($0) }) else { return nil }
        let period = fields.count > 1 ? Double(fields[1]) : 100_000
        return ratio(quota, period)
    }

    /// `cpu.cfs_quota_us` (-1: no limit) and `cpu.cfs_period_us`.
    static func version1(quota: [String], period: [String]) -> Double? {
        ratio(quota.first.flatMap { Double($0) }, period.first.flatMap { Double($0) })
    }

    private static func ratio(_ quota: Double?, _ period: Double?) -> Double? {
        guard let quota, let period, quota > 0, period > 0, quota.isFinite, period.isFinite else { return nil }
        return quota / period
    }

    /// A line of `/proc/self/cgroup`: `4:cpu,cpuacct:/docker/ab12` (version 1) or `0::/user.slice` (version 2).
    struct Group {
        let isV2: Bool
        let controlsCPU: Bool
        let path: String

        init?(_ line: String) {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { return nil }
            isV2 = fields[0] == "0" && fields[1].isEmpty
            controlsCPU = fields[1].split(separator: ",").contains("cpu")
            path = String(fields[2])
        }
    }

    /// A line of `/proc/self/mountinfo` (proc_pid_mountinfo(5)) that mounts a cgroup hierarchy with the CPU controller.
    struct Mount {
        let isV2: Bool
        /// Which directory of the hierarchy is mounted: in a container often not its root.
        let root: String
        let point: String

        init?(_ line: String) {
            let fields = line.split(separator: " ").map(String.init)
            guard let separator = fields.firstIndex(of: "-"), separator >= 6, fields.count > separator + 1 else {
                return nil
            }
            switch fields[separator + 1] {
            case "cgroup2": isV2 = true
            case "cgroup":
                guard fields.last?.split(separator: ",").contains("cpu") == true else { return nil }
                isV2 = false
            default: return nil
            }
            root = Self.unescape(fields[3])
            point = Self.unescape(fields[4])
        }

        /// The directories of a group and its ancestors as far as this mount shows them, innermost first.
        func directories(of group: String) -> [String] {
            var rest = Substring(group)
            if root != "/" {
                // A group outside of what is mounted (seen through a cgroup namespace) has only the mount point itself.
                rest = rest == root || rest.hasPrefix(root + "/") ? rest.dropFirst(root.count) : ""
            }
            var parts = rest.split(separator: "/")
            if parts.contains("..") { parts = [] }
            var result: [String] = []
            while true {
                result.append(parts.isEmpty ? point : point + "/" + parts.joined(separator: "/"))
                if parts.isEmpty { return result }
                parts.removeLast()
            }
        }

        /// Spaces and the like are written as `\040`.
        private static func unescape(_ text: String) -> String {
            guard text.utf8.contains(UInt8(ascii: "\\")) else { return text }
            var result: [UInt8] = []
            var bytes = Array(text.utf8)[...]
            while let byte = bytes.popFirst() {
                let digits = bytes.prefix(3)
                if byte == UInt8(ascii: "\\"), digits.count == 3,
                    let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
                {
                    result.append(value)
                    bytes = bytes.dropFirst(3)
                } else {
                    result.append(byte)
                }
            }
            return String(decoding: result, as: UTF8.self)
        }
    }
}
