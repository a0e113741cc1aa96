import Gateway
import Glibc
import HTTP
import NIOCore
import Testing

@testable import Server

/// How connections go from one server to another, whose clients notice nothing.
@Suite(.serialized) struct HandOverTests {
    private static let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

    private let successor: TestServer

    init() throws { successor = try TestServer { exchange in echoNamed("new", exchange) } }

    /// A server whose exchanges wait to be told what becomes of them when they ask for `/held`.
    private func predecessor(_ held: HeldExchange) throws -> TestServer {
        try TestServer { exchange in
            if exchange.request.string(exchange.request.rawPath) == "/held" { return held.hold(exchange) }
            echoNamed("old", exchange)
        }
    }

    @Test func idleAndSilentAndHalfHeardConnectionsGoAtOnce() throws {
        let server = try predecessor(HeldExchange())
        let (kept, silent, half) = (try server.connect(), try server.connect(), try server.connect())
        try kept.send(Self.request)
        #expect(try kept.read(through: "old").contains("200 OK"))
        try half.send("POST / HTTP/1.1\r\nHo")
        #expect(eventually { server.openConnections == 3 })
        server.handOver(to: successor)
        #expect(eventually { server.openConnections == 0 })
        server.stop()
        try kept.send(Self.request)
        #expect(try kept.read(through: "new").contains("200 OK"))
        try silent.send(Self.request)
        #expect(try silent.read(through: "new").contains("200 OK"))
        try half.send("st: a\r\nContent-Length: 4\r\n\r\nbody")
        #expect(try half.read(through: "new body").contains("200 OK"))
        successor.stop()
    }

    @Test(arguments: [
        "GET /held HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /held HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody",
        "POST /held HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
    ])
    func aRequestThatWaitsIsAnsweredByTheSuccessor(_ request: String) throws {
        let held = HeldExchange()
        let server = try predecessor(held)
        let client = try server.connect()
        // With what follows it on the connection.
        try client.send(request + Self.request)
        held.wait()
        server.handOver(to: successor)
        held.release { exchange in #expect(exchange.handOver()) }
        let answers = try client.read(through: request.hasPrefix("POST") ? "new body" : "new")
        #expect(answers.contains("200 OK"))
        #expect(try client.read(through: "new").contains("200 OK"))
        #expect(eventually { server.openConnections == 0 })
        server.stop()
        successor.stop()
    }

    @Test func whoeverHasBegunStays() throws {
        let held = HeldExchange()
        let server = try predecessor(held)
        let client = try server.connect()
        try client.send("GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
        held.wait()
        server.handOver(to: successor)
        held.release { exchange in
            exchange.start(ResponseHead(.ok, ["Content-Length": "5"]))
            #expect(!exchange.handOver())
            exchange.write(ByteBuffer(string: "begun"))
            exchange.finish()
        }
        #expect(try client.read(through: "begun").contains("200 OK"))
        // Its next request goes.
        try client.send(Self.request)
        #expect(try client.read(through: "new").contains("200 OK"))
        server.stop()
        successor.stop()
    }

    @Test func withoutASuccessorNothingGoes() throws {
        let held = HeldExchange()
        let server = try predecessor(held)
        let client = try server.connect()
        try client.send("GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
        held.wait()
        held.release { exchange in
            #expect(!exchange.handOver())
            echoNamed("old", exchange)
        }
        #expect(try client.read(through: "old").contains("200 OK"))
        server.stop()
        successor.stop()
    }
}

/// Answers with a name, and the request's body behind it.
private func echoNamed(_ name: String, _ exchange: any Exchange) {
    exchange.receive { part in
        switch part {
        case .bytes(let bytes):
            exchange.receive { _ in exchange.respond(.ok, text: "\(name) \(String(buffer: bytes))") }
        default: exchange.respond(.ok, text: name)
        }
    }
}
