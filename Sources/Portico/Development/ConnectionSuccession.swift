import Glibc
import Platform
import Server
import Synchronization

/// How the connections of a worker that goes come to the one that follows, so that what is asked on them is answered by the
/// new code: through a queue that all workers of a development server share.
final class ConnectionSuccession: Sendable {
    private enum Phase {
        case idle, taking, ended
    }

    /// For a queue that is full because its readers are not as quick as its writers.
    private static let patience = Duration.milliseconds(200)

    private let queue: DescriptorQueue
    private let phase = Mutex(Phase.taking)
    private let wake: EventCounter

    init(_ queue: DescriptorQueue) throws(SystemError) {
        self.queue = queue
        wake = try EventCounter()
    }

    /// Puts a connection into the queue, with what was received on it.
    func give(_ descriptor: CInt, _ received: [UInt8]) -> Bool {
        guard received.count <= DescriptorQueue.longest else { return false }
        let deadline = MonotonicTime.now() + Self.patience
        while !queue.put(descriptor, received) {
            if .now() >= deadline { return false }
            usleep(1_000)
        }
        return true
    }

    /// Serves on `server` what others give, until ``end()``.
    func start(on server: HTTPServer) throws(SystemError) {
        try DedicatedThread.start(name: "succession", stackSize: 512 * 1024) { [self] in run(server) }
    }

    /// Leaves what others give to others, or takes it again.
    func setTaking(_ isTaking: Bool) {
        phase.withLock { if $0 != .ended { $0 = isTaking ? .taking : .idle } }
        wake.signal()
    }

    /// Takes no more.
    func end() {
        phase.withLock { $0 = .ended }
        wake.signal()
    }

    private func run(_ server: HTTPServer) {
        while true {
            let phase = phase.withLock { $0 }
            if phase == .ended { return }
            if phase == .taking, let (descriptor, received) = queue.take() {
                server.take(connection: descriptor, received: received)
                continue
            }
            var waiting = [
                pollfd(fd: wake.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: phase == .taking ? queue.output.rawValue : -1, events: Int16(POLLIN), revents: 0),
            ]
            _ = poll(&waiting, 2, -1)
            wake.take()
        }
    }
}
