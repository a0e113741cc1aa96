import Gateway
import HTTP
import NIOCore
import Testing

/// Which requests are opening handshakes (RFC 6455 §4.2.1).
@Suite struct WebSocketHandshakeTests {
    static let key = "dGhlIHNhbXBsZSBub25jZQ=="

    static func fields(_ changes: [String: String?] = [:]) -> [(String, String)] {
        var fields: [(String, String)] = [
            ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", key),
        ]
        for (name, value) in changes {
            fields.removeAll { $0.0 == name }
            if let value { fields.append((name, value)) }
        }
        return fields
    }

    struct Example: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var method = Method.get
        var version = HTTPVersion.http11
        var changes: [String: String?] = [:]
        var framing = BodyFraming.none
        /// Nil for an ordinary request, 101 for a handshake, else the refusal.
        let status: Int?
    }

    static let examples = [
        Example(testDescription: "as it should be", status: 101),
        Example(
            testDescription: "in lists, in any case",
            changes: ["Upgrade": "h2c, WebSocket", "Connection": "keep-alive, UPGRADE"],
            status: 101),
        Example(testDescription: "an empty body", framing: .length(0), status: 101),
        Example(testDescription: "HTTP/1.0 knows no upgrades", version: .http10, status: nil),
        Example(testDescription: "no Upgrade", changes: ["Upgrade": nil], status: nil),
        Example(testDescription: "another Upgrade", changes: ["Upgrade": "h2c"], status: nil),
        Example(testDescription: "no Connection", changes: ["Connection": nil], status: nil),
        Example(testDescription: "Connection without upgrade", changes: ["Connection": "keep-alive"], status: nil),
        Example(testDescription: "POST", method: .post, status: 400),
        Example(testDescription: "a body", framing: .length(1), status: 400),
        Example(testDescription: "a chunked body", framing: .chunked, status: 400),
        Example(testDescription: "no version", changes: ["Sec-WebSocket-Version": nil], status: 400),
        Example(testDescription: "an old version", changes: ["Sec-WebSocket-Version": "8"], status: 426),
        Example(testDescription: "a version of no number", changes: ["Sec-WebSocket-Version": "13, 8"], status: 426),
        Example(testDescription: "no key", changes: ["Sec-WebSocket-Key": nil], status: 400),
        Example(testDescription: "a short key", changes: ["Sec-WebSocket-Key": "c2hvcnQ="], status: 400),
        Example(
            testDescription: "a key of 17 bytes", changes: ["Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZXg="],
            status: 400),
        Example(
            testDescription: "a key that is not base64", changes: ["Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25j*Q=="],
            status: 400),
        Example(
            testDescription: "a key with bits behind its end",
            changes: ["Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZR=="],
            status: 400),
    ]

    @Test(arguments: examples)
    func tells(_ example: Example) async {
        let request = RequestHead(
            example.method, "/", fields: Self.fields(example.changes), version: example.version,
            framing: example.framing)
        let found: Int? =
            switch WebSocketHandshake(request) {
            case .absent: nil
            case .valid: 101
            case .invalid(let status): status.code
            }
        #expect(found == example.status)
        let exchange = FakeExchange(request, on: anyLoop())
        let refused = await exchange.read { $0.refusesWebSocketHandshake() }
        #expect(refused == (example.status ?? 101 >= 400))
        if refused {
            guard case .respond(let code, let fields, _) = await exchange.done().first else {
                Issue.record("no response")
                return
            }
            #expect(code == example.status && fields.contains("Sec-WebSocket-Version: 13"))
        }
    }

    @Test func aSecondKey() {
        let request = RequestHead(.get, "/", fields: Self.fields() + [("Sec-WebSocket-Key", Self.key)])
        #expect(WebSocketHandshake(request) == .invalid(.badRequest))
    }

    @Test func subprotocols() {
        let request = RequestHead(
            .get, "/", fields: [("Sec-WebSocket-Protocol", "chat , superchat,,"), ("sec-websocket-protocol", "v2.x")])
        #expect(WebSocketHandshake.subprotocols(of: request) == ["chat", "superchat", "v2.x"])
    }
}
