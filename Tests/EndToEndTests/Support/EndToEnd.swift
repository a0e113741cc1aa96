import Glibc
import Platform
import Testing

/// Tests of the program as its users meet it: the real binary, started in a directory of its own, on a free port.
///
/// One after the other, since each starts processes and counts what becomes of them.
@Suite(.serialized, .onThreadsOfItsOwn) enum EndToEnd {}

/// Runs tests that block in system calls outside Swift's cooperative pool, which other tests need meanwhile.
struct OwnThreads: TestTrait, SuiteTrait, TestScoping {
    var isRecursive: Bool { true }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(BlockingExecutor.shared) { try await function() }
    }
}

extension Trait where Self == OwnThreads {
    static var onThreadsOfItsOwn: Self { OwnThreads() }
}

/// Each job gets a thread, for as long as it lasts.
final class BlockingExecutor: TaskExecutor {
    static let shared = BlockingExecutor()

    func enqueue(_ job: consuming ExecutorJob) {
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

/// Waits until the condition holds; the deadline is for what never comes, and no measure of speed.
func eventually(
    _ what: String, within seconds: Int = 60,
    _ condition: () throws -> Bool
) throws {
    let deadline = MonotonicTime.now() + .seconds(seconds)
    while try !condition() {
        guard MonotonicTime.now() < deadline else { throw Unfulfilled(what: what) }
        usleep(10_000)
    }
}

/// Something that was waited for did not come.
struct Unfulfilled: Error, CustomStringConvertible {
    let what: String
    var description: String { "waited in vain: \(what)" }
}

/// What the machine offers the tests.
enum Machine {
    static var isRoot: Bool { geteuid() == 0 }

    /// Whether root may mount and make namespaces here; an ordinary container may not.
    static let allowsNamespaces =
        isRoot
        && (try? Command.run(["unshare", "--mount", "--pid", "--fork", "--mount-proc", "true"]).status) == .exited(0)

    static func has(_ program: String) -> Bool { path(of: program) != nil }

    static func path(of program: String) -> String? {
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        return (path.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/bin", "/bin"])
            .map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 }
    }

    static var hasIPv6: Bool {
        let descriptor = Glibc.socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        close(descriptor)
        guard let table = try? Descriptor.contents(ofFile: "/proc/net/if_inet6") else { return false }
        return !table.isEmpty
    }
}
