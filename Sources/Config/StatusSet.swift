/// A status of responses, or a class of them: `404`, `5xx`.
public struct StatusSet: Sendable, Hashable {
    /// The codes in it.
    public let codes: ClosedRange<Int>

    /// Nil when `text` is neither.
    init?(_ text: String) {
        if text.utf8.count == 3, text.lowercased().hasSuffix("xx"), let digit = text.first?.wholeNumberValue,
            (1...5).contains(digit)
        {
            codes = digit * 100...digit * 100 + 99
        } else if let code = Validator.integer(text), (100...599).contains(code) {
            codes = code...code
        } else {
            return nil
        }
    }
}
