public import NIOCore

/// Files carried in the binary: made by the `EmbedResources` plugin, sorted by path.
public struct EmbeddedFileSet: Sendable, ExpressibleByArrayLiteral {
    /// The files by path.
    public let files: [EmbeddedFile]

    /// A set of these files.
    public init(arrayLiteral files: EmbeddedFile...) { self.init(files) }

    /// The folder the files came from, in builds for debugging: the development server shows what is there now.
    public let folder: String?

    /// A set of these files.
    public init(_ files: [EmbeddedFile], folder: String? = nil) {
        self.files = files.sorted { $0.path < $1.path }
        self.folder = folder
    }

    /// The file at `path`, relative to the folder that was embedded.
    public subscript(path: String) -> EmbeddedFile? {
        var low = 0
        var high = files.count
        while low < high {
            let middle = (low + high) / 2
            if files[middle].path < path { low = middle + 1 } else { high = middle }
        }
        return low < files.count && files[low].path == path ? files[low] : nil
    }
}

/// One file carried in the binary.
public struct EmbeddedFile: Sendable {
    /// The path relative to the embedded folder, with `/` between the parts.
    public let path: String
    /// The content.
    public let bytes: ByteBuffer

    /// A text file.
    public init(_ path: String, text: String) {
        self.path = path
        bytes = ByteBuffer(string: text)
    }

    /// Any file, its bytes in base 64.
    public init(_ path: String, base64: String) {
        self.path = path
        bytes = ByteBuffer(bytes: Base64URL.decode(base64.utf8) ?? [])
    }

    /// The content as text, bytes that are not UTF-8 replaced.
    public var text: String { String(buffer: bytes) }
}
