import Crypto
import FoundationEssentials
import HTTP
import NIOCore
import Synchronization

/// A site's static files, out of directories or the binary, under URLs that change with their content.
struct StaticFiles: Sendable {
    private let embedded: [String: File]
    private let directories: [String]
    /// Below the site, without a leading and with a trailing slash.
    private let path: String
    private let isDebug: Bool
    private let versions = Versions()

    private struct File: Sendable {
        let bytes: ByteBuffer
        let version: String

        init(_ bytes: ByteBuffer) {
            self.bytes = bytes
            version = SHA256.hash(data: Array(bytes.readableBytesView)).prefix(6).map { byte in
                (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }.joined()
        }
    }

    /// The versions of files in directories, kept where files do not change while the site runs.
    private final class Versions: Sendable {
        let known = Mutex<[String: String]>([:])
    }

    init(embedded: EmbeddedFileSet, directories: [String], path: String, isDebug: Bool) {
        self.embedded = Dictionary(uniqueKeysWithValues: embedded.files.map { ($0.path, File($0.bytes)) })
        self.directories = directories
        self.path = path
        self.isDebug = isDebug
    }

    /// Whether there is nothing to serve.
    var isEmpty: Bool { embedded.isEmpty && directories.isEmpty }

    /// The line of the URL table that serves the files.
    var entry: URLEntry {
        URLEntry(
            pattern: path + "<path:path>",
            content: .view(
                .immediate { request in try self.respond(to: request) }, parameters: nil, name: nil,
                viewName: "StaticFiles"))
    }

    /// `/static/polls/style.css?v=3f2a…`; without a version when there is no such file.
    func url(_ file: String, scriptName: String) -> String {
        let url = "\(scriptName)/\(path)\(PercentCoding.encodePath(file))"
        guard let version = version(file) else { return url }
        return "\(url)?v=\(version)"
    }

    private func version(_ file: String) -> String? {
        if directories.isEmpty { return embedded[file]?.version }
        if !isDebug, let known = versions.known.withLock({ $0[file] }) { return known }
        let version = find(file)?.version
        if !isDebug { versions.known.withLock { $0[file] = version } }
        return version
    }

    private func find(_ file: String) -> File? {
        // A path is refused when any part could leave the directory or names a hidden file.
        guard !file.utf8.contains(0),
            file.split(separator: "/", omittingEmptySubsequences: false).allSatisfy({ part in
                !part.isEmpty && !part.hasPrefix(".")
            })
        else { return nil }
        for directory in directories {
            if let bytes = FileReader.read("\(directory)/\(file)") { return File(bytes) }
        }
        return embedded[file]
    }

    private func respond(to request: Request) throws -> Response {
        guard request.method == .get || request.method == .head else {
            throw MethodNotAllowed(allowed: ["GET", "HEAD"])
        }
        let name = try request.parameters.string("path")
        guard let file = find(name) else { throw Http404() }
        let tag = EntityTag(file.version)
        // What was asked for by its version never changes; anything else is asked for again each time.
        let isVersioned = request.head.query == "v=\(file.version)"
        let fields: Fields = [
            "ETag": tag.description, "Cache-Control": isVersioned ? "public, max-age=31536000, immutable" : "no-cache",
        ]
        if let known = request.fields.joined("If-None-Match"), EntityTagCondition(parsing: known).matchesWeakly(tag) {
            return Response(.notModified, fields: fields)
        }
        return Response(contentType: ContentType(path: name), fields: fields, body: .bytes(file.bytes))
    }
}

extension ContentType {
    /// The type of a file by its name.
    init(path: String) {
        let value = MediaType.contentType(fileName: path) ?? MediaType.octetStream
        self = [.html, .text, .json, .octets].first { $0.value == value } ?? .other(value)
    }
}
