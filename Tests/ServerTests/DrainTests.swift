import Gateway
import Glibc
import HTTP
import NIOCore
import Platform
import Synchronization
import Testing

@testable import Server

/// What becomes of connections when their server ends.
@Suite(.serialized) struct DrainTests {
    private static let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    private static let eventStream: ResponseHead = .init(.ok, ["Content-Type": "text/event-stream; charset=utf-8"])

    /// An exchange that is answered later, and what its application hears meanwhile.
    private final class Stream: @unchecked Sendable {
        // Sendable: the exchange is set once, and touched on its loop alone.
        private let held = HeldExchange()
        let heard = Mutex<[String]>([])

        func open(_ head: ResponseHead, _ exchange: any Exchange) {
            held.hold(exchange)
            exchange.receive { _ in
                exchange.receive { part in self.heard.withLock { $0.append("\(part)") } }
            }
            exchange.onClose { self.heard.withLock { $0.append("closed") } }
            exchange.start(head)
            exchange.flush()
        }

        func write(_ text: String) {
            held.release { exchange in
                exchange.write(ByteBuffer(string: text))
                exchange.flush()
            }
        }

        func finish() { held.release { $0.finish() } }
    }

    @Test func anIdleConnectionIsAnsweredOnceMore() throws {
        let server = try TestServer { $0.respond(.ok, text: "hello") }
        defer { server.stop() }
        let client = try server.connect()
        try client.send(Self.request)
        #expect(try !client.read(through: "hello").contains("Connection: close"))
        let drain = try server.startDraining(DrainLimits(requests: .hours(1), silence: .hours(1)))
        try client.send(Self.request)
        #expect(try client.readToEnd().contains("Connection: close\r\n"))
        #expect(eventually { drain.result == 0 })
    }

    @Test func aSilentConnectionIsClosed() throws {
        let server = try TestServer { $0.respond(.ok, text: "hello") }
        defer { server.stop() }
        let (kept, fresh) = (try server.connect(), try server.connect())
        try kept.send(Self.request)
        _ = try kept.read(through: "hello")
        #expect(eventually { server.openConnections == 2 })
        let drain = try server.startDraining(DrainLimits(requests: .hours(1), silence: .milliseconds(100)))
        #expect(try kept.isAtEnd() && fresh.isAtEnd())
        #expect(eventually { drain.result == 0 })
    }

    /// The response had begun before the drain, and promised to keep the connection.
    @Test func aPromiseIsKeptForAWhile() throws {
        let stream = Stream()
        let server = try TestServer { stream.open(ResponseHead(.ok, ["Content-Length": "4"]), $0) }
        defer { server.stop() }
        let client = try server.connect()
        try client.send(Self.request)
        #expect(try !client.read(through: "\r\n\r\n").contains("Connection: close"))
        let drain = try server.startDraining(DrainLimits(requests: .hours(1), silence: .milliseconds(100)))
        stream.write("done")
        stream.finish()
        #expect(try client.readToEnd() == "done")
        #expect(eventually { drain.result == 0 })
    }

    @Test func anEventStreamLingersAndEndsInOrder() throws {
        let stream = Stream()
        let server = try TestServer { stream.open(Self.eventStream, $0) }
        defer { server.stop() }
        let client = try server.connect()
        try client.send(Self.request)
        _ = try client.read(through: "\r\n\r\n")
        let drain = try server.startDraining(DrainLimits(requests: .hours(1), linger: .hours(1)))
        stream.write("data: 1\n\n")
        #expect(try client.read(through: "data: 1\n\n\r\n").hasPrefix("9\r\n"))
        #expect(stream.heard.withLock { $0.isEmpty })
        server.endLinger()
        #expect(try client.readToEnd() == "0\r\n\r\n")
        #expect(eventually { stream.heard.withLock { $0.sorted() } == ["closed", "disconnected"] })
        #expect(eventually { drain.result == 0 })
        // What comes too late harms nobody.
        stream.write("data: 2\n\n")
        stream.finish()
    }

    /// A server that stops has nobody to linger for.
    @Test func withoutLingerAnEventStreamEndsAtOnce() throws {
        let stream = Stream()
        let server = try TestServer { stream.open(Self.eventStream, $0) }
        defer { server.stop() }
        let client = try server.connect()
        try client.send(Self.request)
        _ = try client.read(through: "\r\n\r\n")
        let drain = try server.startDraining(DrainLimits(requests: .hours(1)))
        #expect(try client.readToEnd() == "0\r\n\r\n")
        #expect(eventually { drain.result == 0 })
    }

    /// What holds back a part of the stream writes it before the end.
    @Test func whoHoldsSomethingBackMayWriteIt() throws {
        let server = try TestServer { exchange in
            exchange.start(Self.eventStream)
            exchange.onLeave {
                exchange.write(ByteBuffer(string: "rest"))
                exchange.finish()
            }
            exchange.flush()
        }
        defer { server.stop() }
        let client = try server.connect()
        try client.send(Self.request)
        _ = try client.read(through: "\r\n\r\n")
        let drain = try server.startDraining(DrainLimits(requests: .hours(1)))
        #expect(try client.readToEnd() == "4\r\nrest\r\n0\r\n\r\n")
        #expect(eventually { drain.result == 0 })
    }

    /// Beyond the time of requests, what moves goes on, and what stands still is cut off.
    @Test func whatMovesOutlivesWhatStandsStill() throws {
        let (moving, still) = (Stream(), Stream())
        let server = try TestServer { exchange in
            let stream = exchange.request.string(exchange.request.target) == "/moving" ? moving : still
            stream.open(ResponseHead(.ok), exchange)
        }
        defer { server.stop() }
        let clients = try ["/moving", "/still"].map { path in
            let client = try server.connect()
            try client.send("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = try client.read(through: "\r\n\r\n")
            return client
        }
        let drain = try server.startDraining(DrainLimits(requests: .seconds(6), linger: .hours(1)))
        let isCut = Mutex(false)
        try DedicatedThread.start(name: "writer") {
            while !isCut.withLock({ $0 }) {
                moving.write("x")
                usleep(50_000)
            }
            moving.finish()
        }
        // Its end is a truncation: no last chunk.
        #expect(try clients[1].readToEnd() == "")
        isCut.withLock { $0 = true }
        #expect(try clients[0].readToEnd().hasSuffix("1\r\nx\r\n0\r\n\r\n"))
        #expect(eventually { drain.result == 1 })
        #expect(eventually { still.heard.withLock { $0.contains("closed") } })
    }

    @Test func aWebSocketLingersUntilItIsToldToComeBack() throws {
        let server = try TestServer(echoSocket())
        defer { server.stop() }
        let client = try server.openSocket()
        let late = try server.connect()
        #expect(eventually { server.openConnections == 2 })
        let drain = try server.startDraining(
            DrainLimits(requests: .hours(1), linger: .hours(1), silence: .hours(1)))
        try client.send(ClientFrames.text("still here"))
        #expect(try client.readFrame().payload == Array("still here".utf8))
        // One that comes while others linger is served as long as they are.
        try late.send(TestServer.handshake())
        #expect(try late.read(through: "\r\n\r\n").hasPrefix("HTTP/1.1 101 "))
        server.endLinger()
        for client in [client, late] {
            #expect(try client.readFrame().code == 1012)
            try client.send(ClientFrames.close(1012))
            #expect(try client.isAtEnd())
        }
        #expect(eventually { drain.result == 0 })
    }
}
