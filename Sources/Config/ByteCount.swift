/// A number of bytes, written `16KiB`.
public struct ByteCount: Sendable, Hashable, Comparable {
    /// How many.
    public let bytes: Int

    /// That many bytes.
    public init(_ bytes: Int) {
        self.bytes = bytes
    }

    /// Reads `512`, `512B`, `16KiB`, `10 MiB`, `1GiB`; nil for anything else, also for amounts that do not fit 63 bits.
    public init?(parsing text: String) {
        guard let (number, unit) = splitQuantity(text) else { return nil }
        guard let factor = Self.units.first(where: { $0.name == unit })?.factor ?? (unit.isEmpty ? 1 : nil) else {
            return nil
        }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: factor)
        guard !overflow else { return nil }
        self.bytes = bytes
    }

    public static func < (left: ByteCount, right: ByteCount) -> Bool { left.bytes < right.bytes }

    private static let units: [(name: String, factor: Int)] = [
        ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1),
    ]
}

extension ByteCount: CustomStringConvertible {
    /// In the largest unit that leaves no remainder: `16KiB`, `1000B`.
    public var description: String {
        let unit = Self.units.first { bytes != 0 && bytes % $0.factor == 0 } ?? ("B", 1)
        return "\(bytes / unit.factor)\(unit.name)"
    }
}

/// `10 MiB` as (10, "MiB"): digits, at most one space, letters.
func splitQuantity(_ text: String) -> (number: Int, unit: String)? {
    let digits = text.utf8.prefix { (0x30...0x39).contains($0) }
    guard !digits.isEmpty, let number = Int(String(decoding: digits, as: UTF8.self)) else { return nil }
    var unit = text.utf8.dropFirst(digits.count)
    if unit.first == UInt8(ascii: " ") { unit = unit.dropFirst() }
    guard unit.allSatisfy({ (0x41...0x5A).contains($0 & 0xDF) }) else { return nil }
    return (number, String(decoding: unit, as: UTF8.self))
}
