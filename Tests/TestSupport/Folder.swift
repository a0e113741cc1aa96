import FoundationEssentials
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

    deinit { try? FileManager.default.removeItem(atPath: path) }

    package subscript(name: String) -> String { "\(path)/\(name)" }

    /// Makes the directory and those on the way to it.
    package func makeDirectory(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: self[name], withIntermediateDirectories: true)
    }

    /// Makes a new file in place of an old one, and the directories on the way to it.
    package func write(_ text: String, to name: String) throws { try write(Array(text.utf8), to: name) }

    package func write(_ bytes: [UInt8], to name: String) throws {
        if let end = name.lastIndex(of: "/") { try makeDirectory(String(name[..<end])) }
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
