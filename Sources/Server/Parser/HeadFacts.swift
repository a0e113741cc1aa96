import HTTP

/// What the fields say about the message itself: its host, framing and connection.
struct HeadFacts: Sendable {
    private enum TransferCoding: Sendable, Equatable {
        case absent, chunked, unknownThenChunked, notEndingInChunked
    }

    private(set) var hostIndex: Int?
    private(set) var expectsContinue = false
    private(set) var asksForUpgrade = false
    private var contentLength: Int?
    private var transferCoding = TransferCoding.absent
    private var hasClose = false
    private var hasKeepAlive = false

    /// Takes notice of a field that matters to the message.
    mutating func note(_ bytes: UnsafeRawBufferPointer, _ field: FieldRange, index: Int) throws(RequestError) {
        let name = UnsafeRawBufferPointer(rebasing: bytes[field.name.bounds])
        let value = UnsafeRawBufferPointer(rebasing: bytes[field.value.bounds])
        // The length tells most fields apart without looking at their letters.
        switch name.count {
        case 4 where name.equals("host"):
            guard hostIndex == nil else { throw .malformedHost }
            hostIndex = index
        case 6 where name.equals("expect"):
            guard value.equals("100-continue") else { throw .unsupportedExpectation }
            expectsContinue = true
        case 7 where name.equals("upgrade"): asksForUpgrade = true
        case 10 where name.equals("connection"):
            for option in ListElements(value) {
                if option.equals("close") { hasClose = true }
                if option.equals("keep-alive") { hasKeepAlive = true }
            }
        case 14 where name.equals("content-length"):
            guard contentLength == nil else { throw .ambiguousFraming }
            contentLength = try Self.length(value)
        case 17 where name.equals("transfer-encoding"):
            for coding in ListElements(value) {
                switch (transferCoding, coding.equals("chunked")) {
                case (.absent, true): transferCoding = .chunked
                case (.notEndingInChunked, true): transferCoding = .unknownThenChunked
                case (.chunked, _), (.unknownThenChunked, _): throw .ambiguousFraming
                case (_, false): transferCoding = .notEndingInChunked
                }
            }
            if transferCoding == .absent { throw .ambiguousFraming }
        default: break
        }
    }

    /// How the body is delimited (RFC 9112 §6.3), refused where two readers could differ.
    func framing(isHTTP11: Bool) throws(RequestError) -> BodyFraming {
        switch transferCoding {
        case .absent: return contentLength.map(BodyFraming.length) ?? .none
        case .notEndingInChunked: throw .ambiguousFraming
        case .chunked, .unknownThenChunked:
            guard isHTTP11, contentLength == nil else { throw .ambiguousFraming }
            guard transferCoding == .chunked else { throw .unknownTransferCoding }
            return .chunked
        }
    }

    /// Whether the connection persists (RFC 9112 §9.3).
    func isKeepAlive(isHTTP11: Bool) -> Bool { !hasClose && (isHTTP11 || hasKeepAlive) }

    /// Digits only: no sign, no list, no white space.
    private static func length(_ value: UnsafeRawBufferPointer) throws(RequestError) -> Int {
        guard !value.isEmpty, value.allSatisfy({ $0 &- 0x30 < 10 }) else { throw .malformedContentLength }
        guard value.count <= 18 else { throw .bodyTooLarge }
        return value.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }
}

/// The elements of a comma-separated list, white space trimmed and empty ones left out (RFC 9110 §5.6.1).
struct ListElements: Sequence, IteratorProtocol {
    private let value: UnsafeRawBufferPointer
    private var index = 0

    init(_ value: UnsafeRawBufferPointer) { self.value = value }

    mutating func next() -> UnsafeRawBufferPointer? {
        while index < value.count {
            var start = index
            while index < value.count, value[index] != UInt8(ascii: ",") { index += 1 }
            var end = index
            index += 1
            while start < end, value[start] == Ascii.space || value[start] == Ascii.tab { start += 1 }
            while end > start, value[end - 1] == Ascii.space || value[end - 1] == Ascii.tab { end -= 1 }
            if start < end { return UnsafeRawBufferPointer(rebasing: value[start..<end]) }
        }
        return nil
    }
}

extension ByteRange {
    var bounds: Range<Int> { Int(start)..<(Int(start) + Int(count)) }
}
