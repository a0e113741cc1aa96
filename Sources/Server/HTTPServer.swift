public import Gateway
public import Logging
public import NIOCore
import Glibc
import NIOPosix

import Synchronization

/// Event loops that serve HTTP on listening sockets somebody else has bound.
///
/// Every loop accepts for itself from every socket. The sockets stay the caller's: only duplicates are closed.
public final class HTTPServer: Sendable {
    private let group: MultiThreadedEventLoopGroup
    private let options: ServerOptions
    private let loops: [NIOLoopBound<LoopContext>]
    private let listeners = Mutex<[any Channel]>([])
    private let logger: Logger

    /// Starts `loopCount` event loops. `makeHandler` and `makeObserver` are called once on each.
    public init(
        loopCount: Int, options: ServerOptions, logger: Logger,
        makeHandler: @escaping @Sendable (any EventLoop) throws -> any ExchangeHandler,
        makeObserver: @escaping @Sendable (any EventLoop) -> (any ServerObserver)?
    ) throws {
        self.options = options
        self.logger = logger
        let group = MultiThreadedEventLoopGroup(numberOfThreads: loopCount)
        self.group = group
        loops = try group.makeIterator().map { loop in
            try loop.submit {
                NIOLoopBound(
                    LoopContext(
                        eventLoop: loop, options: options, handler: try makeHandler(loop),
                        observer: makeObserver(loop), logger: logger), eventLoop: loop)
            }.wait()
        }
    }

    /// The loops, for what must be started and stopped on each of them.
    public var eventLoops: [any EventLoop] { Array(group.makeIterator()) }

    /// Accepts connections from a bound, listening socket. `descriptor` stays open and the caller's.
    public func serve(descriptor: CInt, backlog: CInt) throws {
        for loop in loops {
            let own = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
            guard own >= 0 else { throw IOError(errnoCode: errno, reason: "cannot duplicate a listening socket") }
            let listener = try Listener.start(on: loop, descriptor: own, backlog: backlog).wait()
            listeners.withLock { $0.append(listener) }
        }
    }

    /// Stops accepting, after what already waits in the kernel's queue was taken; answers what was begun, and returns
    /// when every connection has ended or `limit` has passed. Blocks. The result is the number of connections cut off.
    public func drain(within limit: TimeAmount) -> Int {
        let deadline = NIODeadline.now() + limit
        for loop in loops { loop.eventLoop.execute { loop.value.beginDraining() } }
        // Whoever connected before the signal is in the queue or was just accepted: a moment to take and to hear them.
        usleep(100_000)
        for listener in listeners.withLock({ $0 }) { try? listener.close().wait() }
        for loop in loops { loop.eventLoop.execute { loop.value.closeIdle() } }
        while openConnections > 0, NIODeadline.now() < deadline { usleep(10_000) }
        return openConnections
    }

    /// Connections now open, on all loops. Blocks.
    public var openConnections: Int {
        loops.reduce(0) { count, loop in
            count + ((try? loop.eventLoop.submit { loop.value.connections.count }.wait()) ?? 0)
        }
    }

    /// Ends the loops; what is still open is cut off. Blocks.
    public func shutdown() { try? group.syncShutdownGracefully() }
}
