import HTTP

/// `method SP request-target SP HTTP-version` (RFC 9112 §3).
struct RequestLine: Sendable {
    let method: Method
    let version: HTTPVersion
    let target: ByteRange
    let path: ByteRange
    let query: ByteRange?
    /// The authority of an absolute target.
    let authority: ByteRange?

    /// No method in use is longer; it bounds what a hostile client makes us copy.
    private static let methodLimit = 32

    init(_ bytes: UnsafeRawBufferPointer, _ line: Range<Int>, _ limits: ParserLimits) throws(RequestError) {
        var index = line.lowerBound
        while index < line.upperBound, Token.contains(bytes[index]) { index += 1 }
        guard index > line.lowerBound, index < line.upperBound, bytes[index] == Ascii.space else {
            throw .malformedRequestLine
        }
        guard index - line.lowerBound <= Self.methodLimit else { throw .unsupportedMethod }
        method = Self.method(UnsafeRawBufferPointer(rebasing: bytes[line.lowerBound..<index]))
        let start = index + 1
        index = start
        var queryStart: Int?
        while index < line.upperBound, bytes[index] != Ascii.space {
            let byte = bytes[index]
            // Visible ASCII; a fragment is never sent (RFC 9112 §3.2, RFC 3986 §3.5).
            guard byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "#") else {
                throw byte == Ascii.cr ? .bareLineEnd : .malformedTarget
            }
            if byte == UInt8(ascii: "?"), queryStart == nil { queryStart = index }
            index += 1
        }
        guard index > start, index < line.upperBound else { throw .malformedRequestLine }
        guard index - start <= limits.targetSize else { throw .targetTooLong }
        target = ByteRange(start: start, count: index - start)
        version = try Self.version(UnsafeRawBufferPointer(rebasing: bytes[(index + 1)..<line.upperBound]))

        let pathEnd = queryStart ?? index
        query = queryStart.map { ByteRange(start: $0 + 1, count: index - $0 - 1) }
        if method == .connect { throw .unsupportedMethod }
        if bytes[start] == UInt8(ascii: "/") {
            authority = nil
            path = ByteRange(start: start, count: pathEnd - start)
        } else if method == .options, index - start == 1, bytes[start] == UInt8(ascii: "*") {
            authority = nil
            path = ByteRange(start: start, count: 0)
        } else {
            let scheme = try Self.schemeLength(bytes, start..<pathEnd)
            var slash = start + scheme
            while slash < pathEnd, bytes[slash] != UInt8(ascii: "/") { slash += 1 }
            guard slash > start + scheme else { throw .malformedTarget }
            authority = ByteRange(start: start + scheme, count: slash - start - scheme)
            path = ByteRange(start: slash, count: pathEnd - slash)
        }
    }

    private static func method(_ token: UnsafeRawBufferPointer) -> Method {
        if token.count == 3, token[0] == 0x47, token[1] == 0x45, token[2] == 0x54 { return .get }
        return Method(String(decoding: token, as: UTF8.self))
    }

    /// The length of `http://` or `https://`.
    private static func schemeLength(_ bytes: UnsafeRawBufferPointer, _ target: Range<Int>) throws(RequestError) -> Int
    {
        let target = UnsafeRawBufferPointer(rebasing: bytes[target])
        for scheme in ["http://", "https://"] as [StaticString] {
            let length = scheme.utf8CodeUnitCount
            guard target.count > length else { continue }
            if UnsafeRawBufferPointer(rebasing: target[..<length]).equals(scheme) { return length }
        }
        throw .malformedTarget
    }

    /// A higher minor version is read as 1.1, another major version is refused (RFC 9110 §2.5).
    private static func version(_ bytes: UnsafeRawBufferPointer) throws(RequestError) -> HTTPVersion {
        guard bytes.count == 8, bytes[0] == 0x48, bytes[1] == 0x54, bytes[2] == 0x54, bytes[3] == 0x50,
            bytes[4] == 0x2F, bytes[5] &- 0x30 < 10, bytes[6] == 0x2E, bytes[7] &- 0x30 < 10
        else { throw bytes.contains(Ascii.cr) ? .bareLineEnd : .malformedRequestLine }
        guard bytes[5] == 0x31 else { throw .unsupportedVersion }
        return bytes[7] == 0x30 ? .http10 : .http11
    }
}
