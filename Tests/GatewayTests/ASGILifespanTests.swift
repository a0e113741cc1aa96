import Gateway
import HTTP
import NIOCore
import Testing

/// An asynchronous application's start and end (protocols L3–L6).
@Suite(.timeLimit(.minutes(10)))
struct ASGILifespanTests {
    func lifespan(
        log: LogRecorder = LogRecorder(), _ application: @escaping @Sendable (Receive, Send) async throws -> Void
    ) -> ASGILifespan {
        ASGILifespan(
            ASGIFunction { scope, receive, send in
                guard case .lifespan = scope else { throw Failure() }
                try await application(receive, send)
            }, on: anyLoop(), logger: log.logger)
    }

    @Test("L3, L6: startup and shutdown wait for their completion")
    func complete() async throws {
        let started = Counter()
        let ended = Counter()
        let lifespan = lifespan { receive, send in
            guard case .startup = try await receive() else { throw Failure() }
            started.increment()
            try await send(.startupComplete)
            guard case .shutdown = try await receive() else { throw Failure() }
            ended.increment()
            try await send(.shutdownComplete)
        }
        try await lifespan.startup(timeout: .seconds(30))
        #expect((started.value, ended.value) == (1, 0))
        try await lifespan.shutdown(timeout: .seconds(30))
        #expect((started.value, ended.value) == (1, 1))
    }

    @Test("L4: an application that raises or returns is served without lifespan", arguments: [true, false])
    func unsupported(raises: Bool) async throws {
        let lifespan = lifespan { _, _ in if raises { throw Failure() } }
        try await lifespan.startup(timeout: .seconds(30))
        try await lifespan.shutdown(timeout: .seconds(30))
    }

    @Test("L5, L6: what the application says of its failure is what is thrown")
    func failed() async throws {
        await #expect(throws: LifespanError.startupFailed(message: "no database")) {
            try await lifespan { receive, send in
                _ = try await receive()
                try await send(.startupFailed(message: "no database"))
            }.startup(timeout: .seconds(30))
        }
        let second = lifespan { receive, send in
            _ = try await receive()
            try await send(.startupComplete)
            _ = try await receive()
            try await send(.shutdownFailed(message: "busy"))
        }
        try await second.startup(timeout: .seconds(30))
        await #expect(throws: LifespanError.shutdownFailed(message: "busy")) {
            try await second.shutdown(timeout: .seconds(30))
        }
    }

    @Test("L6: both have a limit")
    func timeouts() async throws {
        let never = Gate()
        await #expect(throws: LifespanError.startupTimedOut) {
            try await lifespan { _, _ in await never.opened() }.startup(timeout: .milliseconds(1))
        }
        let second = lifespan { receive, send in
            _ = try await receive()
            try await send(.startupComplete)
            await never.opened()
        }
        try await second.startup(timeout: .seconds(30))
        await #expect(throws: LifespanError.shutdownTimedOut) { try await second.shutdown(timeout: .milliseconds(1)) }
        never.open()
    }

    @Test("an application that ends between the two needs no shutdown")
    func endsEarly() async throws {
        let lifespan = lifespan { receive, send in
            _ = try await receive()
            try await send(.startupComplete)
        }
        try await lifespan.startup(timeout: .seconds(30))
        try await lifespan.shutdown(timeout: .seconds(30))
    }

    @Test("events that answer nothing are errors")
    func unexpected() async throws {
        let lifespan = lifespan { receive, send in
            await #expect(throws: ASGIError.self) { try await send(.shutdownComplete) }
            await #expect(throws: ASGIError.self) { try await send(.responseStart(.plain)) }
            await #expect(throws: ASGIError.self) { try await send.respond(.plain, ByteBuffer()) }
            _ = try await receive()
            try await send(.startupComplete)
            await #expect(throws: ASGIError.self) { try await send(.startupComplete) }
            _ = try await receive()
            try await send(.shutdownComplete)
        }
        try await lifespan.startup(timeout: .seconds(30))
        try await lifespan.shutdown(timeout: .seconds(30))
    }
}
