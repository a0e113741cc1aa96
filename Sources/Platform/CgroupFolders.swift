/// The directories of the cgroups this process is in that a controller's files are in, of version 1 or 2 or both (a hybrid
/// machine).
struct CgroupFolders {
    struct Folder: Equatable {
        let path: String
        let isV2: Bool
    }

    /// From the process's own group up to what is mounted, for each hierarchy: what an ancestor limits holds as well.
    let all: [Folder]
    private let root: String

    /// Looks for them. `root` is put before every path that is read.
    init(controller: String, root: String = "") {
        self.root = root
        let groups = Self.lines(root + "/proc/self/cgroup").compactMap(Group.init)
        let mounts = Self.lines(root + "/proc/self/mountinfo").compactMap { Mount($0, controller: controller) }
        all = mounts.flatMap { mount -> [Folder] in
            let group = groups.first {
                $0.isV2 == mount.isV2 && ($0.isV2 || $0.controllers.contains(controller[...]))
            }
            return (group.map { mount.directories(of: $0.path) } ?? []).map { Folder(path: $0, isV2: mount.isV2) }
        }
    }

    /// The lines of a file; none when it is not there.
    func lines(_ file: String, in folder: Folder) -> [String] { Self.lines("\(root)\(folder.path)/\(file)") }

    private static func lines(_ path: String) -> [String] {
        let content = (try? Descriptor.contents(ofFile: path)) ?? []
        return content.split(separator: 10).map { String(decoding: $0, as: UTF8.self) }
    }

    /// A line of `/proc/self/cgroup`: `4:cpu,cpuacct:/docker/ab12` (version 1) or `0::/user.slice` (version 2).
    private struct Group {
        let isV2: Bool
        let controllers: [Substring]
        let path: String

        init?(_ line: String) {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { return nil }
            isV2 = fields[0] == "0" && fields[1].isEmpty
            controllers = fields[1].split(separator: ",")
            path = String(fields[2])
        }
    }

    /// A line of `/proc/self/mountinfo` (proc_pid_mountinfo(5)) that mounts a cgroup hierarchy with `controller`.
    private struct Mount {
        let isV2: Bool
        /// Which directory of the hierarchy is mounted: in a container often not its root.
        let root: String
        let point: String

        init?(_ line: String, controller: String) {
            let fields = line.split(separator: " ").map(String.init)
            guard let separator = fields.firstIndex(of: "-"), separator >= 6, fields.count > separator + 1 else {
                return nil
            }
            switch fields[separator + 1] {
            case "cgroup2": isV2 = true
            case "cgroup":
                guard fields.last?.split(separator: ",").contains(controller[...]) == true else {
                    return nil
                }
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
