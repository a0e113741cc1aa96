import NIOCore
import Synchronization
import Testing

@testable import Gateway

/// The worker threads and the queue in front of them.
@Suite(.timeLimit(.minutes(10)))
struct ThreadPoolTests {
    @Test("jobs run in the order they were submitted")
    func order() async throws {
        let pool = try ThreadPool(threads: 1, queueLimit: 100)
        let seen = Mutex<[Int]>([])
        for number in 0..<100 {
            _ = try? await pool.run { seen.withLock { $0.append(number) } }
        }
        await drain(pool)
        #expect(seen.withLock { $0 } == Array(0..<100))
    }

    @Test("a full queue refuses at once, and is counted")
    func full() async throws {
        let pool = try ThreadPool(threads: 2, queueLimit: 3)
        let gate = Gate()
        let begun = [Gate(), Gate()]
        for index in 0..<2 {
            try pool.submit {
                begun[index].open()
                gate.wait()
            }
            await begun[index].opened()
        }
        for _ in 0..<3 { try pool.submit {} }
        #expect(throws: ThreadPoolError.queueFull) { try pool.submit {} }
        await #expect(throws: ThreadPoolError.queueFull) { try await pool.run { 1 } }
        var counts = pool.counts
        #expect(counts.queueNanoseconds > 0)
        counts.queueNanoseconds = 0
        #expect(counts == ThreadPool.Counts(busy: 2, queued: 3, started: 2, refused: 2))
        gate.open()
        await drain(pool)
        counts = pool.counts
        counts.queueNanoseconds = 0
        #expect(counts == ThreadPool.Counts(busy: 0, queued: 0, started: 5, refused: 2))
    }

    @Test("a job that has waited too long is not run, and is counted")
    func expiry() async throws {
        let pool = try ThreadPool(threads: 1, queueLimit: 10, longestWait: .milliseconds(50))
        let gate = Gate()
        let begun = Gate()
        try pool.submit {
            begun.open()
            gate.wait()
        }
        await begun.opened()
        let seen = Mutex<[String]>([])
        try pool.submit({ seen.withLock { $0.append("ran") } }, expired: { seen.withLock { $0.append("expired") } })
        let waiting = Task { try await pool.run { seen.withLock { $0.append("ran") } } }
        while pool.counts.queued < 2 { try await Task.sleep(for: .milliseconds(1)) }
        try await Task.sleep(for: .milliseconds(100))
        gate.open()
        await #expect(throws: ThreadPoolError.waitedTooLong) { try await waiting.value }
        #expect(seen.withLock { $0 } == ["expired"])
        #expect(pool.counts.expired == 2 && pool.counts.started == 1)
        // Whoever comes when there is a thread is served.
        while pool.counts.busy > 0 { try await Task.sleep(for: .milliseconds(1)) }
        _ = try await pool.run { seen.withLock { $0.append("ran") } }
        #expect(seen.withLock { $0.last } == "ran")
        await drain(pool)
    }

    @Test("without a queue, an idle thread still takes a job")
    func unqueued() async throws {
        let pool = try ThreadPool(threads: 1, queueLimit: 0)
        let gate = Gate()
        let begun = Gate()
        // The thread may not have come to wait yet: refused until it has.
        while true {
            do {
                try pool.submit {
                    begun.open()
                    gate.wait()
                }
                break
            } catch ThreadPoolError.queueFull {
                await Task.yield()
            }
        }
        await begun.opened()
        #expect(throws: ThreadPoolError.queueFull) { try pool.submit {} }
        gate.open()
        await drain(pool)
    }

    @Test("shutting down runs what is queued and refuses what comes")
    func shutdown() async throws {
        let pool = try ThreadPool(threads: 1, queueLimit: 10)
        let gate = Gate()
        let ran = Counter()
        for _ in 0..<5 {
            try pool.submit {
                gate.wait()
                ran.increment()
            }
        }
        pool.close()
        #expect(throws: ThreadPoolError.closed) { try pool.submit {} }
        gate.open()
        await drain(pool)
        #expect(ran.value == 5)
        await drain(pool)
    }

    @Test("run hands back what is returned and thrown")
    func run() async throws {
        let pool = try ThreadPool(threads: 1, queueLimit: 1)
        #expect(try await pool.run { 6 * 7 } == 42)
        await #expect(throws: Failure()) { try await pool.run { throw Failure() } }
        await drain(pool)
    }

    @Test("run comes back to the loop that the calling task runs on")
    func comesBack() async throws {
        let pool = try ThreadPool(threads: 1, queueLimit: 1)
        let loop = anyLoop()
        let places = try await Task(executorPreference: LoopExecutor(loop)) {
            let before = loop.inEventLoop
            let inside = try await pool.run { loop.inEventLoop }
            return [before, inside, loop.inEventLoop]
        }.value
        #expect(places == [true, false, true])
        await drain(pool)
    }

    @Test("threads carry their name")
    func names() async throws {
        let pool = try ThreadPool(threads: 1, queueLimit: 1, name: "sync")
        #expect(try await pool.run { try readLines("/proc/thread-self/comm") } == ["sync-0"])
        await drain(pool)
    }

    private func readLines(_ path: String) throws -> [String] {
        var body = try FileBody(takingOwnershipOf: openForReading(path), count: 64)
        defer { body.close() }
        return try body.next().map { String(buffer: $0).split(separator: "\n").map(String.init) } ?? []
    }
}
