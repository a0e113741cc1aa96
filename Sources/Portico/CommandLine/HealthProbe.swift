import ArgumentParser
import Config
import Platform
import Supervisor
import Synchronization

/// One GET over a socket of its own, for `app health`.
struct HealthProbe: CustomStringConvertible {
    typealias Failure = StatusRequest.Failure

    let host: String
    let port: UInt16?
    /// The path of a Unix socket, instead of host and port.
    let socketPath: String?
    let path: String

    var description: String {
        socketPath.map { "unix:\($0)" } ?? "http://\(host.contains(":") ? "[\(host)]" : host):\(port ?? 80)\(path)"
    }

    /// `http://host:port/path` or `unix:/path`; without a path the default one.
    init(url: String, path defaultPath: String) throws {
        if url.hasPrefix("unix:") {
            self.init(host: "localhost", port: nil, socketPath: String(url.dropFirst(5)), path: defaultPath)
            return
        }
        guard url.hasPrefix("http://") else {
            throw ValidationError("expected http://host:port/path or unix:/path, got '\(url)'")
        }
        let rest = url.dropFirst(7)
        let authority = rest.prefix { $0 != "/" }
        let path = rest.dropFirst(authority.count)
        let text = authority.contains(":") && !authority.hasSuffix("]") ? String(authority) : "\(authority):80"
        guard case .tcp(let host?, let port)? = Config.ListenAddress(parsing: text) else {
            throw ValidationError("'\(authority)' names no host and port")
        }
        self.init(
            host: host, port: UInt16(clamping: port), socketPath: nil, path: path.isEmpty ? defaultPath : String(path))
    }

    /// The way to reach a listener from this machine.
    init(_ address: Config.ListenAddress, path: String) throws {
        switch address {
        case .tcp(let host, let port):
            let isAny = host == nil || host == "0.0.0.0" || host == "::" || host == "*"
            self.init(
                host: isAny ? (host == "::" ? "::1" : "127.0.0.1") : host ?? "127.0.0.1", port: UInt16(clamping: port),
                socketPath: nil, path: path)
        case .unix(let socket): self.init(host: "localhost", port: nil, socketPath: socket, path: path)
        case .inherited:
            throw ValidationError("An inherited socket cannot be reached by the configuration alone; name a URL.")
        }
    }

    private init(host: String, port: UInt16?, socketPath: String?, path: String) {
        self.host = host
        self.port = port
        self.socketPath = socketPath
        self.path = path
    }

    /// What is asked.
    var request: StatusRequest {
        StatusRequest(
            socketPath.map { ClientAddress.unix(path: $0) } ?? .tcp(host: host, port: port ?? 80), target: path)
    }

    /// The status of the answer. Nothing takes longer than `limit`: not a name that does not resolve, not a connection that
    /// is not taken.
    func ask(within limit: Duration) throws(Failure) -> Int {
        let request = request
        let deadline = MonotonicTime.now() + limit
        let answer = Answer()
        do throws(SystemError) {
            let isThere = try EventCounter()
            // On a thread of its own, because the resolver cannot be told when to give up.
            try DedicatedThread.start(name: "health") {
                answer.result.withLock { $0 = Result { () throws(Failure) in try request.status(before: deadline) } }
                isThere.signal()
            }
            isThere.wait(within: limit)
        } catch {
            throw .socket(.cannotConnect("\(error)"))
        }
        guard let result = answer.result.withLock({ $0 }) else { throw .socket(.timedOut) }
        return try result.get()
    }

    private final class Answer: Sendable {
        let result = Mutex<Result<Int, Failure>?>(nil)
    }
}
