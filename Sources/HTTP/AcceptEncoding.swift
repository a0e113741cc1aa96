/// What a request's `Accept-Encoding` says about the codings spoken here: gzip and identity (RFC 9110 §12.5.3).
public struct AcceptEncoding: Sendable, Equatable {
    /// The weights, in thousandths; 0 is "not acceptable".
    public let gzip: Int
    public let identity: Int

    /// Without the field: nothing is said for gzip, and identity is expected.
    public static let absent = AcceptEncoding(gzip: 0, identity: 1000)

    init(gzip: Int, identity: Int) {
        self.gzip = gzip
        self.identity = identity
    }

    /// Whether gzip is acceptable and not less wanted than identity. When identity is refused and gzip is not named,
    /// there is nothing better than identity (RFC 9110 §12.5.3, last paragraph).
    public var prefersGzip: Bool { gzip > 0 && gzip >= identity }

    /// Reads a field value: `coding[;q=weight]` elements; unknown codings are passed over.
    public init(parsing text: some StringProtocol) {
        var copy = String(text)
        self = copy.withUTF8 { AcceptEncoding(parsing: UnsafeRawBufferPointer($0)) }
    }

    /// As ``init(parsing:)-(StringProtocol)``, in place.
    public init(parsing bytes: UnsafeRawBufferPointer) {
        var gzip: Int?
        var identity: Int?
        var other: Int?
        var start = 0
        while start < bytes.count {
            var end = start
            while end < bytes.count, bytes[end] != 0x2C { end += 1 }
            var nameEnd = start
            while nameEnd < end, bytes[nameEnd] != 0x3B { nameEnd += 1 }
            let weight = Self.weight(bytes, (nameEnd + 1), end)
            let name = Self.trimmed(bytes, start, nameEnd)
            if Self.equal(bytes, name, "gzip") || Self.equal(bytes, name, "x-gzip") {
                gzip = max(gzip ?? 0, weight)
            } else if Self.equal(bytes, name, "identity") {
                identity = weight
            } else if Self.equal(bytes, name, "*") {
                other = weight
            }
            start = end + 1
        }
        self.gzip = gzip ?? other ?? 0
        // Identity needs no naming: it is acceptable, and wanted least, unless `*` speaks of it.
        self.identity = identity ?? other ?? 1
    }

    private static func trimmed(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ end: Int) -> Range<Int> {
        var low = start
        var high = max(start, end)
        while low < high, bytes[low] == 0x20 || bytes[low] == 0x09 { low += 1 }
        while high > low, bytes[high - 1] == 0x20 || bytes[high - 1] == 0x09 { high -= 1 }
        return low..<high
    }

    private static func equal(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ name: StaticString) -> Bool {
        guard range.count == name.utf8CodeUnitCount else { return false }
        for offset in 0..<range.count
        where Token.lower(bytes[range.lowerBound + offset]) != name.utf8Start[offset] { return false }
        return true
    }

    /// The `q` among the parameters in `start..<end`, in thousandths. A malformed weight counts as 0: a client that
    /// cannot be understood is not sent what it may not be able to read.
    private static func weight(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ end: Int) -> Int {
        guard start <= end else { return 1000 }
        var position = start
        while position < end {
            var next = position
            while next < end, bytes[next] != 0x3B { next += 1 }
            let parameter = trimmed(bytes, position, next)
            if parameter.count >= 2, Token.lower(bytes[parameter.lowerBound]) == 0x71,
                bytes[parameter.lowerBound + 1] == 0x3D
            {
                return thousandths(bytes, (parameter.lowerBound + 2)..<parameter.upperBound)
            }
            position = next + 1
        }
        return 1000
    }

    // qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )
    private static func thousandths(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int {
        guard let first = range.first, bytes[first] == 0x30 || bytes[first] == 0x31, range.count <= 5 else { return 0 }
        var value = Int(bytes[first] - 0x30) * 1000
        guard range.count > 1 else { return value }
        guard bytes[first + 1] == 0x2E else { return 0 }
        var place = 100
        for index in (first + 2)..<range.upperBound {
            guard bytes[index] &- 0x30 < 10 else { return 0 }
            value += Int(bytes[index] - 0x30) * place
            place /= 10
        }
        return value <= 1000 ? value : 0
    }
}
