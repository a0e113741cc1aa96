/// A JSON document to be written (RFC 8259). Numbers have six decimals at most; nothing is ever null.
public indirect enum JSONNode: Equatable, Sendable {
    case text(String)
    case integer(Int)
    case number(Double)
    case boolean(Bool)
    case array([JSONNode])
    /// In this order.
    case object([(name: String, value: JSONNode)])

    public static func == (left: JSONNode, right: JSONNode) -> Bool { left.encoded == right.encoded }

    /// A count, of which JSON readers take what fits into 63 bits.
    public static func count(_ value: UInt64) -> JSONNode { .integer(Int(clamping: value)) }

    /// Nanoseconds as seconds.
    public static func seconds(_ nanoseconds: UInt64) -> JSONNode { .number(Double(nanoseconds) / 1e9) }

    /// The document as UTF-8.
    public var encoded: [UInt8] {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return bytes
    }

    private func append(to bytes: inout [UInt8]) {
        switch self {
        case .text(let text): LineEscaping.appendJSON(text, to: &bytes)
        case .integer(let value): DecimalText.append(value, to: &bytes)
        case .number(let value): bytes += DecimalText.number(value).utf8
        case .boolean(let value): bytes += (value ? "true" : "false").utf8
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                element.append(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                LineEscaping.appendJSON(member.name, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.append(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }
}

extension DecimalText {
    /// A finite number, rounded to six decimals, without an exponent and without trailing zeros.
    static func number(_ value: Double) -> String {
        guard value.isFinite, value.magnitude < 9e12 else { return "0" }
        let scaled = Int((value * 1_000_000).rounded())
        let (whole, rest) = (scaled.magnitude / 1_000_000, scaled.magnitude % 1_000_000)
        let sign = scaled < 0 ? "-" : ""
        guard rest > 0 else { return "\(sign)\(whole)" }
        var digits = String(rest)
        digits = String(repeating: "0", count: 6 - digits.count) + digits
        while digits.last == "0" { digits.removeLast() }
        return "\(sign)\(whole).\(digits)"
    }
}
