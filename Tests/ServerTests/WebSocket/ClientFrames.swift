import NIOCore

/// Frames as a client sends them, and as it reads those of the server: written against RFC 6455 §5.2, not against the code
/// under test.
enum ClientFrames {
    /// One frame, masked by `mask` unless that is nil.
    static func frame(
        _ first: UInt8, _ payload: [UInt8] = [], mask: [UInt8]? = [0x37, 0xFA, 0x21, 0x3D]
    ) -> [UInt8] {
        var bytes = [first]
        let flag: UInt8 = mask == nil ? 0 : 0x80
        switch payload.count {
        case ..<126: bytes.append(flag | UInt8(payload.count))
        case ..<65_536: bytes += [flag | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        default: bytes += [flag | 127] + (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
        }
        guard let mask else { return bytes + payload }
        return bytes + mask + payload.enumerated().map { $1 ^ mask[$0 % 4] }
    }

    static func text(_ text: String) -> [UInt8] { frame(0x81, Array(text.utf8)) }

    static func close(_ code: UInt16?, _ reason: String = "") -> [UInt8] {
        frame(0x88, (code.map { [UInt8($0 >> 8), UInt8($0 & 0xFF)] } ?? []) + Array(reason.utf8))
    }

    /// A server's frames.
    struct Received: Equatable, CustomStringConvertible {
        let first: UInt8
        let payload: [UInt8]

        var description: String {
            let text = String(decoding: payload.prefix(80), as: UTF8.self)
            return "\(String(first, radix: 16)) \(payload.count) \(text.debugDescription)"
        }

        /// The code of a close frame.
        var code: Int? { payload.count >= 2 ? Int(payload[0]) << 8 | Int(payload[1]) : nil }
    }

    /// The first frame of `bytes`, taken off them; nil when it is not complete.
    static func take(_ bytes: inout [UInt8]) -> Received? {
        guard bytes.count >= 2, bytes[1] & 0x80 == 0 else { return nil }
        let extra = bytes[1] == 126 ? 2 : bytes[1] == 127 ? 8 : 0
        guard bytes.count >= 2 + extra else { return nil }
        let length = extra == 0 ? Int(bytes[1]) : bytes[2..<(2 + extra)].reduce(0) { $0 << 8 | Int($1) }
        guard bytes.count >= 2 + extra + length else { return nil }
        let payload = Array(bytes[(2 + extra)..<(2 + extra + length)])
        defer { bytes.removeFirst(2 + extra + length) }
        return Received(first: bytes[0], payload: payload)
    }
}
