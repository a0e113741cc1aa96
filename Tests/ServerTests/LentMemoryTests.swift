import Gateway
import HTTP
import Testing

@testable import Server

@Suite struct LentMemory {
    private static let request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

    /// Pieces small and large, more than the socket takes, each overwritten as soon as it is given back.
    @Test(arguments: [true, false]) func arrivesAsItWas(isChunked: Bool) throws {
        let pieces = [1, 70_000, 16_384, 8 << 20, 20_000, 3].enumerated().map { index, count in
            (0..<count).map { UInt8(48 + (($0 &* 31) >> 3 + index) % 64) }
        }
        let length = pieces.map(\.count).reduce(0, +)
        let server = try TestServer { exchange in
            exchange.start(ResponseHead(.ok, isChunked ? [:] : ["Content-Length": "\(length)"]))
            for piece in pieces {
                var memory = piece
                memory.withUnsafeMutableBytes { memory in
                    exchange.write(lent: UnsafeRawBufferPointer(memory))
                    memory.initializeMemory(as: UInt8.self, repeating: 0)
                }
            }
            exchange.finish()
        }
        defer { server.stop() }
        var expected = "\r\n\r\n"
        for piece in pieces {
            let text = String(decoding: piece, as: UTF8.self)
            expected += isChunked ? "\(String(piece.count, radix: 16))\r\n\(text)\r\n" : text
        }
        if isChunked { expected += "0\r\n\r\n" }
        #expect(try server.exchange(Self.request).hasSuffix(expected))
    }

    @Test func nothingOfItGoesBeyondContentLength() throws {
        let server = try TestServer { exchange in
            exchange.start(ResponseHead(.ok, ["Content-Length": "20000"]))
            Array(repeating: UInt8(ascii: "a"), count: 30_000).withUnsafeBytes { exchange.write(lent: $0) }
            Array("more".utf8).withUnsafeBytes { exchange.write(lent: $0) }
            exchange.finish()
        }
        defer { server.stop() }
        let response = try server.exchange(Self.request)
        #expect(response.hasSuffix("\r\n\r\n" + String(repeating: "a", count: 20_000)))
    }
}
