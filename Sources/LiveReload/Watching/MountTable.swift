import Glibc
import Platform

/// Which file system a path is on (`/proc/self/mounts`, see proc(5)).
enum MountTable {
    /// File systems whose changes may be made behind this kernel's back, so that it cannot tell of them: shared folders of
    /// virtual machines and containers, and the network's.
    private static let silent: Set<String> = ["nfs", "nfs4", "cifs", "smb3", "9p", "vboxsf", "virtiofs", "prl_fs"]

    /// The type of the file system that holds `path`, when it is one that keeps its changes to itself.
    static func silentFileSystem(of path: String) -> String? {
        guard let bytes = try? Descriptor.contents(ofFile: "/proc/self/mounts"), let real = realpath(path, nil) else {
            return nil
        }
        defer { free(real) }
        let type = type(of: String(cString: real), mounts: String(decoding: bytes, as: UTF8.self))
        return type.flatMap { silent.contains($0) || $0.hasPrefix("fuse.") ? $0 : nil }
    }

    /// The type of the innermost mount above `path`; of several at one place the last counts.
    static func type(of path: String, mounts: String) -> String? {
        var best: (count: Int, type: String)?
        for line in mounts.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 2 else { continue }
            let point = unescaped(fields[1])
            let isAbove = point == "/" || path == point || path.hasPrefix(point + "/")
            if isAbove, point.utf8.count >= best?.count ?? 0 { best = (point.utf8.count, String(fields[2])) }
        }
        return best?.type
    }

    /// Spaces, tabs, line ends and backslashes are written as three octal digits.
    private static func unescaped(_ field: Substring) -> String {
        var text = String(field)
        // The backslash last, so that nothing is taken for an escape that was none.
        for (code, character) in [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        where text.contains(code) {
            text = text.split(separator: code, omittingEmptySubsequences: false).joined(separator: character)
        }
        return text
    }
}
