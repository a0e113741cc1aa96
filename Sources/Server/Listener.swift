import Glibc
import NIOCore
import NIOPosix

/// A listening socket as one event loop accepts from it.
enum Listener {
    /// Adopts `descriptor` on the loop; the resulting channel owns it.
    static func start(on loop: NIOLoopBound<LoopContext>, descriptor: CInt, backlog: CInt) -> EventLoopFuture<any Channel>
    {
        ServerBootstrap(group: loop.eventLoop)
            // NIO takes four connections a turn otherwise; a burst would wait in the queue.
            .serverChannelOption(.maxMessagesPerRead, value: 256)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptBackoffHandler())
                    try channel.pipeline.syncOperations.addHandler(AcceptLimitHandler(loop: loop.value))
                }
            }
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(HTTP1Connection(loop: loop.value))
                }
            }
            .withBoundSocket(descriptor)
            .map { channel in
                // Adopting has shortened the queue of the shared socket to NIO's default.
                _ = listen(descriptor, backlog)
                return channel
            }
    }
}

/// Stops accepting while the loop holds as many connections as it may: the rest wait in the kernel's queue, and idle
/// connections make room for them.
final class AcceptLimitHandler: ChannelDuplexHandler {
    typealias InboundIn = Channel
    typealias OutboundIn = Channel

    private let loop: LoopContext
    private var isReadHeld = false

    init(loop: LoopContext) { self.loop = loop }

    func handlerAdded(context: ChannelHandlerContext) {
        loop.onConnectionClosed.append { [self, unowned context] in
            guard isReadHeld, hasRoom else { return }
            isReadHeld = false
            context.read()
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        // Draining: nothing is accepted any more, and nothing is left to wake.
        loop.onConnectionClosed.removeAll()
    }

    func read(context: ChannelHandlerContext) {
        if hasRoom {
            context.read()
        } else {
            isReadHeld = true
            loop.closeOneIdle()
        }
    }

    private var hasRoom: Bool { loop.connections.count < loop.options.connectionLimit }
}
