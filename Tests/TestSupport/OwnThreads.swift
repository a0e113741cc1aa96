import Platform
import Testing

/// Runs tests that block in system calls outside Swift's cooperative pool, which other tests need meanwhile.
package struct OwnThreads: TestTrait, SuiteTrait, TestScoping {
    package var isRecursive: Bool { true }

    package func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(BlockingExecutor.shared) { try await function() }
    }
}

extension Trait where Self == OwnThreads {
    package static var onThreadsOfItsOwn: Self { OwnThreads() }
}

/// Each job gets a thread, for as long as it lasts.
package final class BlockingExecutor: TaskExecutor {
    package static let shared = BlockingExecutor()

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        do {
            try DedicatedThread.start(name: "test") { [self] in
                job.runSynchronously(on: asUnownedTaskExecutor())
            }
        } catch {
            fatalError("no thread for a test: \(error)")
        }
    }
}
