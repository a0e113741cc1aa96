/// Fields that a server or gateway has to know of, by groups: kept with ``Fields`` as they are added, so that the common
/// response, which has none of them, is not searched.
///
/// A mark says that there may be such a field, its absence that there is none.
public struct FieldMarks: OptionSet, Sendable, Hashable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// `Content-Length`.
    public static let contentLength = FieldMarks(rawValue: 1 << 0)
    /// `Date`, `Server`.
    public static let origin = FieldMarks(rawValue: 1 << 1)
    /// Fields that are for one connection (RFC 9110 §7.6.1): `Connection`, `Keep-Alive`, `TE`, `Trailer`,
    /// `Transfer-Encoding`, `Upgrade`, `Proxy-Authenticate`, `Proxy-Authorization`.
    public static let hopByHop = FieldMarks(rawValue: 1 << 2)

    /// Takes notice of a field: by length and first letter alone, which a few other names share.
    @inlinable
    mutating func note(_ name: UnsafeRawBufferPointer) {
        guard let first = name.first else { return }
        switch (name.count, first | 0x20) {
        case (14, UInt8(ascii: "c")): insert(.contentLength)
        case (4, UInt8(ascii: "d")), (6, UInt8(ascii: "s")): insert(.origin)
        case (10, UInt8(ascii: "c")), (10, UInt8(ascii: "k")), (2, UInt8(ascii: "t")), (7, UInt8(ascii: "t")),
            (8, UInt8(ascii: "t")), (17, UInt8(ascii: "t")), (7, UInt8(ascii: "u")), (18, UInt8(ascii: "p")),
            (19, UInt8(ascii: "p")):
            insert(.hopByHop)
        default: break
        }
    }
}
