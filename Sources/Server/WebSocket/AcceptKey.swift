import Crypto

/// The answer to a client's `Sec-WebSocket-Key` (RFC 6455 §4.2.2).
enum AcceptKey {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// The value of `Sec-WebSocket-Accept` for `key`.
    static func answer(to key: String) -> String {
        var hash = Insecure.SHA1()
        var input = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        input.withUTF8 { hash.update(bufferPointer: UnsafeRawBufferPointer($0)) }
        return base64(Array(hash.finalize()))
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for digit in 0..<4 {
                text.append(digit <= group.count ? alphabet[bits >> (18 - 6 * digit) & 63] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
