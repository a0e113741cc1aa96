import Dispatch
import Synchronization

/// Waits on the main thread for the asynchronous work of starting and stopping.
enum Blocking {
    /// Runs `body` and waits for its result; nil is what `body` returned.
    static func wait(_ body: @escaping @Sendable () async -> String?) -> String? {
        let outcome = Outcome()
        Task.detached { outcome.set(await body()) }
        return outcome.wait()
    }

    private final class Outcome: Sendable {
        private let text = Mutex<String?>(nil)
        private let isDone = DispatchSemaphore(value: 0)

        func set(_ value: String?) {
            text.withLock { $0 = value }
            isDone.signal()
        }

        func wait() -> String? {
            isDone.wait()
            return text.withLock { $0 }
        }
    }
}
