import Glibc
import Logging
import Platform
import Synchronization
import Telemetry

/// uWSGI's stats server: whoever connects is sent the document, and the connection ends. A client that speaks HTTP first gets
/// HTTP.
final class StatsListener: Sendable {
    /// How long a client may take to say that it speaks HTTP, in milliseconds.
    private static let patience: CInt = 50

    private let listeners: [ListeningSocket]
    private let source: ServerStatusSource
    private let stopping: EventCounter?
    private let hasEnded: EventCounter?

    init(_ listeners: [ListeningSocket], source: ServerStatusSource, logger: Logger) {
        self.listeners = listeners
        self.source = source
        stopping = try? EventCounter()
        hasEnded = try? EventCounter()
        do {
            try DedicatedThread.start(name: "stats", stackSize: 512 * 1024) { [self] in run() }
        } catch {
            logger.error("stats: \(error); serving without it")
            hasEnded?.signal()
        }
    }

    func stop() {
        stopping?.signal()
        hasEnded?.wait()
        for listener in listeners { listener.close() }
    }

    private func run() {
        defer { hasEnded?.signal() }
        while true {
            var waiting = ([stopping?.descriptor ?? -1] + listeners.map(\.descriptor)).map {
                pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
            }
            _ = poll(&waiting, nfds_t(waiting.count), -1)
            if waiting[0].revents != 0 { return }
            for ready in waiting.dropFirst() where ready.revents & Int16(POLLIN) != 0 {
                guard let number = try? ListeningSocket.accept(from: ready.fd) else { continue }
                let client = Descriptor(adopting: number)
                if AdminServer.admits(number) { serve(client) }
            }
        }
    }

    /// One client after another: each is sent at once what the kernel takes, and no more is waited for than a second.
    private func serve(_ client: borrowing Descriptor) {
        let isHTTP = speaksHTTP(client)
        let document = StatsDocument.json(source.read()).encoded
        var bytes: [UInt8] = []
        if isHTTP {
            let head =
                "HTTP/1.0 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n\r\n"
            bytes += head.utf8
        }
        bytes += document
        let deadline = MonotonicTime.now() + .seconds(1)
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(client.rawValue, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else {
                guard errno == EAGAIN || errno == EINTR, MonotonicTime.now() < deadline else { return }
                var waiting = pollfd(fd: client.rawValue, events: Int16(POLLOUT), revents: 0)
                _ = poll(&waiting, 1, 100)
            }
        }
        shutdown(client.rawValue, CInt(SHUT_WR))
    }

    /// What a client says first is read, so that the end of the connection is no reset.
    private func speaksHTTP(_ client: borrowing Descriptor) -> Bool {
        var waiting = pollfd(fd: client.rawValue, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, Self.patience) > 0 else { return false }
        var head = [UInt8](repeating: 0, count: 4096)
        let count = recv(client.rawValue, &head, head.count, 0)
        return count >= 4 && head.starts(with: "GET ".utf8)
    }
}
