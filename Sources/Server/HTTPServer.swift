public import Gateway
import Glibc
public import Logging
public import NIOCore
public import Platform
import Synchronization

/// Event loops that serve HTTP on listening sockets somebody else has bound.
///
/// The sockets stay the caller's and are never closed here.
public final class HTTPServer: Sendable {
    private let allLoops: [ServerLoop]
    /// Those of `allLoops` that were started here.
    private let ownLoops: [ServerLoop]
    private let options: ServerOptions
    private let loops: [NIOLoopBound<LoopContext>]
    private let targets: [AcceptTarget]
    private let drainTimes = Mutex<DrainTimes?>(nil)
    private let acceptors = Mutex<[Acceptor]>([])
    private let memory: MemoryGate?
    private let logger: Logger

    /// Starts `loopCount` event loops; `mainLoop`, which somebody else runs and ends, is the first of them when given.
    /// `makeHandler` and `makeObserver` are called once on each, the latter with the loop's number from 0. Not called on any of
    /// the loops.
    public init(
        loopCount: Int, mainLoop: ServerLoop? = nil, options: ServerOptions, memory: MemoryGate? = nil, logger: Logger,
        makeHandler: @escaping @Sendable (any EventLoop) throws -> any ExchangeHandler,
        makeObserver: @escaping @Sendable (Int) -> (any ServerObserver)?
    ) throws {
        self.options = options
        self.memory = memory
        self.logger = logger
        // Who writes to a connection that is gone is told so by the call itself.
        signal(SIGPIPE, SIG_IGN)
        let own = try (0..<(mainLoop == nil ? loopCount : loopCount - 1)).map {
            try ServerLoop(name: "loop-\($0)", logger: logger)
        }
        ownLoops = own
        let all = (mainLoop.map { [$0] } ?? []) + own
        allLoops = all
        loops = try all.enumerated().map { index, loop in
            try loop.submit {
                NIOLoopBound(
                    LoopContext(
                        eventLoop: loop, options: options, handler: try makeHandler(loop),
                        observer: makeObserver(index), logger: logger), eventLoop: loop)
            }.wait()
        }
        targets = zip(loops, all).map { AcceptTarget(loop: $0, $1.pulse, limit: options.connectionLimit) }
    }

    /// The loops, for what must be started and stopped on each of them.
    public var eventLoops: [any EventLoop] { allLoops }

    /// Accepts connections from a bound, listening socket, which stays open until the server has drained. Connections that
    /// `admits` says no to are answered 403 and closed; it is called on a thread of the socket's own.
    public func serve(
        descriptor: CInt, admits: @escaping @Sendable (CInt) -> Bool = { _ in true }
    ) throws(SystemError) {
        let acceptor = try Acceptor(
            descriptor: descriptor, targets: targets, memory: memory, admits: admits, logger: logger)
        acceptors.withLock { $0.append(acceptor) }
    }

    /// Serves a connected, non-blocking socket, which is the server's from now on, and on which `received` has come already.
    public func take(connection descriptor: CInt, received: [UInt8] = []) {
        targets.min { $0.load < $1.load }?.take(descriptor, received)
    }

    /// From now on connections on which no request was begun go to another server, by `successor`: it gets the socket, of
    /// which it has to make a copy, with what was received, and answers whether it has. Requests that were begun but not
    /// touched go when their handler says so (``Exchange/handOver()``). Called on the loops. From any thread.
    public func handOver(to successor: @escaping @Sendable (CInt, [UInt8]) -> Bool) {
        for loop in loops { loop.eventLoop.execute { loop.value.handOver(to: successor) } }
    }

    /// A loop does not come back from what it does: it gets no new connections meanwhile. From any thread.
    public func loopBlocked() { acceptors.withLock { $0.forEach { $0.loopBlocked() } } }

    /// Accepts nothing for so long, while somebody else is to take the connections. From any thread.
    public func pauseAccepting(for time: TimeAmount) {
        let end = NIODeadline.now() + time
        acceptors.withLock { $0.forEach { $0.pause(until: end) } }
    }

    /// Goes on with other options, and on each loop with the handler that `makeHandler` makes of the present one; requests
    /// that were begun keep theirs. Throws what `makeHandler` throws: then nothing has changed. Blocks.
    public func reconfigure(
        _ options: ServerOptions,
        makeHandler: @escaping @Sendable (any ExchangeHandler) throws -> any ExchangeHandler
    ) throws {
        let made = try loops.map { loop in
            try loop.eventLoop.submit {
                NIOLoopBound(try makeHandler(loop.value.handler), eventLoop: loop.eventLoop)
            }.wait()
        }
        for (loop, handler) in zip(loops, made) {
            loop.eventLoop.execute { loop.value.reconfigure(options, handler.value) }
        }
    }

    /// Stops accepting, after what already waits in the kernel's queue was taken; answers what was begun, and returns
    /// when every connection has ended or its time is up. Blocks. `onAcceptingEnded` is called when nothing is accepted
    /// any more, and may close the sockets. The result is the number of connections cut off.
    public func drain(_ limits: DrainLimits, onAcceptingEnded: () -> Void = {}) -> Int {
        let begin = NIODeadline.now()
        drainTimes.withLock { $0 = DrainTimes(limits, from: begin) }
        for loop in loops { loop.eventLoop.execute { loop.value.beginDraining(limits) } }
        let accepting = acceptors.withLock { all in
            defer { all = [] }
            return all
        }
        for acceptor in accepting { acceptor.stop() }
        onAcceptingEnded()
        while openConnections > 0, NIODeadline.now() < drainTimes.withLock({ $0?.end ?? begin }) {
            // Most are gone at once; those who linger may do so for hours.
            usleep(NIODeadline.now() - begin < .seconds(5) ? 10_000 : 100_000)
        }
        return openConnections + cutOffCount
    }

    /// Ends the time of those who linger, in a drain on its way: they are told now.
    public func endLinger() {
        drainTimes.withLock { $0?.endLinger(at: .now()) }
        for loop in loops { loop.eventLoop.execute { loop.value.endLinger() } }
    }

    /// Connections cut off by the drain so far. Blocks.
    private var cutOffCount: Int {
        loops.reduce(0) { count, loop in
            count + ((try? loop.eventLoop.submit { loop.value.cutOffCount }.wait()) ?? 0)
        }
    }

    /// Connections now open, on all loops. Blocks.
    public var openConnections: Int {
        loops.reduce(0) { count, loop in
            count + ((try? loop.eventLoop.submit { loop.value.unfinishedCount }.wait()) ?? 0)
        }
    }

    /// Ends the loops that were started here; what is still open on them is cut off. Blocks.
    public func shutdown() {
        for loop in ownLoops { loop.stop() }
    }
}
