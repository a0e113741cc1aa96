#if canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A mutex with one condition: threads wait in it for what another thread or an event loop tells them.
///
/// Fair enough for a queue of jobs: who waits longest is woken first (futex order), and nobody spins.
final class Monitor: @unchecked Sendable {
    // Sendable: both pointers are set once; what they point to is made for sharing.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    init() {
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        // With default attributes these only write the memory above; they have no way to fail on Linux.
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    @inline(__always)
    func lock() { pthread_mutex_lock(mutex) }

    @inline(__always)
    func unlock() { pthread_mutex_unlock(mutex) }

    /// Gives up the lock until signalled; the caller holds it, holds it again afterwards, and checks its condition anew.
    @inline(__always)
    func wait() { pthread_cond_wait(condition, mutex) }

    @inline(__always)
    func signal() { pthread_cond_signal(condition) }

    @inline(__always)
    func broadcast() { pthread_cond_broadcast(condition) }

    @inline(__always)
    func withLock<T>(_ body: () throws -> T) rethrows -> T {
        lock()
        defer { unlock() }
        return try body()
    }
}
