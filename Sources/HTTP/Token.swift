/// The character classes of HTTP's grammar (RFC 9110 §5.6.2, §5.5).
public enum Token {
    /// Whether `byte` may stand in a token: a method or a field name.
    @inlinable
    public static func contains(_ byte: UInt8) -> Bool {
        // One bit a character; 128 bits in two words, so that the check is a shift and a mask.
        byte < 64 ? (low >> UInt64(byte)) & 1 == 1 : byte < 128 && (high >> UInt64(byte - 64)) & 1 == 1
    }

    /// Whether `byte` may stand in a field value: HTAB, SP, VCHAR and obs-text.
    @inlinable
    public static func isFieldValueByte(_ byte: UInt8) -> Bool {
        byte >= 0x20 ? byte != 0x7F : byte == 0x09
    }

    /// ASCII lower case; other bytes as they are.
    @inlinable
    public static func lower(_ byte: UInt8) -> UInt8 {
        byte &- 0x41 < 26 ? byte | 0x20 : byte
    }

    // !#$%&'*+-. 0-9
    @usableFromInline static let low: UInt64 = 0x03FF_6CFA_0000_0000
    // A-Z ^ _ ` a-z | ~
    @usableFromInline static let high: UInt64 = 0x57FF_FFFF_C7FF_FFFE
}
