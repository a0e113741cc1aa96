/// The header (or trailer) fields of a response: order and duplicates kept, names compared without case (RFC 9110 §5).
///
/// Kept as the bytes that go on the wire, `name: value\r\n` a line, so that writing a head is one copy and a value may
/// hold bytes that are not UTF-8 (as Python's gateways produce).
public struct Fields: Sendable, Equatable {
    /// The lines as they go on the wire.
    public private(set) var wire: [UInt8] = []
    /// What may be among the fields: whoever looks for something that is not marked need not look.
    public private(set) var marks = FieldMarks()

    /// No fields.
    public init() {}

    /// Fields are the same when their lines are.
    public static func == (a: Fields, b: Fields) -> Bool { a.wire == b.wire }

    /// Why a field cannot be sent.
    public enum Invalid: Error, Equatable, CustomStringConvertible {
        case name(String)
        case value(name: String)

        public var description: String {
            switch self {
            case .name(let name): "invalid field name \(name.debugDescription)"
            case .value(let name): "the value of field '\(name)' holds a control character"
            }
        }
    }

    /// Whether there is no field.
    public var isEmpty: Bool { wire.isEmpty }

    /// Makes room for `bytes` bytes of lines.
    public mutating func reserveCapacity(_ bytes: Int) { wire.reserveCapacity(bytes) }

    /// Adds a field from a literal the program vouches for. Control bytes in `value` are replaced by spaces, so that no
    /// value can ever start a line of its own.
    public mutating func append(_ name: StaticString, _ value: String) {
        name.withUTF8Buffer {
            wire.append(contentsOf: $0)
            marks.note(UnsafeRawBufferPointer($0))
        }
        appendValue(value.utf8)
    }

    /// Adds a field; throws when the name is no token or the value holds control bytes (RFC 9110 §5.5).
    public mutating func append(name: some Collection<UInt8>, value: some Collection<UInt8>) throws(Invalid) {
        guard !name.isEmpty, name.allSatisfy(Token.contains) else {
            throw .name(String(decoding: name, as: UTF8.self))
        }
        guard value.allSatisfy(Token.isFieldValueByte) else {
            throw .value(name: String(decoding: name, as: UTF8.self))
        }
        let start = wire.count
        wire.append(contentsOf: name)
        wire.withUnsafeBytes { marks.note(UnsafeRawBufferPointer(rebasing: $0[start...])) }
        wire.append(0x3A)
        wire.append(0x20)
        wire.append(contentsOf: value)
        wire.append(0x0D)
        wire.append(0x0A)
    }

    /// As ``append(name:value:)``, of bytes in memory: the way of gateways, which have many of them for each request.
    public mutating func append(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) throws(Invalid) {
        var isToken = !name.isEmpty
        for byte in name where !Token.contains(byte) { isToken = false }
        guard isToken else { throw .name(String(decoding: name, as: UTF8.self)) }
        var isValue = true
        for byte in value where !Token.isFieldValueByte(byte) { isValue = false }
        guard isValue else { throw .value(name: String(decoding: name, as: UTF8.self)) }
        if wire.isEmpty { wire.reserveCapacity(256) }
        marks.note(name)
        wire.append(contentsOf: name)
        wire.append(0x3A)
        wire.append(0x20)
        wire.append(contentsOf: value)
        wire.append(0x0D)
        wire.append(0x0A)
    }

    /// Adds a field; throws when the name is no token or the value holds control bytes (RFC 9110 §5.5).
    public mutating func append(name: String, value: String) throws(Invalid) {
        try append(name: name.utf8, value: value.utf8)
    }

    /// Replaces every field of this name by one, at the end.
    public mutating func set(_ name: StaticString, _ value: String) {
        remove(name.description)
        append(name, value)
    }

    /// Replaces every field of this name by one; throws as ``append(name:value:)`` does.
    public mutating func set(name: String, value: String) throws(Invalid) {
        var one = Fields()
        try one.append(name: name, value: value)
        remove(name)
        append(contentsOf: one)
    }

    /// Adds all of `other` after what is here.
    public mutating func append(contentsOf other: Fields) {
        wire.append(contentsOf: other.wire)
        marks.formUnion(other.marks)
    }

    /// Removes every field of this name.
    public mutating func remove(_ name: String) {
        guard contains(name) else { return }
        var kept: [UInt8] = []
        kept.reserveCapacity(wire.count)
        var name = name
        name.withUTF8 { name in
            wire.withUnsafeBytes { wire in
                for line in FieldLines(wire) where !line.name.equals(name) {
                    kept.append(contentsOf: UnsafeRawBufferPointer(rebasing: wire[line.range]))
                }
            }
        }
        wire = kept
    }

    /// Whether there is a field of this name.
    public func contains(_ name: String) -> Bool {
        var name = name
        return name.withUTF8 { name in
            wire.withUnsafeBytes { wire in
                for line in FieldLines(wire) where line.name.equals(name) { return true }
                return false
            }
        }
    }

    /// The value of the first field of this name, bytes that are not UTF-8 replaced.
    public subscript(name: String) -> String? { lines.first { $0.isNamed(name) }?.value }

    /// The values of every field of this name, in order.
    public func values(_ name: String) -> [String] { lines.filter { $0.isNamed(name) }.map(\.value) }

    private mutating func appendValue(_ value: String.UTF8View) {
        wire.append(0x3A)
        wire.append(0x20)
        let start = wire.count
        wire.append(contentsOf: value)
        for index in start..<wire.count where !Token.isFieldValueByte(wire[index]) { wire[index] = 0x20 }
        wire.append(0x0D)
        wire.append(0x0A)
    }
}

extension Fields {
    /// One field, as a range of the wire bytes.
    public struct Line {
        let fields: [UInt8]
        let start: Int
        let colon: Int
        let end: Int

        /// Where the line stands in ``Fields/wire``, with its line end.
        public var range: Range<Int> { start..<end }
        /// The name as it was given.
        public var name: String { String(decoding: fields[start..<colon], as: UTF8.self) }
        /// The value, bytes that are not UTF-8 replaced.
        public var value: String { String(decoding: fields[(colon + 2)..<(end - 2)], as: UTF8.self) }

        /// Whether this is the field `name`, without case.
        public func isNamed(_ name: String) -> Bool {
            name.utf8.count == colon - start
                && zip(fields[start..<colon], name.utf8).allSatisfy { Token.lower($0) == Token.lower($1) }
        }
    }

    /// The fields in order.
    public var lines: some Sequence<Line> {
        sequence(state: 0) { [wire] (position: inout Int) -> Line? in
            guard position < wire.count, let colon = wire[position...].firstIndex(of: 0x3A),
                let feed = wire[colon...].firstIndex(of: 0x0A)
            else { return nil }
            defer { position = feed + 1 }
            return Line(fields: wire, start: position, colon: colon, end: feed + 1)
        }
    }
}

extension Fields: ExpressibleByDictionaryLiteral {
    /// Fields from literals, as ``append(_:_:)`` adds them.
    public init(dictionaryLiteral elements: (StaticString, String)...) {
        for (name, value) in elements { append(name, value) }
    }
}
