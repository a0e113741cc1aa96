import HTTP
import NIOCore

/// The channel of a lifespan scope: `startup` is there at once, `shutdown` when the server says so.
final class LifespanChannel: ASGIChannel, @unchecked Sendable {
    // Sendable by confinement: everything stored is touched on `eventLoop` alone.

    /// What the server asks an application for.
    enum Question {
        case startup, shutdown
    }

    /// How it was answered.
    enum Answer: Sendable, Equatable {
        case complete
        case failed(message: String)
        /// The application has returned or raised.
        case ended
        case timedOut
    }

    let eventLoop: any EventLoop
    /// Asked and not yet received by the application.
    private var pending: Question?
    /// Asked and not yet answered, and who waits for the answer.
    private var open: Question?
    private var answered: UnsafeContinuation<Answer, Never>?
    private var deadline: Scheduled<Void>?
    private var receiver: UnsafeContinuation<ReceiveEvent, Never>?
    private var hasEnded = false

    init(on eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    /// Puts `question` to the application and waits for its answer; `begin` is called on the loop before.
    func ask(
        _ question: Question, timeout: Duration, _ begin: @escaping @Sendable (LifespanChannel) -> Void
    ) async -> Answer {
        await withUnsafeContinuation { continuation in
            eventLoop.execute {
                guard !self.hasEnded else { return continuation.resume(returning: .ended) }
                self.open = question
                self.answered = continuation
                self.deadline = self.eventLoop.scheduleTask(in: TimeAmount(timeout)) { self.answer(.timedOut) }
                self.pending = question
                begin(self)
                self.deliver()
            }
        }
    }

    /// The application has returned or raised.
    func end() {
        eventLoop.execute {
            self.hasEnded = true
            self.answer(.ended)
        }
    }

    private func answer(_ answer: Answer) {
        deadline?.cancel()
        deadline = nil
        open = nil
        let waiting = answered
        answered = nil
        waiting?.resume(returning: answer)
    }

    private func deliver() {
        guard let pending, let receiver else { return }
        self.pending = nil
        self.receiver = nil
        receiver.resume(returning: pending == .startup ? .startup : .shutdown)
    }

    nonisolated(nonsending) func receive() async throws -> ReceiveEvent {
        await withUnsafeContinuation { continuation in
            eventLoop.execute {
                self.receiver = continuation
                self.deliver()
            }
        }
    }

    nonisolated(nonsending) func send(_ event: SendEvent) async throws {
        let error: ASGIError? = await withUnsafeContinuation { continuation in
            eventLoop.execute {
                do throws(ASGIError) {
                    try self.take(event)
                    continuation.resume(returning: nil)
                } catch {
                    continuation.resume(returning: error)
                }
            }
        }
        if let error { throw error }
    }

    nonisolated(nonsending) func respond(_ head: ResponseHead, _ body: ByteBuffer) async throws {
        throw ASGIError.unexpectedEvent("a response in a lifespan scope")
    }

    private func take(_ event: SendEvent) throws(ASGIError) {
        switch (event, open) {
        case (.startupComplete, .startup), (.shutdownComplete, .shutdown): answer(.complete)
        case (.startupFailed(let message), .startup), (.shutdownFailed(let message), .shutdown):
            answer(.failed(message: message))
        case (.startupComplete, _), (.startupFailed, _), (.shutdownComplete, _), (.shutdownFailed, _):
            throw .unexpectedEvent("an answer to nothing that was asked")
        default: throw .unexpectedEvent("an event of a request in a lifespan scope")
        }
    }
}
