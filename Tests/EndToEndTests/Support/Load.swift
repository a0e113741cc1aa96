import Glibc
import Platform
import Synchronization
import TestSupport

/// Clients that ask for one page again and again, each on a connection of its own, and what became of their requests.
final class Load: Sendable {
    /// Whether a connection serves one request or as many as the server lets.
    enum Connections { case kept, fresh }

    struct Counts {
        var ok = 0
        /// The response began and did not end.
        var incomplete = 0
        /// The connection ended before a byte of the response.
        var failed = 0
        /// As `failed`, on a connection made before ``Load/markStopping()`` whose client asked promptly.
        var lost = 0
        /// The connection was not accepted.
        var refused = 0
        /// Any other answer than 200.
        var wrong: [String] = []
    }

    private let counts = Mutex(Counts())
    private let isEnding = Atomic(false)
    private let isStopping = Atomic(false)
    private let running = Atomic(0)

    init(_ clients: Int, of path: String, at endpoint: Endpoint, _ connections: Connections) throws {
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

    private func visit(_ path: String, _ endpoint: Endpoint, _ connections: Connections) {
        let connection: WireConnection
        do {
            connection = try WireConnection(endpoint)
        } catch {
            counts.withLock { $0.refused += 1 }
            usleep(1000)
            return
        }
        let isOwed = !isStopping.load(ordering: .sequentiallyConsistent)
        let fields = connections == .fresh ? ["Connection: close"] : []
        while !isEnding.load(ordering: .relaxed) {
            let begin = MonotonicTime.now()
            var sent = begin
            do {
                let lines = ["GET \(path) HTTP/1.1", "Host: localhost"] + fields
                try connection.send(lines.map { $0 + "\r\n" }.joined() + "\r\n")
                sent = .now()
                let response = try connection.receive()
                counts.withLock { counts in
                    if response.status == 200 {
                        counts.ok += 1
                    } else {
                        counts.wrong.append("status \(response.status)")
                    }
                }
                if response["connection"]?.lowercased() == "close" { return }
            } catch {
                // A client that was not scheduled for a while has an idle connection, which a stopping server may close.
                let wasPrompt = sent - begin < .milliseconds(50)
                counts.withLock { counts in
                    switch error {
                    case WireError.noResponse:
                        counts.failed += 1
                        if isOwed && wasPrompt { counts.lost += 1 }
                    case WireError.incomplete: counts.incomplete += 1
                    default: counts.wrong.append("\(error)")
                    }
                }
                return
            }
        }
    }
}
