/// Checks UTF-8 that arrives in pieces (RFC 3629 §4): a wrong byte is told as soon as it is there.
struct UTF8Validator: Sendable {
    /// Continuation bytes that are still to come, and between which values the next of them lies.
    private var missing: UInt8 = 0
    private var low: UInt8 = 0x80
    private var high: UInt8 = 0xBF

    /// Whether the text could end here.
    var isComplete: Bool { missing == 0 }

    /// Whether `bytes` can follow what came before.
    mutating func accepts(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.baseAddress else { return true }
        var index = 0
        while index < bytes.count {
            if missing == 0 {
                // Most text is ASCII for the most part.
                while index &+ 16 <= bytes.count {
                    let words = base.loadUnaligned(fromByteOffset: index, as: SIMD2<UInt64>.self)
                    guard (words[0] | words[1]) & 0x8080_8080_8080_8080 == 0 else { break }
                    index &+= 16
                }
                guard index < bytes.count else { return true }
            }
            guard accepts(base.load(fromByteOffset: index, as: UInt8.self)) else { return false }
            index &+= 1
        }
        return true
    }

    private mutating func accepts(_ byte: UInt8) -> Bool {
        guard missing == 0 else {
            guard byte >= low, byte <= high else { return false }
            missing &-= 1
            low = 0x80
            high = 0xBF
            return true
        }
        switch byte {
        case 0x00...0x7F: break
        case 0xC2...0xDF: missing = 1
        case 0xE0...0xEF:
            missing = 2
            // Neither the long form of something shorter, nor a surrogate.
            if byte == 0xE0 { low = 0xA0 }
            if byte == 0xED { high = 0x9F }
        case 0xF0...0xF4:
            missing = 3
            // Neither the long form of something shorter, nor past the last code point.
            if byte == 0xF0 { low = 0x90 }
            if byte == 0xF4 { high = 0x8F }
        default: return false
        }
        return true
    }
}
