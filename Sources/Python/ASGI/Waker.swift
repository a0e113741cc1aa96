import CPython
import Logging
import NIOCore
import Platform
import Synchronization

/// The server's side of a guest loop, as Python sees it: `wake()` from any thread, `watch(fd)` once.
final class Waker: @unchecked Sendable {
    // Sendable: `loop` and `watched` are touched on the event loop alone, the rest is atomic or constant.
    private let eventLoop: any EventLoop
    private let isAsked = Atomic(false)
    private let logger: Logger
    weak var loop: GuestLoop?
    private var watched: Int32?

    nonisolated(unsafe) private static var type: NativeType?

    init(_ eventLoop: any EventLoop, logger: Logger) {
        self.eventLoop = eventLoop
        self.logger = logger
    }

    /// The Python object; nil with an exception set.
    static func object(_ waker: Waker, _ header: Int) -> OpaquePointer? {
        if type == nil {
            var slots = NativeType.Slots()
            slots.methods = [
                NativeFunction("wake") { me, _, _ in
                    me.flatMap(Waker.of)?.wake()
                    return Py.none
                },
                NativeFunction("watch") { me, arguments, count in
                    guard let arguments, count == 1 else { return nil }
                    me.flatMap(Waker.of)?.watch(Int32(truncatingIfNeeded: PyLong_AsLongLong(arguments[0])))
                    return Py.none
                },
            ]
            type = try? NativeType("_portico.Host", header: header, slots) { Waker.type?.free($0) }
        }
        return type?.make(waker)
    }

    private static func of(_ instance: OpaquePointer) -> Waker? { type?.object(of: instance, as: Waker.self) }

    /// Asks for a turn, from any thread.
    private func wake() {
        guard !isAsked.exchange(true, ordering: .acquiringAndReleasing) else { return }
        eventLoop.execute {
            self.isAsked.store(false, ordering: .releasing)
            self.loop?.scheduleTurn()
        }
    }

    /// Waits for `descriptor`, an epoll set, which is ready when any of the application's descriptors is.
    private func watch(_ descriptor: Int32) {
        guard eventLoop.inEventLoop else { return eventLoop.execute { self.watch(descriptor) } }
        guard let eventLoop = eventLoop as? any DescriptorLoop else { return }
        do throws(SystemError) {
            try eventLoop.whenReadable(descriptor) { [weak self] in self?.loop?.turnNow() }
            watched = descriptor
        } catch {
            logger.error("the descriptors of the application's loop cannot be watched: \(error)")
        }
    }

    /// Before the guest closes its epoll set. On the event loop.
    func stop() {
        if let watched { (eventLoop as? any DescriptorLoop)?.forget(watched) }
        watched = nil
    }
}
