import Gateway
import Glibc
import HTTP
import Logging
import Platform
import Synchronization
import Testing

@testable import Server

@Suite(.serialized) struct MemoryGateTests {
    /// A machine whose memory is set by the test.
    private final class Memory: Sendable {
        let used = Mutex(0)
        let lines = LogRecorder()

        var gate: MemoryGate {
            MemoryGate(logger: lines.logger) { MemoryUsage(used: self.used.withLock { $0 } << 20, limit: 100 << 20) }
        }
    }

    /// Looks until the gate says so: it looks at the memory only now and then.
    private func becomes(_ isOpen: Bool, _ gate: MemoryGate) -> Bool { eventually { gate.isOpen == isOpen } }

    @Test func closesLateAndOpensEarly() {
        let memory = Memory()
        let gate = memory.gate
        #expect(gate.isOpen)
        memory.used.withLock { $0 = 90 }
        #expect(becomes(false, gate))
        memory.used.withLock { $0 = 80 }
        // Long enough for another look.
        usleep(250_000)
        #expect(!gate.isOpen)
        memory.used.withLock { $0 = 79 }
        #expect(becomes(true, gate))
        #expect(
            memory.lines.all == [
                "memory: 90 of 100 MiB are in use; new connections wait until there is room",
                "memory: 79 of 100 MiB are in use; connections are accepted again",
            ])
    }

    /// Connections wait in the kernel's queue while others are served, and are answered once there is room.
    @Test func connectionsWaitForRoom() throws {
        let memory = Memory()
        let gate = memory.gate
        let held = HeldExchange()
        let server = try TestServer(memory: gate) { exchange in
            if exchange.request.string(exchange.request.target) == "/held" {
                held.hold(exchange)
            } else {
                exchange.respond(.ok, text: "hello")
            }
        }
        defer { server.stop() }
        let first = try server.connect()
        try first.send("GET /held HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        #expect(eventually { server.openConnections == 1 })
        memory.used.withLock { $0 = 95 }
        #expect(becomes(false, gate))
        // The acceptor may have been about to take one.
        let waiting = try (0..<3).map { _ in
            let client = try server.connect()
            try client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            return client
        }
        usleep(300_000)
        #expect(server.openConnections <= 2)
        memory.used.withLock { $0 = 10 }
        held.release { $0.respond(.ok, text: "late") }
        #expect(try first.readToEnd().hasSuffix("late"))
        for client in waiting { #expect(try client.readToEnd().hasSuffix("hello")) }
    }

    /// Memory that does not come back with the end of connections must not end the service: one at a time goes on.
    @Test func someoneIsAlwaysServed() throws {
        let memory = Memory()
        memory.used.withLock { $0 = 99 }
        let server = try TestServer(memory: memory.gate) { $0.respond(.ok, text: "hello") }
        defer { server.stop() }
        for _ in 0..<3 {
            #expect(
                try server.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").hasSuffix("hello"))
        }
    }
}

/// Lines of a log, kept.
private final class LogRecorder: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    var logger: Logger { Logger(label: "test") { _ in Handler(recorder: self) } }

    private struct Handler: LogHandler {
        let recorder: LogRecorder
        var metadata = Logger.Metadata()
        var logLevel = Logger.Level.trace

        init(recorder: LogRecorder) { self.recorder = recorder }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { recorder.lines.withLock { $0.append("\(event.message)") } }
    }
}
