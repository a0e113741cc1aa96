import Dispatch
public import Gateway

/// Where synchronous views run when they are called from an event loop: a pool of threads. The gateway's pool is one.
public protocol SyncExecutor: Sendable {
    /// Runs `body` on a thread that may block, and gives its result back to the caller's executor.
    func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result
}

/// Dispatch's threads: what there is without a gateway, as in tests.
public struct DispatchExecutor: SyncExecutor {
    public init() {}

    public func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Swift.Result { try body() }) }
        }
    }
}

/// The gateway's pool runs synchronous views.
extension ThreadPool: SyncExecutor {}
