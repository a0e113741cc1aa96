public import HTTP
public import NIOCore

/// What a request may be at most.
public struct ParserLimits: Sendable {
    /// All header fields together, and the trailers likewise, in bytes.
    public var headerSize = 16 * 1024
    /// The number of header fields, and of trailers.
    public var fieldCount = 100
    /// The request target, in bytes.
    public var targetSize = 8 * 1024
    /// The request body, in bytes.
    public var bodySize = 10 * 1024 * 1024

    public init() {}
}

/// HTTP/1.1 requests out of bytes (RFC 9112): a value without I/O that can be fed at any byte boundary.
///
/// It reads the head in place: what it returns are ranges over the received bytes. Everything a second reader could
/// understand differently is refused.
public struct RequestParser: Sendable {
    /// What was read.
    public enum Event: Sendable {
        /// A complete head; `body` and `end` of the same request follow.
        case head(RequestHead)
        /// A part of the body, never empty.
        case body(ByteBuffer)
        /// The request is complete; the next byte begins the next one.
        case end
    }

    enum State: Sendable, Equatable {
        case head
        case fixed(remaining: Int)
        case chunkSize
        case chunkData(remaining: Int)
        case chunkEnd
        case trailers
        case end
    }

    let limits: ParserLimits
    private(set) var state = State.head
    private var headParser = HeadParser()
    private var bodyCount = 0
    private var extensionCount = 0
    private var hasSkippedEmptyLine = false

    public init(limits: ParserLimits = ParserLimits()) { self.limits = limits }

    /// Whether the next byte begins a new request.
    public var isBetweenRequests: Bool { state == .head && headParser.isFresh }

    /// Bytes of the body that `Content-Length` still announces; nil for a chunked one.
    public var remainingLength: Int? {
        switch state {
        case .fixed(let remaining): remaining
        case .head, .end: 0
        default: nil
        }
    }

    /// Reads the next event off `input`, or nil when it needs more bytes. After an error the connection is of no use.
    public mutating func next(_ input: inout ByteBuffer) throws(RequestError) -> Event? {
        var spare: RequestHead?
        return try next(&input, reusing: &spare)
    }

    /// As ``next(_:)``; a head is put into the memory of `spare`, if there is one that nobody else holds.
    mutating func next(_ input: inout ByteBuffer, reusing spare: inout RequestHead?) throws(RequestError) -> Event? {
        switch state {
        case .head:
            guard let head = try readHead(&input, reusing: &spare) else { return nil }
            return .head(head)
        case .fixed(let remaining):
            guard let bytes = Self.take(upTo: remaining, of: &input) else { return nil }
            let left = remaining - bytes.readableBytes
            state = left == 0 ? .end : .fixed(remaining: left)
            return .body(bytes)
        case .chunkSize, .chunkData, .chunkEnd, .trailers:
            return try readChunked(&input)
        case .end:
            state = .head
            return .end
        }
    }

    private mutating func readHead(
        _ input: inout ByteBuffer, reusing spare: inout RequestHead?
    ) throws(RequestError) -> RequestHead? {
        // One empty line before a request line is forgiven (RFC 9112 §2.2).
        if headParser.isFresh, !hasSkippedEmptyLine, input.readableBytes > 0, input.peekByte(0) == Ascii.cr {
            guard let second = input.peekByte(1) else { return nil }
            guard second == Ascii.lf else { throw .bareLineEnd }
            input.moveReaderIndex(forwardBy: 2)
            hasSkippedEmptyLine = true
        }
        headParser.borrow(from: &spare)
        guard let length = try headParser.parse(input, limits: limits) else { return nil }
        let head = try headParser.takeHead(of: input, length: length, reusing: &spare)
        hasSkippedEmptyLine = false
        bodyCount = 0
        extensionCount = 0
        switch head.framing {
        case .none, .length(0): state = .end
        case .length(let count):
            guard count <= limits.bodySize else { throw .bodyTooLarge }
            state = .fixed(remaining: count)
        case .chunked: state = .chunkSize
        }
        input.moveReaderIndex(forwardBy: length)
        return head
    }

    private mutating func readChunked(_ input: inout ByteBuffer) throws(RequestError) -> Event? {
        while true {
            switch state {
            case .chunkSize:
                guard let line = try ChunkLine.read(&input, extensionLimit: 4096 - extensionCount) else { return nil }
                extensionCount += line.extensionCount
                bodyCount += line.size
                guard bodyCount <= limits.bodySize else { throw .bodyTooLarge }
                state = line.size == 0 ? .trailers : .chunkData(remaining: line.size)
            case .chunkData(let remaining):
                guard let bytes = Self.take(upTo: remaining, of: &input) else { return nil }
                let left = remaining - bytes.readableBytes
                state = left == 0 ? .chunkEnd : .chunkData(remaining: left)
                return .body(bytes)
            case .chunkEnd:
                guard let first = input.peekByte(0) else { return nil }
                guard first == Ascii.cr else { throw .malformedChunk }
                guard let second = input.peekByte(1) else { return nil }
                guard second == Ascii.lf else { throw .malformedChunk }
                input.moveReaderIndex(forwardBy: 2)
                state = .chunkSize
            case .trailers:
                guard let length = try headParser.parseTrailers(input, limits: limits) else { return nil }
                input.moveReaderIndex(forwardBy: length)
                headParser.reset()
                state = .head
                return .end
            case .head, .fixed, .end:
                return nil
            }
        }
    }

    private static func take(upTo count: Int, of input: inout ByteBuffer) -> ByteBuffer? {
        guard input.readableBytes > 0 else { return nil }
        return input.readSlice(length: min(count, input.readableBytes))
    }
}

enum Ascii {
    static let cr: UInt8 = 0x0D
    static let lf: UInt8 = 0x0A
    static let space: UInt8 = 0x20
    static let tab: UInt8 = 0x09
    static let colon: UInt8 = 0x3A
}

extension ByteBuffer {
    /// The readable byte at `offset`, or nil past the end.
    func peekByte(_ offset: Int) -> UInt8? {
        offset < readableBytes ? getInteger(at: readerIndex + offset) : nil
    }
}
