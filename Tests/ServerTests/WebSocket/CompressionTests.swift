import CZlib
import NIOCore
import Testing

@testable import Server

/// permessage-deflate (RFC 7692).
@Suite(.serialized) struct CompressionTests {
    @Test(
        arguments: [
            ("permessage-deflate", "permessage-deflate; server_max_window_bits=12"),
            (
                "permessage-deflate; client_max_window_bits",
                "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12"
            ),
            (
                "permessage-deflate; client_max_window_bits=9; server_max_window_bits=\"10\"",
                "permessage-deflate; server_max_window_bits=10; client_max_window_bits=9"
            ),
            (
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
                "permessage-deflate; server_max_window_bits=12; server_no_context_takeover; client_no_context_takeover"
            ),
            ("x-webkit-deflate-frame, permessage-deflate", "permessage-deflate; server_max_window_bits=12"),
            // A window zlib does not have is declined; the next offer is taken.
            (
                "permessage-deflate; server_max_window_bits=8, permessage-deflate",
                "permessage-deflate; server_max_window_bits=12"
            ),
            ("permessage-deflate; server_max_window_bits", nil),
            ("permessage-deflate; server_max_window_bits=16", nil),
            ("permessage-deflate; server_max_window_bits=010", nil),
            ("permessage-deflate; client_max_window_bits=7", nil),
            ("permessage-deflate; client_no_context_takeover=1", nil),
            ("permessage-deflate; client_max_window_bits; client_max_window_bits", nil),
            ("permessage-deflate; unknown", nil),
            ("permessage-bzip2", nil),
            ("", nil),
        ] as [(String, String?)])
    func negotiates(offer: String, answer: String?) {
        #expect(DeflateAgreement(offers: [offer])?.response == answer)
    }

    @Test(arguments: [true, false], [9, 12, 15])
    func roundTrip(keepsContext: Bool, bits: Int) throws {
        let deflater = MessageDeflater(windowBits: bits, keepsContext: keepsContext)
        let inflater = MessageInflater(windowBits: bits, keepsContext: keepsContext)
        var sizes: [Int] = []
        for text in ["hello hello hello", "hello hello hello", String(repeating: "abcdefgh", count: 40_000)] {
            let compressed = try #require(deflater.compress(ByteBuffer(string: text)))
            sizes.append(compressed.readableBytes)
            var output = ByteBuffer()
            try inflater.inflate(compressed, into: &output, limit: 1 << 20)
            try inflater.finish(into: &output, limit: 1 << 20)
            #expect(String(buffer: output) == text)
        }
        // The second time the window knows it already.
        #expect(keepsContext ? sizes[1] < sizes[0] : sizes[1] == sizes[0])
    }

    /// RFC 7692 §7.2.3: the specification's own examples.
    @Test(
        arguments: [
            ("7.2.3.1", [0xC1, 0x07, 0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00], ["text 5 H"]),
            (
                "7.2.3.1 in fragments",
                [0x41, 0x03, 0xF2, 0x48, 0xCD, 0x80, 0x04, 0xC9, 0xC9, 0x07, 0x00], ["text 5 H"]
            ),
            (
                "7.2.3.2 the window is shared",
                [0xC1, 0x07, 0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0xC1, 0x05, 0xF2, 0x00, 0x11, 0x00, 0x00],
                ["text 5 H", "text 5 H"]
            ),
            (
                "7.2.3.3 a block without compression",
                [0xC1, 0x0B, 0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x00], ["text 5 H"]
            ),
            ("7.2.3.4 a final block", [0xC1, 0x08, 0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00], ["text 5 H"]),
            (
                "7.2.3.5 two blocks",
                [0xC1, 0x0D, 0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00],
                ["text 5 H"]
            ),
            ("an empty message", [0xC1, 0x01, 0x00], ["text 0 "]),
            ("not compressed after all", [0x81, 0x01, 0x41], ["text 1 A"]),
            ("a compressed continuation", [0x41, 0x00, 0xC0, 0x00], ["! reservedBits"]),
            ("garbage", [0xC1, 0x02, 0xFF, 0xFF], ["! malformedCompression"]),
            (
                "what is not UTF-8, and garbage after it",
                [0xC1, 0x0B, 0xCA, 0xB4, 0x54, 0x50, 0x52, 0x88, 0x48, 0x5E, 0x85, 0x16, 0xD5], ["! malformedText"]
            ),
        ] as [(String, [UInt8], [String])])
    func inflates(name: String, unmasked: [UInt8], outcome: [String]) {
        // The examples are a server's frames: a client's have a mask, here of zeros.
        var bytes: [UInt8] = []
        var rest = unmasked[...]
        while let first = rest.popFirst(), let length = rest.popFirst() {
            bytes += [first, length | 0x80, 0, 0, 0, 0] + rest.prefix(Int(length))
            rest = rest.dropFirst(Int(length))
        }
        let inflater = { MessageInflater(windowBits: 15, keepsContext: true) }
        #expect(MessageReaderTests.read([bytes], inflater: inflater()) == outcome)
        #expect(MessageReaderTests.read(bytes.map { [$0] }, inflater: inflater()) == outcome)
    }

    /// A small message that inflates to a large one costs no more than the limit.
    @Test func stopsABomb() throws {
        let bomb = try #require(
            MessageDeflater(windowBits: 15, keepsContext: false).compress(ByteBuffer(repeating: 0, count: 50 << 20)))
        #expect(bomb.readableBytes < 300_000)
        let frame = ClientFrames.frame(0xC2, Array(bomb.readableBytesView))
        let inflater = MessageInflater(windowBits: 15, keepsContext: true)
        #expect(MessageReaderTests.read([frame], limit: 1 << 20, inflater: inflater) == ["! tooBig"])
        let fitting = MessageInflater(windowBits: 15, keepsContext: true)
        #expect(MessageReaderTests.read([frame], limit: 50 << 20, inflater: fitting) == ["binary \(50 << 20) \0"])
    }

    /// Text is checked after inflating.
    @Test func checksInflatedText() throws {
        var bytes = ByteBuffer(repeating: 0x61, count: 100)
        bytes.writeInteger(UInt8(0xFF))
        let compressed = try #require(MessageDeflater(windowBits: 15, keepsContext: false).compress(bytes))
        let frame = ClientFrames.frame(0xC1, Array(compressed.readableBytesView))
        let inflater = MessageInflater(windowBits: 15, keepsContext: true)
        #expect(MessageReaderTests.read([frame], inflater: inflater) == ["! malformedText"])
    }

    /// Over a connection: what is worth it is compressed, what is small is not.
    @Test func compressesOnTheWire() throws {
        let server = try TestServer(echoSocket())
        defer { server.stop() }
        let client = try server.openSocket(
            fields: "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
        ) { head in
            #expect(
                head.contains(
                    "\r\nSec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=12; "
                        + "client_max_window_bits=12\r\n"))
        }
        let deflater = MessageDeflater(windowBits: 12, keepsContext: true)
        let inflater = MessageInflater(windowBits: 12, keepsContext: true)
        for text in ["short", String(repeating: "Portico ", count: 1000), String(repeating: "Portico ", count: 1000)] {
            let compressed = try #require(deflater.compress(ByteBuffer(string: text)))
            try client.send(ClientFrames.frame(0xC1, Array(compressed.readableBytesView)))
            let frame = try client.readFrame()
            guard text.utf8.count >= MessageDeflater.minimumSize else {
                #expect(frame == .init(first: 0x81, payload: Array(text.utf8)))
                continue
            }
            #expect(frame.first == 0xC1 && frame.payload.count < 100)
            var output = ByteBuffer()
            try inflater.inflate(ByteBuffer(bytes: frame.payload), into: &output, limit: 1 << 20)
            try inflater.finish(into: &output, limit: 1 << 20)
            #expect(String(buffer: output) == text)
        }
    }

    @Test func canBeSwitchedOff() throws {
        var options = ServerOptions()
        options.webSocket.compresses = false
        let server = try TestServer(options: options, echoSocket())
        defer { server.stop() }
        let client = try server.openSocket(fields: "Sec-WebSocket-Extensions: permessage-deflate\r\n") { head in
            #expect(head.hasPrefix("HTTP/1.1 101 ") && !head.contains("Extensions"))
        }
        try client.send(ClientFrames.frame(0xC1, [0x00]))
        #expect(try client.readFrame().code == 1002)
    }
}
