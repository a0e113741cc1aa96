public import Logging
public import NIOCore

/// An asynchronous application's start and end on one event loop (ASGI lifespan 2.0): ``startup(timeout:)`` before the
/// first request, ``shutdown(timeout:)`` after the last.
///
/// An application that raises or returns instead of answering the startup is served without lifespan, as the
/// specification demands; one that answers by `startupFailed` is not served.
public final class ASGILifespan: Sendable {
    private let application: any ASGIApplication
    private let eventLoop: any EventLoop
    private let logger: Logger
    private let channel: LifespanChannel

    private let state: LifespanState

    /// The lifespan of `application` on `eventLoop`; nothing runs yet. `state` is what the application's
    /// ``ASGIHandler`` on this loop was given.
    public init(
        _ application: any ASGIApplication, on eventLoop: any EventLoop, state: LifespanState = LifespanState(),
        logger: Logger
    ) {
        self.state = state
        self.application = application
        self.eventLoop = eventLoop
        self.logger = logger
        channel = LifespanChannel(on: eventLoop)
    }

    /// Starts the application and waits until it is ready. Throws ``LifespanError/startupFailed(message:)`` with the
    /// application's own words, or ``LifespanError/startupTimedOut``. Called once.
    public func startup(timeout: Duration) async throws(LifespanError) {
        let answer = await channel.ask(.startup, timeout: timeout) { [application, logger, state] channel in
            Task(executorPreference: LoopExecutor(channel.eventLoop)) {
                do {
                    try await application(.lifespan(LifespanScope(state: state)), Receive(channel), Send(channel))
                    channel.end()
                } catch {
                    logger.info(
                        "the application does not take part in lifespan, or left it",
                        metadata: ["error": "\(String(reflecting: error))"])
                    channel.end()
                }
            }
        }
        switch answer {
        case .complete, .ended: return
        case .failed(let message): throw .startupFailed(message: message)
        case .timedOut: throw .startupTimedOut
        }
    }

    /// Tells the application that its last request has been answered, and waits until it has cleaned up. Returns at
    /// once when it has ended by itself or never took part. Throws ``LifespanError/shutdownFailed(message:)`` or
    /// ``LifespanError/shutdownTimedOut``. Called once, after ``startup(timeout:)``.
    public func shutdown(timeout: Duration) async throws(LifespanError) {
        switch await channel.ask(.shutdown, timeout: timeout, { _ in }) {
        case .complete, .ended: return
        case .failed(let message): throw .shutdownFailed(message: message)
        case .timedOut: throw .shutdownTimedOut
        }
    }
}

/// How an application's start or end went wrong.
public enum LifespanError: Error, Equatable, CustomStringConvertible {
    /// The application sent `startupFailed`: it must not be served.
    case startupFailed(message: String)
    case startupTimedOut
    /// The application sent `shutdownFailed`.
    case shutdownFailed(message: String)
    case shutdownTimedOut

    public var description: String {
        switch self {
        case .startupFailed(let message): "the application refused to start: \(message)"
        case .startupTimedOut: "the application did not complete its startup in time"
        case .shutdownFailed(let message): "the application failed to shut down: \(message)"
        case .shutdownTimedOut: "the application did not complete its shutdown in time"
        }
    }
}
