import HTTP
import NIOCore
import Platform

/// One form of a file, ready to be sent: the bytes or a descriptor, and the heads that go with them.
final class Representation {
    enum Body {
        case memory(ByteBuffer)
        case file(FileDescriptorOwner)
    }

    let body: Body
    /// Bytes.
    let count: Int
    let tag: EntityTag
    let modified: HTTPDate?
    /// The field bytes of the tag, to compare with `If-None-Match` at once.
    let tagBytes: [UInt8]
    let modifiedBytes: [UInt8]
    /// The head of a whole response.
    let head: ResponseHead
    /// The head of a 304: what the whole response would say about caching (RFC 9110 §15.4.5).
    let notModified: ResponseHead
    let contentType: String
    let supportsRanges: Bool

    /// All of the bytes, read if need be; nil when the file does not have them any more.
    var bytes: ByteBuffer? {
        switch body {
        case .memory(let bytes): return bytes
        case .file(let owner):
            var bytes = ByteBuffer()
            bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { free in
                (try? owner.file.read(at: 0, into: UnsafeMutableRawBufferPointer(rebasing: free[..<count]))) ?? 0
            }
            return bytes.readableBytes == count ? bytes : nil
        }
    }

    /// How a form differs from the file itself.
    struct Coding {
        var isGzip = false
        /// Whether the form depends on what the client accepts.
        var varies = false
        var supportsRanges = true
    }

    init(
        body: Body, count: Int, tag: EntityTag, modified: HTTPDate?, contentType: String, cacheControl: String?,
        coding: Coding
    ) {
        self.body = body
        self.count = count
        self.tag = tag
        self.modified = modified
        self.contentType = contentType
        supportsRanges = coding.supportsRanges
        var validators = Fields()
        let text = tag.description
        tagBytes = Array(text.utf8)
        validators.append("ETag", text)
        let date = modified?.text
        modifiedBytes = date.map { Array($0.utf8) } ?? []
        if let date { validators.append("Last-Modified", date) }
        if let cacheControl { validators.append("Cache-Control", cacheControl) }
        if coding.varies { validators.append("Vary", "Accept-Encoding") }
        notModified = ResponseHead(.notModified, validators)
        var fields = Fields()
        fields.append("Content-Type", contentType)
        fields.append("Content-Length", String(count))
        if coding.isGzip { fields.append("Content-Encoding", "gzip") }
        if coding.supportsRanges { fields.append("Accept-Ranges", "bytes") }
        fields.append(contentsOf: validators)
        head = ResponseHead(.ok, fields)
    }
}

/// An open file that is closed when nobody sends it any more.
final class FileDescriptorOwner {
    let file: OpenedFile
    let handle: NIOFileHandle

    init(_ file: OpenedFile) {
        self.file = file
        handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: file.descriptor)
    }

    deinit { try? handle.close() }

    /// The bytes of `range` for sendfile.
    func region(_ range: Range<Int>) -> FileRegion {
        FileRegion(fileHandle: handle, readerIndex: range.lowerBound, endIndex: range.upperBound)
    }
}
