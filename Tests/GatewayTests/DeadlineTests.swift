import HTTP
import NIOCore
import Platform
import Synchronization
import Testing

@testable import Gateway

#if canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// What becomes of an application whose request has had its time.
@Suite struct DeadlineTests {
    /// A watchdog, and what it finds.
    final class Watch: Sendable {
        let log = LogRecorder()
        let watchdog: Watchdog

        init(grace: Duration = .seconds(3600), stuck: Duration? = nil, notice: Duration = .seconds(3600)) throws {
            var options = Watchdog.Options()
            options.grace = grace
            options.stuck = stuck
            options.notice = notice
            var reactions = Watchdog.Reactions()
            let findings = Findings()
            reactions.found = { finding in findings.all.withLock { $0.append(finding) } }
            found = findings
            watchdog = try Watchdog(options, reactions, logger: log.logger)
            try watchdog.start()
        }

        private final class Findings: Sendable {
            let all = Mutex<[Watchdog.Finding]>([])
        }
        private let found: Findings

        var all: [Watchdog.Finding] { found.all.withLock { $0 } }

        deinit { watchdog.stop() }
    }

    private static func page(_ code: Int, _ reason: String, extra: String = "") -> FakeExchange.Event {
        let body = "\(code) \(reason)\nRequest request-1\n"
        return .respond(
            code, fields: "Content-Type: text/plain; charset=utf-8, Content-Length: \(body.utf8.count)\(extra)",
            body: body)
    }

    static let timeout = page(504, "Gateway Timeout")

    // MARK: Asynchronous

    private func startASGI(
        _ exchange: FakeExchange, _ watch: Watch,
        _ application: @escaping @Sendable (Scope, Receive, Send) async throws -> Void
    ) {
        exchange.eventLoop.execute {
            let handler = ASGIHandler(
                ASGIFunction(application), on: exchange.eventLoop, watchdog: watch.watchdog, logger: watch.log.logger)
            handler.handle(exchange, scriptName: "", path: "/page")
        }
    }

    @Test func anAsynchronousApplicationIsCancelledAndCleansUp() async throws {
        let watch = try Watch()
        let exchange = FakeExchange(RequestHead(.get, "/slow?secret=1"), on: anyLoop())
        let (began, cleaned) = (Gate(), Gate())
        startASGI(exchange, watch) { _, _, send in
            began.open()
            do {
                try await Task.sleep(for: .seconds(3600))
            } catch {
                #expect(error is CancellationError)
                #expect(RequestDeadline.hasPassed)
                await #expect(throws: ASGIError.disconnected) { try await send(.responseStart(.plain)) }
                cleaned.open()
                throw error
            }
        }
        await began.opened()
        exchange.passLimit()
        #expect(await exchange.done() == [Self.timeout])
        await cleaned.opened()
        await eventually { watch.log.all.count == 1 }
        #expect(
            watch.log.all.first?.hasPrefix("error GET /slow took longer than 60 s and was answered with 504") == true)
        #expect(watch.log.all.first?.hasSuffix("request-id=request-1") == true)
        #expect(!watch.log.all.joined().contains("secret"))
        #expect(watch.all.isEmpty)
    }

    @Test func aResponseThatHasBegunIsCutOff() async throws {
        let watch = try Watch()
        let exchange = FakeExchange(on: anyLoop())
        let began = Gate()
        startASGI(exchange, watch) { _, _, send in
            try await send(.responseStart(.plain))
            try await send(.responseBody(ByteBuffer(string: "part"), moreBody: true))
            began.open()
            try await Task.sleep(for: .seconds(3600))
        }
        await began.opened()
        exchange.passLimit()
        #expect(await exchange.done().last == .abort)
        await eventually { watch.log.all.contains { $0.contains("was cut off") } }
    }

    @Test func whoWaitsForTheClientIsToldAndCancelled() async throws {
        let watch = try Watch()
        let exchange = FakeExchange(on: anyLoop())
        let (began, ended) = (Gate(), Gate())
        startASGI(exchange, watch) { _, receive, _ in
            _ = try await receive()
            began.open()
            guard case .disconnect = try await receive() else { throw Failure() }
            ended.open()
        }
        await began.opened()
        await exchange.until { $0.isReceiving }
        exchange.passLimit()
        #expect(await exchange.done() == [Self.timeout])
        await ended.opened()
    }

    @Test func whoIgnoresCancellationIsReported() async throws {
        let watch = try Watch(grace: .milliseconds(50))
        let exchange = FakeExchange(RequestHead(.get, "/deaf"), on: anyLoop())
        let (began, end) = (Gate(), Gate())
        startASGI(exchange, watch) { _, _, _ in
            began.open()
            await end.opened()
        }
        await began.opened()
        exchange.passLimit()
        #expect(await exchange.done() == [Self.timeout])
        await eventually { !watch.all.isEmpty }
        #expect(watch.all == [.requestStuck("GET /deaf")])
        #expect(watch.log.all.contains { $0.hasPrefix("error GET /deaf has not left within 0.05 s of its deadline") })
        end.open()
    }

    @Test func aClientThatHasLeftIsNotAnswered() async throws {
        let watch = try Watch()
        let exchange = FakeExchange(on: anyLoop())
        let (began, ended) = (Gate(), Gate())
        startASGI(exchange, watch) { _, _, _ in
            began.open()
            try? await Task.sleep(for: .seconds(3600))
            ended.open()
        }
        await began.opened()
        exchange.disconnect()
        exchange.passLimit()
        await ended.opened()
        #expect(await exchange.read { $0.events }.isEmpty)
        await eventually { watch.log.all.contains { $0.contains("its client had left") } }
    }

    // MARK: Synchronous

    private func startWSGI(
        _ exchange: FakeExchange, _ watch: Watch, _ pool: ThreadPool,
        _ application: @escaping @Sendable (Environ, StartResponse) throws -> any WSGIBody
    ) {
        exchange.eventLoop.execute {
            var options = WSGIHandler.Options()
            options.watchdog = watch.watchdog
            let handler = WSGIHandler(
                WSGIFunction(application), on: exchange.eventLoop, pool: pool, options: options,
                logger: watch.log.logger)
            handler.handle(exchange, scriptName: "", path: "/page")
        }
    }

    @Test func aThreadThatIsStuckIsReplaced() async throws {
        let watch = try Watch(grace: .milliseconds(50))
        let pool = try ThreadPool(threads: 1, queueLimit: 8)
        let (began, end) = (Gate(), Gate())
        let stuck = FakeExchange(RequestHead(.get, "/stuck"), on: anyLoop())
        startWSGI(stuck, watch, pool) { _, start in
            began.open()
            end.wait()
            try start(.ok, plain)
            return WholeBody("late")
        }
        await began.opened()
        // Behind it, and with time left.
        let next = FakeExchange(on: anyLoop())
        startWSGI(next, watch, pool) { _, start in
            try start(.ok, plain)
            return WholeBody("next")
        }
        stuck.passLimit()
        #expect(await stuck.done() == [Self.timeout])
        guard case .respond(200, _, "next") = await next.done().last else {
            Issue.record("the next request is answered by another thread")
            return
        }
        await eventually { !watch.all.isEmpty }
        #expect(watch.all == [.requestStuck("GET /stuck")])
        #expect(pool.abandonedThreads == 1)
        #expect(
            watch.log.all.contains { $0.contains("GET /stuck took longer than 60 s") && $0.contains("it stands at") })
        end.open()
        await drain(pool)
        #expect(await stuck.read { $0.events } == [Self.timeout])
        #expect(pool.counts.busy == 0)
    }

    @Test func aSynchronousApplicationCanLook() async throws {
        let watch = try Watch()
        let pool = try ThreadPool(threads: 1, queueLimit: 8)
        let (began, left) = (Gate(), Gate())
        let exchange = FakeExchange(on: anyLoop())
        startWSGI(exchange, watch, pool) { _, _ in
            began.open()
            while !RequestDeadline.hasPassed { usleep(1000) }
            left.open()
            throw Failure()
        }
        await began.opened()
        exchange.passLimit()
        #expect(await exchange.done() == [Self.timeout])
        await left.opened()
        await drain(pool)
        #expect(watch.all.isEmpty)
        #expect(pool.abandonedThreads == 0)
    }

    @Test func whatHasNotBegunIsNotRun() async throws {
        let watch = try Watch()
        let pool = try ThreadPool(threads: 1, queueLimit: 8)
        let (began, end) = (Gate(), Gate())
        try pool.submit {
            began.open()
            end.wait()
        }
        await began.opened()
        let called = Counter()
        let exchange = FakeExchange(RequestHead(.get, "/queued"), on: anyLoop())
        startWSGI(exchange, watch, pool) { _, _ in
            called.increment()
            throw Failure()
        }
        await eventually { pool.counts.queued == 1 }
        exchange.passLimit()
        #expect(await exchange.done() == [Self.page(503, "Service Unavailable", extra: ", Retry-After: 1")])
        end.open()
        await drain(pool)
        #expect(called.value == 0)
        #expect(watch.log.all.contains { $0.hasPrefix("warning GET /queued has waited in vain for a thread") })
    }

    @Test func aStreamIsCutOffAndItsThreadLearnsIt() async throws {
        let watch = try Watch()
        let pool = try ThreadPool(threads: 1, queueLimit: 8)
        let exchange = FakeExchange(on: anyLoop())
        let end = Gate()
        let closed = Counter()
        startWSGI(exchange, watch, pool) { _, start in
            try start(.ok, plain)
            return GatedBody(end, closed)
        }
        await exchange.until { $0.body == "first" }
        exchange.passLimit()
        #expect(await exchange.done().last == .abort)
        exchange.disconnect()
        end.open()
        await drain(pool)
        #expect(closed.value == 1)
        #expect(watch.all.isEmpty)
    }

    /// A first piece at once, and others when the gate is open.
    struct GatedBody: WSGIBody {
        let gate: Gate
        let closed: Counter
        var count = 0

        init(_ gate: Gate, _ closed: Counter) {
            self.gate = gate
            self.closed = closed
        }

        mutating func next() throws -> ByteBuffer? {
            count += 1
            guard count > 1 else { return ByteBuffer(string: "first") }
            gate.wait()
            return count > 1000 ? nil : ByteBuffer(string: "more")
        }

        mutating func close() { closed.increment() }
    }

    // MARK: Work of tasks on threads

    @Test func aCancelledTaskDoesNotWaitForAThread() async throws {
        let pool = try ThreadPool(threads: 1, queueLimit: 8)
        let (began, end) = (Gate(), Gate())
        try pool.submit {
            began.open()
            end.wait()
        }
        await began.opened()
        let called = Counter()
        let task = Task { try await pool.run { called.increment() } }
        await eventually { pool.counts.queued == 1 }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        end.open()
        await drain(pool)
        #expect(called.value == 0)
        await #expect(throws: ThreadPoolError.closed) { try await pool.run {} }
    }

    @Test func whatATaskHasOnAThreadIsFoundAndReplaced() async throws {
        let watch = try Watch(grace: .milliseconds(50))
        let pool = try ThreadPool(threads: 1, queueLimit: 8)
        let (began, end) = (Gate(), Gate())
        let exchange = FakeExchange(RequestHead(.get, "/view"), on: anyLoop())
        startASGI(exchange, watch) { _, _, _ in
            try await pool.run {
                began.open()
                end.wait()
                #expect(RequestDeadline.hasPassed)
            }
        }
        await began.opened()
        exchange.passLimit()
        #expect(await exchange.done() == [Self.timeout])
        await eventually { !watch.all.isEmpty }
        #expect(watch.all == [.requestStuck("GET /view")])
        #expect(try await pool.run { 7 } == 7, "another thread has taken its place")
        end.open()
        await drain(pool)
    }

    // MARK: Loops

    final class Loop: WatchedLoop, Sendable {
        let pulse = LoopPulse()
    }

    /// Stops what waits at a gate.
    final class GateInterrupter: LoopInterrupter {
        let gate: Gate
        let values = Mutex<[UInt64]>([])

        init(_ gate: Gate) { self.gate = gate }

        func arm(at value: UInt64) -> Int32 {
            values.withLock { $0.append(value) }
            gate.open()
            // One that does nothing where nobody waits for it, as tests beside this one may for others.
            return SIGCONT
        }
        var isPending: Bool { false }
        func hasRaised(at value: UInt64) -> Bool { values.withLock { $0.contains(value) } }
        func stack() -> String? { "in a gate" }
    }

    @Test func aBlockedLoopIsInterrupted() async throws {
        let watch = try Watch(stuck: .milliseconds(50), notice: .milliseconds(20))
        let (loop, gate, done) = (Loop(), Gate(), Gate())
        let interrupter = GateInterrupter(gate)
        loop.pulse.setInterrupter(interrupter)
        watch.watchdog.watch(loop)
        let value = loop.run {
            gate.wait()
            done.open()
        }
        await done.opened()
        #expect(interrupter.values.withLock { $0 } == [value])
        await eventually { watch.log.all.contains { $0.contains("the event loop was blocked for") } }
        #expect(watch.log.all.contains { $0.hasPrefix("error") && $0.contains("is interrupted; it stands at") })
        #expect(
            watch.log.all.contains { $0.hasPrefix("error something on the event loop has blocked its event loop for") })
        #expect(watch.all.isEmpty)
        await eventually { !loop.pulse.isBlocked }
    }

    @Test func aLoopThatDoesNotComeBackIsReported() async throws {
        let watch = try Watch(grace: .milliseconds(50), stuck: .milliseconds(50))
        let (loop, gate) = (Loop(), Gate())
        watch.watchdog.watch(loop)
        loop.run { gate.wait() }
        await eventually { !watch.all.isEmpty }
        #expect(watch.all == [.loopStuck("something on the event loop")])
        #expect(loop.pulse.isBlocked)
        #expect(watch.log.all.contains { $0.contains("cannot be interrupted") })
        gate.open()
    }

    @Test func aRequestMayBlockALoopForItsOwnTimeOnly() {
        let pulse = LoopPulse()
        #expect(pulse.limit(stuck: .seconds(30)) == .seconds(30))
        pulse.allow(5_000_000_000)
        #expect(pulse.limit(stuck: .seconds(30)) == .seconds(5))
        pulse.allow(.max)
        #expect(pulse.limit(stuck: .seconds(30)) == .seconds(30))
        pulse.servesInline()
        #expect(pulse.limit(stuck: .seconds(30)) == nil)
        pulse.allow(90_000_000_000)
        #expect(pulse.limit(stuck: .seconds(30)) == .seconds(90))
        pulse.allow(0)
        #expect(pulse.limit(stuck: .seconds(30)) == .seconds(30))
    }
}

extension DeadlineTests.Loop {
    /// Does `work` as the loop, on a thread of its own; the result is the pulse meanwhile.
    @discardableResult
    func run(_ work: @escaping @Sendable () -> Void) -> UInt64 {
        let pulse = pulse
        pulse.beat()
        let value = pulse.value
        try? DedicatedThread.start(name: "loop") {
            pulse.adoptThread()
            work()
            pulse.rest()
        }
        return value
    }
}

/// Waits for what another thread is about to do.
private func eventually(_ condition: @Sendable () -> Bool) async {
    for _ in 0..<6000 where !condition() { try? await Task.sleep(for: .milliseconds(5)) }
    #expect(condition(), "waited in vain")
}
