/// A line of a document that one program writes and another version of it reads: a word, and values by name. What the reader
/// does not know it leaves alone.
struct Record: Equatable {
    var word: String
    private(set) var values: [String: String] = [:]

    init(_ word: String, _ values: [String: String] = [:]) {
        self.word = word
        self.values = values
    }

    subscript(name: String) -> String? {
        get { values[name] }
        set { values[name] = newValue }
    }

    func integer<Number: FixedWidthInteger>(_ name: String, as type: Number.Type = Number.self) -> Number? {
        values[name].flatMap { Number($0) }
    }

    mutating func set(_ name: String, _ value: (some CustomStringConvertible)?) {
        values[name] = value.map { "\($0)" }
    }

    /// `word a=1 b=two%20words`
    var line: String {
        ([word] + values.sorted { $0.key < $1.key }.map { "\($0.key)=\(Self.escaped($0.value))" })
            .joined(separator: " ")
    }

    init?(line: some StringProtocol) {
        let parts = line.split(separator: " ")
        guard let word = parts.first else { return nil }
        self.word = String(word)
        for part in parts.dropFirst() {
            guard let equals = part.firstIndex(of: "="), let value = Self.unescaped(part[part.index(after: equals)...])
            else { return nil }
            values[String(part[..<equals])] = value
        }
    }

    /// All lines of a document; nil when one of them is none.
    static func document(_ text: String) -> [Record]? {
        let lines = text.split(separator: "\n")
        let records = lines.compactMap { Record(line: $0) }
        return records.count == lines.count ? records : nil
    }

    private static let hexadecimal = Array("0123456789ABCDEF".utf8)

    private static func escaped(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if byte > 0x20, byte != UInt8(ascii: "%"), byte != 0x7F {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), hexadecimal[Int(byte >> 4)], hexadecimal[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func unescaped(_ text: some StringProtocol) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16), rest.count >= 2 else {
                return nil
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
