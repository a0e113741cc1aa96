import Synchronization
import Testing

@testable import Gateway

/// What threads of a pool keep from one job to the next.
@Suite(.timeLimit(.minutes(10)))
struct ThreadLeaseTests {
    @Test("one thread takes a lease once for the jobs that wait together, and gives it back before it waits")
    func kept() async throws {
        let pool = try ThreadPool(threads: 1, queueLimit: 100)
        let events = Events()
        let gate = Gate()
        try pool.submit { gate.wait() }
        let accepted = pool.submit(
            (0..<3).map { number in PoolJob(events.lease, running: { events.note("job \(number)") }) })
        #expect(accepted == 3)
        gate.open()
        await drain(pool)
        #expect(events.all == ["begin", "job 0", "job 1", "job 2", "end"])
    }

    @Test("a job that does not want the lease runs without it")
    func exchanged() async throws {
        let pool = try ThreadPool(threads: 1, queueLimit: 100)
        let events = Events()
        let gate = Gate()
        try pool.submit { gate.wait() }
        let jobs = [
            PoolJob(events.lease, running: { events.note("with") }), PoolJob(running: { events.note("without") }),
            PoolJob(events.lease, running: { events.note("with again") }),
        ]
        #expect(pool.submit(jobs) == 3)
        gate.open()
        await drain(pool)
        #expect(events.all == ["begin", "with", "end", "without", "begin", "with again", "end"])
    }

    @Test("while one job with the lease waits, the other threads take the rest")
    func handedOn() async throws {
        let pool = try ThreadPool(threads: 3, queueLimit: 100)
        let lease = ThreadLease(begin: {}, end: {})
        let gates = (0..<3).map { _ in Gate() }
        let begun = (0..<3).map { _ in Gate() }
        let jobs = (0..<3).map { index in
            PoolJob(
                lease,
                running: {
                    begun[index].open()
                    gates[index].wait()
                })
        }
        #expect(pool.submit(jobs) == 3)
        for gate in begun { await gate.opened() }
        for gate in gates { gate.open() }
        await drain(pool)
        #expect(pool.counts.started == 3)
    }

    @Test("of jobs that come together, those that find no room are refused, in order")
    func refused() async throws {
        let pool = try ThreadPool(threads: 1, queueLimit: 2)
        let gate = Gate()
        let begun = Gate()
        try pool.submit {
            begun.open()
            gate.wait()
        }
        await begun.opened()
        let events = Events()
        let accepted = pool.submit((0..<5).map { number in PoolJob(running: { events.note("job \(number)") }) })
        #expect(accepted == 2)
        #expect(pool.counts.refused == 3)
        gate.open()
        await drain(pool)
        #expect(events.all == ["job 0", "job 1"])
        #expect(pool.submit([PoolJob(running: {})]) == 0)
    }
}

extension PoolJob {
    /// One that leaves its thread to the next.
    fileprivate init(_ lease: ThreadLease? = nil, running body: @escaping @Sendable () -> Void) {
        self.init(lease) { _ in
            body()
            return false
        }
    }
}

/// What happened, in order, and a lease that tells when it is taken and given back.
private final class Events: Sendable {
    private final class List: Sendable {
        let events = Mutex<[String]>([])

        func note(_ event: String) { events.withLock { $0.append(event) } }
    }

    private let list = List()
    let lease: ThreadLease

    init() {
        lease = ThreadLease(begin: { [list] in list.note("begin") }, end: { [list] in list.note("end") })
    }

    var all: [String] { list.events.withLock { $0 } }

    func note(_ event: String) { list.note(event) }
}
