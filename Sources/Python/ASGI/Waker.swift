import CPython
import Dispatch
import Glibc
import NIOCore
import Platform
import Synchronization

/// The server's side of a guest loop, as Python sees it: `wake()` from any thread, `watch(fd)` once.
final class Waker: @unchecked Sendable {
    // Sendable: `loop` is touched on the event loop alone, the rest is atomic or constant.
    private let eventLoop: any EventLoop
    private let isAsked = Atomic(false)
    private let isStopped = Atomic(false)
    weak var loop: GuestLoop?

    nonisolated(unsafe) private static var type: NativeType?

    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

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

    /// Waits for the descriptor on a thread of its own, for an event loop cannot wait for one that is not its own. It is
    /// an epoll set: ready when any of the application's descriptors is.
    private func watch(_ descriptor: Int32) {
        try? DedicatedThread.start(name: "guest-poll", stackSize: 256 * 1024) { [self] in
            let turnDone = DispatchSemaphore(value: 0)
            while !isStopped.load(ordering: .relaxed) {
                var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                let count = poll(&waiting, 1, 1000)
                guard count > 0 else {
                    if count < 0, errno != EINTR { return }
                    continue
                }
                guard waiting.revents & Int16(POLLNVAL) == 0 else { return }
                eventLoop.execute {
                    self.loop?.turnNow()
                    turnDone.signal()
                }
                turnDone.wait()
            }
        }
    }

    func stop() { isStopped.store(true, ordering: .relaxed) }
}
