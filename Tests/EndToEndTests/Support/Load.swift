import Glibc
import Platform
import Synchronization
import TestSupport

/// Clients that ask one server again and again, each on a connection of its own, and what became of them. They retry
/// nothing: each request, message and event stream that does not end as it should is counted.
final class Load: Sendable {
    /// What a client does with a connection.
    enum Connections {
        /// As many requests as the server lets.
        case kept
        /// One request.
        case fresh
        /// A WebSocket that is pinged until the server closes it, to be opened again when it says so (1012).
        case webSockets
        /// An event stream that is read until it ends, and opened again then, as browsers do.
        case events
    }

    struct Counts {
        /// Responses with status 200, answers to pings, events.
        var ok = 0
        /// Responses that closed their connection, WebSockets closed with 1012, event streams that ended in order.
        var partings = 0
        /// The response, message or stream began and did not end.
        var incomplete = 0
        /// The connection ended before a byte of the response.
        var failed = 0
        /// As `failed`, on a connection made before ``Load/markStopping()`` whose client asked promptly.
        var lost = 0
        /// The connection was not accepted.
        var refused = 0
        /// Any other answer.
        var wrong: [String] = []

        /// Everything that a server which only reloads may not do.
        var faults: Int { incomplete + failed + refused + wrong.count }
    }

    private let counts = Mutex(Counts())
    private let isEnding = Atomic(false)
    private let isStopping = Atomic(false)
    private let running = Atomic(0)
    /// In microseconds.
    private let pause: UInt32

    /// - Parameter pause: of a client between an answer and its next request.
    init(
        _ clients: Int, of path: String, at endpoint: Endpoint, _ connections: Connections, pause: Duration = .zero
    ) throws {
        self.pause = UInt32(clamping: pause.wholeNanoseconds / 1000)
        for _ in 0..<clients {
            running.add(1, ordering: .sequentiallyConsistent)
            try DedicatedThread.start(name: "client", stackSize: 1 << 20) { [self] in
                while !isEnding.load(ordering: .relaxed) { visit(path, endpoint, connections) }
                running.subtract(1, ordering: .sequentiallyConsistent)
            }
        }
    }

    deinit { isEnding.store(true, ordering: .relaxed) }

    var now: Counts { counts.withLock { $0 } }

    /// Connections made from now on may be refused or dropped.
    func markStopping() { isStopping.store(true, ordering: .sequentiallyConsistent) }

    /// Ends the clients and counts.
    func end() throws -> Counts {
        isEnding.store(true, ordering: .relaxed)
        try eventually("all clients have ended") { running.load(ordering: .sequentiallyConsistent) == 0 }
        return now
    }

    private var goesOn: Bool { !isEnding.load(ordering: .relaxed) }

    private func note(_ change: (inout Counts) -> Void) { counts.withLock { change(&$0) } }

    private func visit(_ path: String, _ endpoint: Endpoint, _ connections: Connections) {
        let connection: WireConnection
        do {
            connection = try WireConnection(endpoint)
        } catch {
            note { $0.refused += 1 }
            usleep(1000)
            return
        }
        switch connections {
        case .kept, .fresh: ask(path, on: connection, isFresh: connections == .fresh)
        case .webSockets: judged { try talk(path, on: connection) }
        case .events: judged { try listen(path, on: connection) }
        }
    }

    private func ask(_ path: String, on connection: WireConnection, isFresh: Bool) {
        let isOwed = !isStopping.load(ordering: .sequentiallyConsistent)
        let lines = ["GET \(path) HTTP/1.1", "Host: localhost"] + (isFresh ? ["Connection: close"] : [])
        let request = Array((lines.map { $0 + "\r\n" }.joined() + "\r\n").utf8)
        while goesOn {
            let begin = MonotonicTime.now()
            let silence = connection.silence
            var sent = begin
            var isOver = false
            // A client that was not scheduled for a while has an idle connection, which a stopping server may close.
            judged(isOwed: { isOwed && silence + (sent - begin) < .milliseconds(50) }) {
                isOver = true
                try connection.send(request)
                sent = .now()
                let response = try connection.receive()
                isOver = response["connection"]?.lowercased() == "close"
                note { counts in
                    if response.status == 200 {
                        counts.ok += 1
                    } else {
                        counts.wrong.append("status \(response.status)")
                    }
                    if isOver { counts.partings += 1 }
                }
            }
            if pause > 0 { usleep(pause) }
            if isOver { return }
        }
    }

    private func talk(_ path: String, on connection: WireConnection) throws {
        let response = try connection.openSocket(path)
        guard response.status == 101 else { return note { $0.wrong.append("handshake \(response.status)") } }
        try connection.sendFrame(0x89, [])
        while goesOn {
            let frame = try connection.receiveFrame()
            switch frame.first {
            case 0x8A:
                note { $0.ok += 1 }
                usleep(max(pause, 1000))
                try connection.sendFrame(0x89, [])
            case 0x88:
                let code = frame.payload.prefix(2).reduce(0) { $0 << 8 | Int($1) }
                note { if code == 1012 { $0.partings += 1 } else { $0.wrong.append("closed with \(code)") } }
                // The server may have closed by now.
                try? connection.sendFrame(0x88, Array(frame.payload.prefix(2)))
                return
            // What the application or the server's own pings say.
            default: break
            }
        }
    }

    private func listen(_ path: String, on connection: WireConnection) throws {
        try connection.send("GET \(path) HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
        let response = try connection.receive(toHead: true)
        guard response.status == 200 else { return note { $0.wrong.append("stream \(response.status)") } }
        while goesOn {
            guard try connection.receiveChunk() != nil else { return note { $0.partings += 1 } }
            note { $0.ok += 1 }
        }
    }

    private func judged(isOwed: () -> Bool = { false }, _ body: () throws -> Void) {
        do {
            try body()
        } catch {
            note { counts in
                switch error {
                case WireError.noResponse:
                    counts.failed += 1
                    if isOwed() { counts.lost += 1 }
                case WireError.incomplete: counts.incomplete += 1
                default: counts.wrong.append("\(error)")
                }
            }
        }
    }
}
