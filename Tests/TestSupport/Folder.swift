import Glibc
import Platform

/// A directory that exists as long as this value does.
package final class Folder: Sendable {
    package let path: String

    package init() throws {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/portico-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError(operation: "mkdtemp in \(parent)", code: errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // Some tests run the program as another user.
        chmod(path, 0o755)
    }

    deinit { _ = try? Command.run(["rm", "-rf", path]) }

    package subscript(name: String) -> String { "\(path)/\(name)" }

    package func makeDirectory(_ name: String) throws {
        guard mkdir(self[name], 0o755) == 0 else { throw SystemError(operation: "mkdir \(name)", code: errno) }
    }

    package func write(_ text: String, to name: String) throws { try write(Array(text.utf8), to: name) }

    package func write(_ bytes: [UInt8], to name: String) throws {
        unlink(self[name])
        let file = try Descriptor.appending(to: self[name])
        try bytes.withUnsafeBytes { try Descriptor.writeAll($0, to: file.rawValue) }
    }

    package func bytes(of name: String) throws -> [UInt8] { try Descriptor.contents(ofFile: self[name]) }

    package func text(of name: String) throws -> String { String(decoding: try bytes(of: name), as: UTF8.self) }

    package func has(_ name: String) -> Bool { access(self[name], F_OK) == 0 }

    /// Every file and directory below, by its relative path, sorted.
    package func listing() throws -> [String] {
        try Command.run(["find", path, "-mindepth", "1", "-printf", "%P\\n"]).output
            .split(separator: "\n").map(String.init).sorted()
    }
}
