/// What the access log and error pages call a request. Most requests are never called anything, so a server gives them a
/// number, and the text is made of it when somebody asks.
public enum RequestID: Sendable {
    case number(UInt64)
    case text(String)

    /// The text: of a number, 15 hexadecimal digits, as many as a string holds without a heap allocation.
    public var text: String {
        switch self {
        case .text(let text): return text
        case .number(var number):
            return String(unsafeUninitializedCapacity: 15) { buffer in
                for index in 0..<15 {
                    let digit = UInt8(truncatingIfNeeded: number & 0xF)
                    buffer[index] = digit < 10 ? 0x30 + digit : 0x57 + digit
                    number >>= 4
                }
                return 15
            }
        }
    }
}
