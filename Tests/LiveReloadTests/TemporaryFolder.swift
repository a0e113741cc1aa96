import Foundation

/// A directory of its own for a test, removed with its content.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent(
            "portico-live-\(UUID().uuidString.prefix(13))")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.resolvingSymlinksInPath().path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ text: String, to name: String, atomically: Bool = false) throws {
        let file = "\(path)/\(name)"
        let directory = (file as NSString).deletingLastPathComponent
        if !FileManager.default.fileExists(atPath: directory) {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        }
        try text.write(toFile: file, atomically: atomically, encoding: .utf8)
    }

    /// As editors save: a new file beside it, put in its place.
    func replace(_ text: String, _ name: String) throws {
        try write(text, to: ".\(UUID().uuidString)")
        let new = try FileManager.default.contentsOfDirectory(atPath: path).first { $0.count == 37 }
        guard rename("\(path)/\(new ?? "")", "\(path)/\(name)") == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: "\(path)/\(name)") }

    func move(_ name: String, _ other: String) throws {
        try FileManager.default.moveItem(atPath: "\(path)/\(name)", toPath: "\(path)/\(other)")
    }
}
