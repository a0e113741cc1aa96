/// Why text is not JSON, and where (bytes from the start).
public enum JSONError: Error, Equatable, CustomStringConvertible {
    case unexpectedByte(offset: Int)
    case unexpectedEnd
    case invalidNumber(offset: Int)
    case invalidString(offset: Int)
    case tooDeep(offset: Int)

    public var description: String {
        switch self {
        case .unexpectedByte(let offset): "unexpected byte at offset \(offset)"
        case .unexpectedEnd: "it ends too early"
        case .invalidNumber(let offset): "invalid number at offset \(offset)"
        case .invalidString(let offset): "invalid string at offset \(offset)"
        case .tooDeep(let offset): "nested deeper than \(JSONParser.maximumDepth) levels at offset \(offset)"
        }
    }
}

extension JSONValue {
    /// Parses one document; nothing but white space may surround it.
    public init(parsing bytes: some Collection<UInt8>) throws(JSONError) {
        var parser = JSONParser(Array(bytes))
        self = try parser.document()
    }

    /// Parses one document.
    public init(parsing text: String) throws(JSONError) { try self.init(parsing: text.utf8) }
}

/// A strict parser of RFC 8259, with a bound on nesting so that no document can exhaust the stack.
struct JSONParser {
    static let maximumDepth = 128

    private let bytes: [UInt8]
    private var index = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws(JSONError) -> JSONValue {
        let value = try self.value(depth: 0)
        skipSpace()
        guard index == bytes.count else { throw .unexpectedByte(offset: index) }
        return value
    }

    private mutating func skipSpace() {
        while index < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[index]) { index += 1 }
    }

    private func peek() throws(JSONError) -> UInt8 {
        guard index < bytes.count else { throw .unexpectedEnd }
        return bytes[index]
    }

    private mutating func expect(_ text: StaticString) throws(JSONError) {
        for offset in 0..<text.utf8CodeUnitCount {
            guard try peek() == text.utf8Start[offset] else { throw .unexpectedByte(offset: index) }
            index += 1
        }
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        guard depth < Self.maximumDepth else { throw .tooDeep(offset: index) }
        skipSpace()
        switch try peek() {
        case UInt8(ascii: "{"): return try object(depth)
        case UInt8(ascii: "["): return try array(depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"):
            try expect("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try expect("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try expect("null")
            return .null
        case UInt8(ascii: "-"), 0x30...0x39: return try number()
        default: throw .unexpectedByte(offset: index)
        }
    }

    private mutating func object(_ depth: Int) throws(JSONError) -> JSONValue {
        index += 1
        var members: [JSONValue.Member] = []
        skipSpace()
        if try peek() == UInt8(ascii: "}") {
            index += 1
            return .object([])
        }
        while true {
            skipSpace()
            guard try peek() == UInt8(ascii: "\"") else { throw .unexpectedByte(offset: index) }
            let name = try string()
            skipSpace()
            try expect(":")
            members.append(JSONValue.Member(name, try value(depth: depth + 1)))
            skipSpace()
            if try peek() == UInt8(ascii: "}") {
                index += 1
                return .object(members)
            }
            try expect(",")
        }
    }

    private mutating func array(_ depth: Int) throws(JSONError) -> JSONValue {
        index += 1
        var elements: [JSONValue] = []
        skipSpace()
        if try peek() == UInt8(ascii: "]") {
            index += 1
            return .array([])
        }
        while true {
            elements.append(try value(depth: depth + 1))
            skipSpace()
            if try peek() == UInt8(ascii: "]") {
                index += 1
                return .array(elements)
            }
            try expect(",")
        }
    }

    private mutating func digits() -> Int {
        let start = index
        while index < bytes.count, bytes[index] &- 0x30 < 10 { index += 1 }
        return index - start
    }

    private mutating func number() throws(JSONError) -> JSONValue {
        let start = index
        if bytes[index] == UInt8(ascii: "-") { index += 1 }
        let first = index
        let whole = digits()
        guard whole > 0, whole == 1 || bytes[first] != 0x30 else { throw .invalidNumber(offset: start) }
        var isWhole = true
        if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
            isWhole = false
            index += 1
            guard digits() > 0 else { throw .invalidNumber(offset: start) }
        }
        if index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "e") {
            isWhole = false
            index += 1
            if index < bytes.count, bytes[index] == UInt8(ascii: "+") || bytes[index] == UInt8(ascii: "-") {
                index += 1
            }
            guard digits() > 0 else { throw .invalidNumber(offset: start) }
        }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        if isWhole, let value = Int(text) { return .int(value) }
        guard let value = Double(text), value.isFinite else { throw .invalidNumber(offset: start) }
        return .double(value)
    }

    private mutating func string() throws(JSONError) -> String {
        let start = index
        index += 1
        var text: [UInt8] = []
        while true {
            let byte = try peek()
            index += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else { throw .invalidString(offset: start) }
                return string
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw .invalidString(offset: index - 1)
            default: text.append(byte)
            }
        }
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
        let byte = try peek()
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            let unit = try codeUnit()
            // A character beyond the basic plane comes as two escapes; half of one is no character.
            let scalar: UInt32 =
                if (0xD800..<0xDC00).contains(unit) {
                    try 0x10000 + (unit - 0xD800) << 10 + lowSurrogate()
                } else {
                    unit
                }
            guard let character = Unicode.Scalar(scalar) else { throw .invalidString(offset: index) }
            text.append(contentsOf: UTF8.encode(character) ?? UTF8.encodedReplacementCharacter)
        default: throw .invalidString(offset: index - 1)
        }
    }

    private mutating func lowSurrogate() throws(JSONError) -> UInt32 {
        try expect("\\u")
        let unit = try codeUnit()
        guard (0xDC00..<0xE000).contains(unit) else { throw .invalidString(offset: index) }
        return unit - 0xDC00
    }

    private mutating func codeUnit() throws(JSONError) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = PercentCoding.hexValue(try peek()) else { throw .invalidString(offset: index) }
            unit = unit << 4 | UInt32(digit)
            index += 1
        }
        return unit
    }
}
