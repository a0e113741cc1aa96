import Glibc
import Platform

/// A directory of a command's own, removed with all that is in it when the command is done.
struct TemporaryData: Sendable {
    let path: String

    /// A directory that is there already.
    init(path: String) { self.path = path }

    /// Makes it in `$TMPDIR`, else in `/tmp`.
    init(environment: [String: String]) throws(SystemError) {
        let parent = environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        var template = Array("\(parent)/app-smoke-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw SystemError(operation: "make a temporary directory in \(parent)", code: errno)
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    subscript(name: String) -> String { "\(path)/\(name)" }

    func remove() { Self.remove(path) }

    /// Without following links.
    private static func remove(_ path: String) {
        guard unlink(path) != 0, errno == EISDIR || errno == EPERM, let directory = opendir(path) else { return }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        closedir(directory)
        for name in names { remove("\(path)/\(name)") }
        rmdir(path)
    }
}
