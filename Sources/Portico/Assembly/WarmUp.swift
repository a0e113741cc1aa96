import Config
import Glibc
import Platform
import Server

/// The requests a worker asks of itself, through its whole stack, before it says that it is ready.
struct WarmUp {
    /// A request that was not answered as it should be.
    struct Failure: Error, CustomStringConvertible {
        let path: String
        let reason: String

        var description: String { "warm-up \(path): \(reason)" }
    }

    let paths: [String]
    private let host: String
    private let deadline: MonotonicTime

    /// - Parameter limit: for all of them together.
    init(_ settings: Settings, within limit: Duration) {
        paths = settings.warmUp
        // One that the sites let through.
        let name = settings.allowedHosts.first { $0 != "*" } ?? "localhost"
        host = name.hasPrefix(".") ? String(name.dropFirst()) : name
        deadline = .now() + limit
    }

    /// Asks one after the other; every answer below 500 will do.
    func run(on server: HTTPServer) throws(Failure) {
        for path in paths {
            let status = try ask(path, server)
            guard status < 500 else { throw Failure(path: path, reason: "status \(status)") }
        }
    }

    private func ask(_ path: String, _ server: HTTPServer) throws(Failure) -> Int {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw Failure(path: path, reason: "\(SystemError(operation: "socketpair", code: errno))")
        }
        let client = Descriptor(adopting: ends[0])
        let inner = Descriptor(adopting: ends[1])
        do {
            try inner.setNonBlocking(true)
            let request =
                "GET \(path) HTTP/1.1\r\nHost: \(host)\r\nUser-Agent: portico-warm-up\r\nConnection: close\r\n\r\n"
            server.take(connection: inner.release())
            try client.writeAll(Array(request.utf8))
        } catch {
            throw Failure(path: path, reason: "\(error)")
        }
        let answer = try receive(path, client)
        let words = answer.prefix { $0 != 13 }.split(separator: 32)
        guard words.count >= 2, let status = Int(String(decoding: words[1], as: UTF8.self)) else {
            throw Failure(path: path, reason: "no answer")
        }
        return status
    }

    /// All of it, so that what follows the head is warm as well; only the beginning is kept.
    private func receive(_ path: String, _ client: borrowing Descriptor) throws(Failure) -> [UInt8] {
        var beginning: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16384)
        while true {
            var waiting = pollfd(fd: client.rawValue, events: Int16(POLLIN), revents: 0)
            let ready = poll(&waiting, 1, (deadline - .now()).pollMilliseconds)
            if ready < 0, errno == EINTR { continue }
            guard ready > 0 else { throw Failure(path: path, reason: "no answer within timeouts.start") }
            let count = read(client.rawValue, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return beginning }
            if beginning.count < 1024 { beginning += chunk[..<count] }
        }
    }
}
