import Gateway
import NIOCore
import Synchronization

/// An exchange kept for later, and answered from the test's thread.
final class HeldExchange: @unchecked Sendable {
    // Sendable: the exchange is set once, and touched on its loop alone.
    private var exchange: (any Exchange)?
    private let isSet = Atomic(false)

    func hold(_ exchange: any Exchange) {
        self.exchange = exchange
        isSet.store(true, ordering: .releasing)
    }

    /// Waits until it has come.
    func wait() { _ = eventually { isSet.load(ordering: .acquiring) } }

    /// Answers it on its loop, once it has come.
    func release(_ answer: @escaping @Sendable (any Exchange) -> Void) {
        guard eventually({ isSet.load(ordering: .acquiring) }), let exchange else { return }
        nonisolated(unsafe) let held = exchange
        exchange.eventLoop.execute { answer(held) }
    }
}
