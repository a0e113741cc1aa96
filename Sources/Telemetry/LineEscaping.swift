/// Writing text from strangers into lines so that it can neither end the line nor leave its quotes.
enum LineEscaping {
    private static let hexDigits = Array("0123456789ABCDEF".utf8)
    private static let lowerHexDigits = Array("0123456789abcdef".utf8)

    /// As nginx does in its combined format: quotes, backslashes, control bytes and everything outside ASCII as `\xHH`.
    @inline(__always)
    static func appendQuoted(_ text: some Sequence<UInt8>, to line: inout [UInt8]) {
        for byte in text {
            if byte >= 0x20, byte < 0x7F, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
                line.append(byte)
            } else {
                line.append(contentsOf: [
                    UInt8(ascii: "\\"), UInt8(ascii: "x"), hexDigits[Int(byte >> 4)], hexDigits[Int(byte & 15)],
                ])
            }
        }
    }

    /// A field outside of quotes: spaces are escaped too, and nothing becomes `-`.
    static func appendBare(_ text: String, to line: inout [UInt8]) {
        if text.isEmpty { return line.append(UInt8(ascii: "-")) }
        for byte in text.utf8 {
            if byte == 0x20 {
                line.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "x"), UInt8(ascii: "2"), UInt8(ascii: "0")])
            } else {
                appendQuoted(CollectionOfOne(byte), to: &line)
            }
        }
    }

    /// A JSON string (RFC 8259 §7), with its quotes. Control characters, also those of Latin-1 and Unicode's line and paragraph
    /// separators and direction marks, are escaped: they would mislead whoever reads the line in a terminal.
    static func appendJSON(_ text: String, to line: inout [UInt8]) {
        line.append(UInt8(ascii: "\""))
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x22: line.append(contentsOf: [0x5C, 0x22])
            case 0x5C: line.append(contentsOf: [0x5C, 0x5C])
            case 0x0A: line.append(contentsOf: [0x5C, UInt8(ascii: "n")])
            case 0x0D: line.append(contentsOf: [0x5C, UInt8(ascii: "r")])
            case 0x09: line.append(contentsOf: [0x5C, UInt8(ascii: "t")])
            case 0x20..<0x7F: line.append(UInt8(truncatingIfNeeded: scalar.value))
            case 0..<0x20, 0x7F..<0xA0, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069:
                line.append(contentsOf: [0x5C, UInt8(ascii: "u")])
                for shift in [12, 8, 4, 0] as [UInt32] {
                    line.append(lowerHexDigits[Int((scalar.value >> shift) & 15)])
                }
            default: line.append(contentsOf: UTF8.encode(scalar).map { Array($0) } ?? [])
            }
        }
        line.append(UInt8(ascii: "\""))
    }

    /// A message for people: line ends are kept but what follows is indented, so it cannot pass for a line of its own; other
    /// control characters become `\u{…}`.
    static func appendMessage(_ text: String, to line: inout [UInt8]) {
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x0A: line.append(contentsOf: [0x0A, 0x20, 0x20, 0x20, 0x20])
            case 0x09: line.append(0x09)
            case 0..<0x20, 0x7F..<0xA0, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069:
                line.append(contentsOf: Array("\\u{\(String(scalar.value, radix: 16))}".utf8))
            default: line.append(contentsOf: UTF8.encode(scalar).map { Array($0) } ?? [])
            }
        }
    }
}
