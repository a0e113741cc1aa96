import Glibc
import Platform

/// A sign from outside that a program is ready.
public enum ReadinessProbe: Equatable, Sendable {
    /// An answer with a status from 200 to 399.
    case http(StatusRequest)
    /// A connection.
    case tcp(ClientAddress)
    /// A file that was not there before the start, or has changed since.
    case file(String)

    private static let interval: Duration = .milliseconds(100)
    /// For one try: a program that takes a connection and says nothing is asked again.
    private static let limit: Duration = .seconds(2)

    /// What a file was before the start.
    struct Baseline: Equatable {
        private let facts: [Int]

        /// When nobody has looked before the start.
        static let none = Baseline(facts: [])

        private init(facts: [Int]) { self.facts = facts }

        init(_ probe: ReadinessProbe) {
            var found = stat()
            guard case .file(let path) = probe, stat(path, &found) == 0 else {
                facts = []
                return
            }
            facts = [
                Int(bitPattern: UInt(found.st_ino)), Int(found.st_mtim.tv_sec), Int(found.st_mtim.tv_nsec),
                Int(found.st_ctim.tv_sec), Int(found.st_ctim.tv_nsec), Int(found.st_size),
            ]
        }

        var isAbsent: Bool { facts.isEmpty }
    }

    /// Starts a thread that looks for the sign until it is there, or until `end` is signalled.
    func watch(since baseline: Baseline, until end: EventCounter, _ found: @escaping @Sendable () -> Void)
        throws(SystemError)
    {
        try DedicatedThread.start(name: "readiness", stackSize: 256 * 1024) {
            while !end.wait(within: Self.interval) {
                if isThere(since: baseline) { return found() }
            }
        }
    }

    private func isThere(since baseline: Baseline) -> Bool {
        let deadline = MonotonicTime.now() + Self.limit
        switch self {
        case .http(let request):
            guard let status = try? request.status(before: deadline) else { return false }
            return (200..<400).contains(status)
        case .tcp(let address):
            guard let socket = try? ClientSocket(to: address, before: deadline) else { return false }
            _ = consume socket
            return true
        case .file:
            let now = Baseline(self)
            return !now.isAbsent && now != baseline
        }
    }
}
