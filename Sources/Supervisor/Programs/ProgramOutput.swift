/// Makes lines of what a program writes, with a limit to their length.
struct ProgramOutput {
    /// Longer lines are cut, in bytes.
    static let longestLine = 8192

    private var line: [UInt8] = []
    /// Bytes of the line that were left out.
    private var omitted = 0

    /// The lines that end in `bytes`. What is no UTF-8 is replaced; a carriage return at the end goes.
    mutating func lines(in bytes: some Sequence<UInt8>) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            if byte == 0x0A {
                lines.append(take())
            } else if line.count < Self.longestLine {
                line.append(byte)
            } else {
                omitted += 1
            }
        }
        return lines
    }

    /// What is left at the end.
    mutating func rest() -> String? { line.isEmpty ? nil : take() }

    private mutating func take() -> String {
        defer {
            line.removeAll(keepingCapacity: true)
            omitted = 0
        }
        if omitted == 0, line.last == 0x0D { line.removeLast() }
        let text = String(decoding: line, as: UTF8.self)
        return omitted == 0 ? text : "\(text)… (\(omitted) bytes more)"
    }
}
