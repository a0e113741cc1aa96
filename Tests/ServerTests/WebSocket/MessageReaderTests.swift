import Gateway
import NIOCore
import Testing

@testable import Server

/// RFC 6455 as tables: what a stream of a client's frames comes to, whole, byte by byte, and in random pieces. The cases
/// follow Autobahn's test suite, whose numbers they carry.
@Suite struct MessageReaderTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        let bytes: [UInt8]
        let outcome: [String]
        var limit = 1 << 20

        var testDescription: String { name }
    }

    static let long = String(repeating: "*", count: 126)
    static let kosme = "\u{3BA}\u{3CC}\u{3C3}\u{3BC}\u{3B5}"
    static let badKosme: [UInt8] = Array(kosme.utf8) + [0xED, 0xA0, 0x80] + Array("edited".utf8)

    static let cases: [Case] = [
        Case(name: "1.1.1 empty text", bytes: ClientFrames.text(""), outcome: ["text 0 "]),
        Case(name: "1.1.2 125 bytes", bytes: ClientFrames.text(String(long.dropLast())), outcome: ["text 125 *"]),
        Case(name: "1.1.3 126 bytes", bytes: ClientFrames.text(long), outcome: ["text 126 *"]),
        Case(
            name: "1.1.5 128 bytes", bytes: ClientFrames.text(long + "**"), outcome: ["text 128 *"]),
        Case(
            name: "1.1.6 65535 bytes", bytes: ClientFrames.frame(0x82, [UInt8](repeating: 0xFE, count: 65_535)),
            outcome: ["binary 65535 \u{FE}"]),
        Case(
            name: "1.1.7 65536 bytes", bytes: ClientFrames.frame(0x82, [UInt8](repeating: 0xFE, count: 65_536)),
            outcome: ["binary 65536 \u{FE}"]),
        Case(name: "1.2.1 empty binary", bytes: ClientFrames.frame(0x82), outcome: ["binary 0 "]),
        Case(
            name: "a longer length than needed",
            bytes: [0x82, 0xFE, 0, 1, 0, 0, 0, 0, 0x41, 0x82, 0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0x42],
            outcome: ["binary 1 A", "binary 1 B"]),
        Case(name: "2.1 ping", bytes: ClientFrames.frame(0x89), outcome: ["ping 0 "]),
        Case(
            name: "2.4 ping of 125 bytes", bytes: ClientFrames.frame(0x89, [UInt8](repeating: 0x41, count: 125)),
            outcome: ["ping 125 A"]),
        Case(
            name: "2.5 ping of 126 bytes", bytes: ClientFrames.frame(0x89, [UInt8](repeating: 0x41, count: 126)),
            outcome: ["! malformedControl"]),
        Case(name: "2.7 unasked pong", bytes: ClientFrames.frame(0x8A, [1, 2]), outcome: ["pong"]),
        Case(name: "3.1 rsv 1", bytes: ClientFrames.frame(0xC1), outcome: ["! reservedBits"]),
        Case(
            name: "3.2 rsv 2 after a text", bytes: ClientFrames.text("hello") + ClientFrames.frame(0xA1),
            outcome: ["text 5 h", "! reservedBits"]),
        Case(name: "3.4 rsv 3", bytes: ClientFrames.frame(0x91), outcome: ["! reservedBits"]),
        Case(name: "3.5 rsv on binary", bytes: ClientFrames.frame(0xD2), outcome: ["! reservedBits"]),
        Case(name: "3.6 rsv on ping", bytes: ClientFrames.frame(0xE9), outcome: ["! reservedBits"]),
        Case(name: "3.7 rsv on close", bytes: ClientFrames.frame(0xF8), outcome: ["! reservedBits"]),
        Case(name: "4.1.1 opcode 3", bytes: ClientFrames.frame(0x83), outcome: ["! unknownOpcode(3)"]),
        Case(name: "4.1.5 opcode 7", bytes: ClientFrames.frame(0x87), outcome: ["! unknownOpcode(7)"]),
        Case(name: "4.2.1 opcode 11", bytes: ClientFrames.frame(0x8B), outcome: ["! unknownOpcode(11)"]),
        Case(name: "4.2.5 opcode 15", bytes: ClientFrames.frame(0x8F), outcome: ["! unknownOpcode(15)"]),
        Case(name: "no mask", bytes: ClientFrames.frame(0x81, [0x41], mask: nil), outcome: ["! unmasked"]),
        Case(
            name: "a mask of zeros", bytes: ClientFrames.frame(0x81, [0x41], mask: [0, 0, 0, 0]), outcome: ["text 1 A"]),
        Case(
            name: "a length of 64 bits", bytes: [0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            outcome: ["! malformedLength"]),
        Case(
            name: "5.1 ping in two fragments", bytes: ClientFrames.frame(0x09) + ClientFrames.frame(0x80),
            outcome: ["! malformedControl"]),
        Case(
            name: "5.3 two fragments", bytes: ClientFrames.frame(0x01, [0x41]) + ClientFrames.frame(0x80, [0x42]),
            outcome: ["text 2 A"]),
        Case(
            name: "5.6 ping between fragments",
            bytes: ClientFrames.frame(0x01, [0x41]) + ClientFrames.frame(0x89, [0x50])
                + ClientFrames.frame(0x80, [0x42]),
            outcome: ["ping 1 P", "text 2 A"]),
        Case(
            name: "5.9 a continuation of nothing", bytes: ClientFrames.frame(0x80, [0x41]),
            outcome: ["! unexpectedFrame"]),
        Case(
            name: "5.12 an unfinished continuation of nothing", bytes: ClientFrames.frame(0x00, [0x41]),
            outcome: ["! unexpectedFrame"]),
        Case(
            name: "5.15 a continuation after the end",
            bytes: ClientFrames.frame(0x01, [0x41]) + ClientFrames.frame(0x80, [0x42])
                + ClientFrames.frame(0x00, [0x43]),
            outcome: ["text 2 A", "! unexpectedFrame"]),
        Case(
            name: "5.18 a text within a text",
            bytes: ClientFrames.frame(0x01, [0x41]) + ClientFrames.frame(0x81, [0x42]),
            outcome: ["! unexpectedFrame"]),
        Case(
            name: "5.20 five fragments, pings between",
            bytes: ClientFrames.frame(0x01, [0x41]) + ClientFrames.frame(0x00, [0x42])
                + ClientFrames.frame(0x89, [0x31])
                + ClientFrames.frame(0x00) + ClientFrames.frame(0x00, [0x44]) + ClientFrames.frame(0x89, [0x32])
                + ClientFrames.frame(0x80, [0x45]), outcome: ["ping 1 1", "ping 1 2", "text 4 A"]),
        Case(
            name: "6.1.3 empty fragments around a text",
            bytes: ClientFrames.frame(0x01) + ClientFrames.frame(0x00, [0x41]) + ClientFrames.frame(0x80),
            outcome: ["text 1 A"]),
        Case(
            name: "6.2.3 UTF-8 cut within its characters",
            bytes: Array(kosme.utf8).enumerated().flatMap {
                ClientFrames.frame($0.offset == 0 ? 0x01 : 0x00, [$0.element])
            } + ClientFrames.frame(0x80), outcome: ["text 10 \u{CE}"]),
        Case(name: "6.3.1 not UTF-8", bytes: ClientFrames.frame(0x81, badKosme), outcome: ["! malformedText"]),
        Case(
            name: "6.4.1 not UTF-8, told at the first fragment that shows it",
            bytes: ClientFrames.frame(0x01, Array(kosme.utf8)) + ClientFrames.frame(0x00, [0xF4, 0x90]),
            outcome: ["! malformedText"]),
        Case(name: "6.6.2 half a character", bytes: ClientFrames.frame(0x81, [0xCE]), outcome: ["! malformedText"]),
        Case(
            name: "6.6.11 half a character in a last fragment",
            bytes: ClientFrames.frame(0x01, [0xCE]) + ClientFrames.frame(0x80), outcome: ["! malformedText"]),
        Case(name: "binary is not looked at", bytes: ClientFrames.frame(0x82, badKosme), outcome: ["binary 19 \u{CE}"]),
        Case(name: "7.3.1 close without a code", bytes: ClientFrames.close(nil), outcome: ["close 1005 "]),
        Case(name: "7.3.2 close of one byte", bytes: ClientFrames.frame(0x88, [0x03]), outcome: ["! malformedClose"]),
        Case(name: "7.3.3 close with a code", bytes: ClientFrames.close(1000), outcome: ["close 1000 "]),
        Case(
            name: "7.3.4 close with a reason", bytes: ClientFrames.close(1000, "Hello"), outcome: ["close 1000 Hello"]),
        Case(
            name: "7.3.5 the longest reason", bytes: ClientFrames.close(1000, String(long.dropLast(3))),
            outcome: ["close 1000 " + long.dropLast(3)]),
        Case(
            name: "7.3.6 a longer reason", bytes: ClientFrames.close(1000, String(long.dropLast(2))),
            outcome: ["! malformedControl"]),
        Case(
            name: "7.5.1 a reason that is not UTF-8", bytes: ClientFrames.frame(0x88, [0x03, 0xE8] + badKosme),
            outcome: ["! malformedText"]),
        Case(
            name: "a message of just the limit", bytes: ClientFrames.text("12345678"), outcome: ["text 8 1"], limit: 8),
        Case(name: "a message above the limit", bytes: ClientFrames.text("123456789"), outcome: ["! tooBig"], limit: 8),
        Case(
            name: "fragments above the limit",
            bytes: ClientFrames.frame(0x01, [1, 2, 3, 4]) + ClientFrames.frame(0x00, [1, 2, 3, 4])
                + ClientFrames.frame(0x80, [1]), outcome: ["! tooBig"], limit: 8),
        Case(
            name: "an announced length above the limit is enough",
            bytes: [0x82, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0], outcome: ["! tooBig"]),
        Case(name: "half a frame", bytes: Array(ClientFrames.text("hello").dropLast()), outcome: []),
    ]

    @Test(arguments: cases)
    func reads(_ example: Case) {
        #expect(Self.read([example.bytes], limit: example.limit) == example.outcome, "whole")
        #expect(Self.read(example.bytes.map { [$0] }, limit: example.limit) == example.outcome, "byte by byte")
        for seed in 0..<20 {
            let pieces = Self.cut(example.bytes, seed: UInt64(seed))
            #expect(Self.read(pieces, limit: example.limit) == example.outcome, "cut by seed \(seed)")
        }
    }

    /// Autobahn 7.7 and 7.9: the codes that may be sent, and some that may not.
    @Test(arguments: [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999])
    func takesCloseCode(_ code: UInt16) {
        #expect(Self.read([ClientFrames.close(code)]) == ["close \(code) "])
    }

    @Test(arguments: [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535])
    func refusesCloseCode(_ code: UInt16) {
        #expect(Self.read([ClientFrames.close(code)]) == ["! malformedClose"])
    }

    /// Every length at which the unmasking loop changes its step, at every offset of the mask.
    @Test func unmasksAtEveryLength() {
        for count in Array(0...100) + [125, 126, 127, 1023, 1024, 1025, 4099] {
            let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ 7) }
            let bytes = ClientFrames.frame(0x82, payload)
            for split in Set([0, 1, 2, 3, 5, 6, 7, count / 2, count]) where split <= count {
                var reader = MessageReader(maxSize: 1 << 20)
                var scratch = ByteBuffer()
                var input = ByteBuffer(bytes: bytes.dropLast(count - split))
                var event = try? reader.next(&input, scratch: &scratch)
                input.writeBytes(bytes.suffix(count - split))
                if event == nil { event = try? reader.next(&input, scratch: &scratch) }
                #expect(event == .message(.binary(ByteBuffer(bytes: payload))), "\(count) bytes, cut at \(split)")
            }
        }
    }

    /// A message that the application keeps is not written over by the next one.
    @Test func messagesAreValues() throws {
        var reader = MessageReader(maxSize: 1 << 20)
        var scratch = ByteBuffer()
        var input = ByteBuffer(bytes: ClientFrames.text("first") + ClientFrames.text("other"))
        let first = try reader.next(&input, scratch: &scratch)
        let second = try reader.next(&input, scratch: &scratch)
        #expect(first == .message(.text("first")) && second == .message(.text("other")))
    }

    // MARK: Reading

    /// What a reader makes of pieces that arrive one after the other; an error ends it.
    static func read(_ pieces: [[UInt8]], limit: Int = 1 << 20, inflater: MessageInflater? = nil) -> [String] {
        var reader = MessageReader(maxSize: limit, inflater: inflater)
        var input = ByteBuffer()
        var scratch = ByteBuffer()
        var outcome: [String] = []
        do throws(WebSocketError) {
            for piece in pieces {
                input.writeBytes(piece)
                while let event = try reader.next(&input, scratch: &scratch) { outcome.append(describe(event)) }
                input.discardReadBytes()
            }
        } catch {
            outcome.append("! \(error)")
        }
        return outcome
    }

    private static func describe(_ event: MessageReader.Event) -> String {
        switch event {
        case .message(.text(let bytes)): "text \(short(bytes))"
        case .message(.binary(let bytes)): "binary \(short(bytes))"
        case .ping(let bytes): "ping \(short(bytes))"
        case .pong: "pong"
        case .close(let code, let reason): "close \(code) \(reason)"
        }
    }

    /// The length and the first byte.
    private static func short(_ bytes: ByteBuffer) -> String {
        "\(bytes.readableBytes) \(bytes.readableBytesView.first.map { String(UnicodeScalar($0)) } ?? "")"
    }

    static func cut(_ bytes: [UInt8], seed: UInt64) -> [[UInt8]] {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
        var pieces: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let length = 1 + Int(state >> 33) % (seed.isMultiple(of: 2) ? 7 : 9000)
            pieces.append(Array(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        return pieces
    }
}
