import Gateway
import Glibc
import Logging
import NIOCore
import Platform
import Synchronization

/// Takes connections off one listening socket on a thread of its own, and deals them to the event loops.
///
/// The thread waits in `accept(2)`: where several processes share a socket, the kernel then wakes exactly one of them, in
/// turn, so that connections spread evenly; loops that poll the socket would all wake, and the first in line would take
/// nearly everything. Each connection goes to the loop that has the fewest.
final class Acceptor: Sendable {
    private let descriptor: CInt
    private let targets: [AcceptTarget]
    private let memory: MemoryGate?
    private let admits: @Sendable (CInt) -> Bool
    private let logger: Logger
    private let isStopping = Atomic(false)
    /// For what waits in the kernel's queue at the end.
    private static let stopLimit = Duration.seconds(1)
    private let thread = Atomic<UInt>(0)
    private let hasEnded: EventCounter
    private let pausedUntil = Atomic<UInt64>(0)
    /// Signalled by a loop that has room again.
    private let roomMade: EventCounter

    /// Starts accepting from `descriptor`, which stays the caller's.
    init(
        descriptor: CInt, targets: [AcceptTarget], memory: MemoryGate?, admits: @escaping @Sendable (CInt) -> Bool,
        logger: Logger
    ) throws(SystemError) {
        self.descriptor = descriptor
        self.targets = targets
        self.memory = memory
        self.admits = admits
        self.logger = logger
        hasEnded = try EventCounter()
        roomMade = try EventCounter()
        try InterruptSignal.install()
        // Waiting in accept needs a blocking socket, whatever its giver has set.
        let flags = fcntl(descriptor, F_GETFL)
        if flags >= 0 { _ = fcntl(descriptor, F_SETFL, flags & ~O_NONBLOCK) }
        try DedicatedThread.start(name: "accept", stackSize: 256 * 1024) { [self] in run() }
    }

    /// Looks anew at which loops may get connections: one of them does not come back. From any thread.
    func loopBlocked() {
        let waiting = thread.load(ordering: .acquiring)
        if waiting != 0 { pthread_kill(pthread_t(waiting), InterruptSignal.number) }
    }

    /// Accepts nothing until `end`: what comes waits in the kernel's queue, for whoever shares the socket.
    func pause(until end: NIODeadline) {
        pausedUntil.store(end.uptimeNanoseconds, ordering: .releasing)
        loopBlocked()
    }

    private var isPaused: Bool {
        pausedUntil.load(ordering: .acquiring) > NIODeadline.now().uptimeNanoseconds
    }

    /// Takes what already waits in the kernel's queue, then ends. Blocks until that is done.
    func stop() {
        isStopping.store(true, ordering: .releasing)
        roomMade.signal()
        // Again and again: the first may come just before the thread goes to sleep.
        repeat {
            let waiting = thread.load(ordering: .acquiring)
            if waiting != 0 { pthread_kill(pthread_t(waiting), InterruptSignal.number) }
        } while !hasEnded.wait(within: .milliseconds(10))
    }

    private func run() {
        InterruptSignal.unblock()
        thread.store(UInt(pthread_self()), ordering: .releasing)
        var stopDeadline: MonotonicTime?
        while true {
            let stopping = isStopping.load(ordering: .acquiring)
            if stopping {
                // Under load there is always one more.
                let last = stopDeadline ?? .now() + Self.stopLimit
                stopDeadline = last
                if !isConnectionWaiting || .now() >= last { break }
            }
            // Somebody else may take them: what is accepted for a loop that is blocked would wait with it.
            guard !isPaused, targets.contains(where: { !$0.isBlocked }) else {
                if stopping { break }
                roomMade.wait(within: .milliseconds(20))
                continue
            }
            guard let target = roomiest else {
                if stopping { break }
                // Room is made for somebody who waits, not for nobody.
                if awaitConnection() { awaitRoom() }
                continue
            }
            do throws(SystemError) {
                let connection = try ListeningSocket.accept(from: descriptor)
                if admits(connection) { target.take(connection) } else { Self.refuse(connection) }
            } catch {
                pauseIfNeeded(error)
            }
        }
        thread.store(0, ordering: .releasing)
        hasEnded.signal()
    }

    /// Says no, without having read anything.
    private static func refuse(_ connection: CInt) {
        let answer =
            "HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n"
            + "Content-Length: 27\r\n\r\npermission denied: not you\n"
        _ = Array(answer.utf8).withUnsafeBytes { send(connection, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
        close(connection)
    }

    private var isConnectionWaiting: Bool {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&waiting, 1, 0) > 0
    }

    /// Waits until a connection could be accepted; false when a signal came first.
    private func awaitConnection() -> Bool {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&waiting, 1, -1) > 0
    }

    /// The loop with the fewest connections of those that are not blocked; nil when all are full, or while memory is short.
    /// With nobody connected nobody's end would make room, so that one is let in all the same.
    private var roomiest: AcceptTarget? {
        if let memory, !memory.isOpen, targets.contains(where: { $0.load > 0 }) { return nil }
        return targets.lazy.filter { !$0.isBlocked }.min { $0.load < $1.load }.flatMap { $0.hasRoom ? $0 : nil }
    }

    private func awaitRoom() {
        for target in targets { target.makeRoom(roomMade) }
        roomMade.wait(within: .milliseconds(500))
    }

    /// Out of descriptors or memory: those who are connected go on, and new ones wait in the kernel's queue.
    private func pauseIfNeeded(_ error: SystemError) {
        switch error.code {
        case EINTR, ECONNABORTED, EPERM, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, EHOSTUNREACH, EOPNOTSUPP,
            ENETUNREACH:
            return
        case EAGAIN:
            // Somebody who shares the socket made it non-blocking: wait here instead.
            _ = awaitConnection()
        default:
            logger.error("cannot accept: \(error); trying again in 100 ms")
            for target in targets { target.makeRoom(roomMade) }
            roomMade.wait(within: .milliseconds(100))
        }
    }
}

/// An event loop, as the acceptor sees it.
final class AcceptTarget: Sendable {
    private let loop: NIOLoopBound<LoopContext>
    private let limit: Int
    private let count = Atomic(0)
    private let waiting = Mutex<EventCounter?>(nil)

    private let pulse: LoopPulse

    init(loop: NIOLoopBound<LoopContext>, _ pulse: LoopPulse, limit: Int) {
        self.loop = loop
        self.pulse = pulse
        self.limit = limit
    }

    /// Connections given to the loop and not yet closed.
    var load: Int { count.load(ordering: .relaxed) }
    var hasRoom: Bool { load < limit }
    /// Whether the loop has been at one thing for too long to be given another connection.
    var isBlocked: Bool { pulse.isBlocked }

    /// Gives the loop a connected socket, which is then its own, with what has come on it already.
    func take(_ descriptor: CInt, _ received: [UInt8] = []) {
        count.add(1, ordering: .relaxed)
        loop.eventLoop.execute { [self] in
            let context = loop.value
            let socket = SocketChannel(adopting: descriptor, on: context.eventLoop, logger: context.logger) {
                [self] in leave()
            }
            HTTP1Connection(loop: context, socket: socket).open(received)
        }
    }

    /// Closes an idle connection if there is one, and signals when one has gone.
    func makeRoom(_ counter: EventCounter) {
        waiting.withLock { $0 = counter }
        loop.eventLoop.execute { [self] in loop.value.closeOneIdle() }
    }

    private func leave() {
        count.subtract(1, ordering: .relaxed)
        // Taken at every close: an uncontended lock costs less than the close itself by far.
        waiting.withLock { counter in
            counter?.signal()
            counter = nil
        }
    }
}

/// The signal that wakes a thread out of a system call and does nothing else.
enum InterruptSignal {
    /// A real-time signal, which neither the runtime nor NIO uses.
    static var number: CInt { __libc_current_sigrtmin() + 5 }

    /// Lets the signal reach the calling thread, which may have been started by one that blocks all (Dispatch's do).
    static func unblock() {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, number)
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }

    /// Gives the signal a handler without effect; calls it interrupts are not restarted.
    static func install() throws(SystemError) {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in }
        guard sigaction(number, &action, nil) == 0 else { throw SystemError(operation: "sigaction", code: errno) }
    }
}
