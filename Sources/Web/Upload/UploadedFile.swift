import Glibc
public import NIOCore
import Synchronization

/// A file that came with a form. Small ones are in memory, larger ones in a temporary file without a name, which is gone with
/// the last reference to this object.
public final class UploadedFile: Sendable {
    /// The form's field.
    public let field: String
    /// What it is called on the client's machine, without directories and control characters; empty when the client sent none
    /// (a file field that was left empty). Never use it as a path.
    public let name: String
    /// What the client says it is. Nobody has checked that.
    public let contentType: String?
    /// Its length in bytes.
    public let size: Int
    private let storage: Storage

    enum Storage {
        case memory(ByteBuffer)
        case file(TemporaryFile)
    }

    init(field: String, name: String, contentType: String?, size: Int, storage: Storage) {
        self.field = field
        self.name = UploadedFile.plainName(name)
        self.contentType = contentType
        self.size = size
        self.storage = storage
    }

    /// The whole content. Blocks while it is read, when it is not in memory.
    public func contents() throws(UploadError) -> ByteBuffer {
        var result = ByteBuffer()
        try forEachPiece { result.writeImmutableBuffer($0) }
        return result
    }

    /// Writes it to a file that is not there yet, readable for this user alone; on failure nothing is left of it. Blocks.
    public func save(to path: String) throws(UploadError) {
        let number = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard number >= 0 else { throw UploadError("cannot create \(path)", errno) }
        let file = TemporaryFile(adopting: number)
        do {
            try forEachPiece { (piece) throws(UploadError) in try file.write(piece) }
        } catch {
            unlink(path)
            throw error
        }
    }

    /// Hands over the content in pieces of at most 64 KiB. Blocks.
    public func forEachPiece(
        _ body: (ByteBuffer) throws(UploadError) -> Void
    ) throws(UploadError) {
        switch storage {
        case .memory(let bytes): try body(bytes)
        case .file(let file):
            var offset = 0
            while offset < size {
                let piece = try file.read(at: offset, atMost: min(65_536, size - offset))
                guard piece.readableBytes > 0 else { throw UploadError("the temporary file is too short", EIO) }
                offset += piece.readableBytes
                try body(piece)
            }
        }
    }

    /// What stands behind the last separator of either kind, and can be shown.
    static func plainName(_ name: String) -> String {
        let last = name.split(omittingEmptySubsequences: false) { $0 == "/" || $0 == "\\" }.last.map(String.init) ?? ""
        let shown = String(String.UnicodeScalarView(last.unicodeScalars.filter { !UploadedFile.isControl($0) }))
        return shown == "." || shown == ".." ? "" : String(shown.prefix(255))
    }

    private static func isControl(_ character: Unicode.Scalar) -> Bool {
        switch character.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}

/// Why an uploaded file could not be kept or read.
public struct UploadError: Error, Equatable, CustomStringConvertible {
    public let description: String
    /// The `errno`.
    public let code: Int32

    init(_ what: String, _ code: Int32) {
        description = "\(what): \(String(cString: strerror(code)))"
        self.code = code
    }
}

/// An open file without a name.
final class TemporaryFile: Sendable {
    private let descriptor: Int32

    init(adopting descriptor: Int32) { self.descriptor = descriptor }

    /// A new one in `directory`.
    init(in directory: String) throws(UploadError) {
        let name = "\(directory)/upload-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
        let number = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard number >= 0 else { throw UploadError("cannot make a temporary file in \(directory)", errno) }
        unlink(name)
        descriptor = number
    }

    deinit { close(descriptor) }

    func write(_ bytes: ByteBuffer) throws(UploadError) {
        var rest = bytes.readableBytesView[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                throw UploadError("cannot write a file that was uploaded", errno)
            }
        }
    }

    func read(at offset: Int, atMost limit: Int) throws(UploadError) -> ByteBuffer {
        var buffer = ByteBuffer()
        var code: Int32 = 0
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: limit) { room in
            let count = pread(descriptor, room.baseAddress, limit, off_t(offset))
            code = count < 0 ? errno : 0
            return max(0, count)
        }
        guard code == 0 else { throw UploadError("cannot read a file that was uploaded", code) }
        return buffer
    }
}
