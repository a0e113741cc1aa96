/// The value of a `Range` field in bytes (RFC 9110 §14.1.2, §14.2).
public struct RangeRequest: Sendable, Equatable {
    /// One element of the range set.
    public enum Specifier: Sendable, Equatable {
        /// `first-last`, both inclusive; without `last` to the end.
        case from(Int, through: Int?)
        /// `-count`: the last `count` bytes.
        case suffix(Int)
    }

    /// The elements in the order they were asked for; at least one.
    public let specifiers: [Specifier]

    /// Reads a field value. Nil when the unit is not `bytes` or the set is malformed: the field is then ignored.
    public init?(parsing text: some StringProtocol) {
        guard let equals = text.firstIndex(of: "="), text[..<equals].lowercased() == "bytes" else { return nil }
        var specifiers: [Specifier] = []
        for element in text[text.index(after: equals)...].split(separator: ",", omittingEmptySubsequences: true) {
            let trimmed = Array(element.utf8).drop { $0 == 0x20 || $0 == 0x09 }
            guard let end = trimmed.lastIndex(where: { $0 != 0x20 && $0 != 0x09 }) else { continue }
            guard let specifier = Self.specifier(Array(trimmed[...end])) else { return nil }
            specifiers.append(specifier)
        }
        guard !specifiers.isEmpty else { return nil }
        self.specifiers = specifiers
    }

    private static func specifier(_ bytes: [UInt8]) -> Specifier? {
        guard let dash = bytes.firstIndex(of: UInt8(ascii: "-")) else { return nil }
        let first = bytes[..<dash]
        let last = bytes[(dash + 1)...]
        if first.isEmpty {
            return number(last).map { .suffix($0) }
        }
        guard let start = number(first) else { return nil }
        if last.isEmpty { return .from(start, through: nil) }
        guard let end = number(last), end >= start else { return nil }
        return .from(start, through: end)
    }

    /// Digits; a number too large to hold is as good as the largest.
    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        guard !digits.isEmpty, digits.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
        var value = 0
        for digit in digits {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int(digit - 0x30))
            if overflow || carry { return Int.max - 1 }
            value = sum
        }
        return value
    }

    /// What a range set means for a representation.
    public enum Resolution: Sendable, Equatable {
        /// The field is to be ignored: everything is sent.
        case whole
        /// No element can be satisfied (416).
        case unsatisfiable
        /// The bytes to send; one range, or several as multipart/byteranges.
        case partial([Range<Int>])
    }

    /// Applies the set to a representation of `length` bytes. Ranges that overlap, or lie closer than a part's own head
    /// costs, become one; a set of more than `limit` elements is ignored, as is one that would send more than everything.
    public func resolve(length: Int, limit: Int = 32) -> Resolution {
        guard specifiers.count <= limit else { return .whole }
        var ranges: [Range<Int>] = []
        for specifier in specifiers {
            switch specifier {
            case .from(let first, let last):
                guard first < length else { continue }
                ranges.append(first..<(min(last ?? length - 1, length - 1) + 1))
            case .suffix(let count):
                guard count > 0 else { continue }
                // An empty representation satisfies a suffix, but Content-Range cannot say so.
                if length == 0 { return .whole }
                ranges.append(max(0, length - count)..<length)
            }
        }
        guard !ranges.isEmpty else { return .unsatisfiable }
        let merged = Self.coalesced(ranges)
        // The client's order is kept unless merging changed the set (RFC 9110 §15.3.7.2).
        return .partial(merged.count == ranges.count ? ranges : merged)
    }

    private static func coalesced(_ ranges: [Range<Int>]) -> [Range<Int>] {
        let partOverhead = 80
        var merged: [Range<Int>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = merged.last, range.lowerBound <= last.upperBound + partOverhead {
                merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
        return merged
    }
}
