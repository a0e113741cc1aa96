import Logging

/// Writing swift-log's metadata.
enum LogMetadata {
    /// The handler's, the provider's and the event's metadata, the later ones winning, sorted by key.
    static func merged(
        _ own: Logger.Metadata, _ provider: Logger.MetadataProvider?, _ event: Logger.Metadata?
    ) -> [(key: String, value: Logger.Metadata.Value)] {
        var all = own
        if let provided = provider?.get() { all.merge(provided) { $1 } }
        if let event { all.merge(event) { $1 } }
        return all.sorted { $0.key < $1.key }
    }

    /// A value in `key=value`: in quotes when it is not a plain word.
    static func appendText(_ value: String, to line: inout [UInt8]) {
        let isPlain =
            !value.isEmpty
            && value.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=") }
        if isPlain {
            line.append(contentsOf: value.utf8)
        } else {
            LineEscaping.appendJSON(value, to: &line)
        }
    }

    static func appendJSON(_ values: [(key: String, value: Logger.Metadata.Value)], to line: inout [UInt8]) {
        line.append(UInt8(ascii: "{"))
        for (index, (key, value)) in values.enumerated() {
            if index > 0 { line.append(UInt8(ascii: ",")) }
            LineEscaping.appendJSON(key, to: &line)
            line.append(UInt8(ascii: ":"))
            appendJSON(value, to: &line)
        }
        line.append(UInt8(ascii: "}"))
    }

    private static func appendJSON(_ value: Logger.Metadata.Value, to line: inout [UInt8]) {
        switch value {
        case .string(let text): LineEscaping.appendJSON(text, to: &line)
        case .stringConvertible(let value): LineEscaping.appendJSON(value.description, to: &line)
        case .dictionary(let values): appendJSON(values.sorted { $0.key < $1.key }, to: &line)
        case .array(let values):
            line.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { line.append(UInt8(ascii: ",")) }
                appendJSON(value, to: &line)
            }
            line.append(UInt8(ascii: "]"))
        }
    }
}
