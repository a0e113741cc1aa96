import ArgumentParser
import Config
import Glibc
import Platform

/// One GET over a socket of its own, for `app health`.
struct HealthProbe: CustomStringConvertible {
    /// Why there is no answer.
    enum Failure: Error, CustomStringConvertible {
        case cannotConnect(String)
        case timedOut
        case noAnswer

        var description: String {
            switch self {
            case .cannotConnect(let reason): reason
            case .timedOut: "no answer in time"
            case .noAnswer: "the answer is not HTTP"
            }
        }
    }

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

    /// The status of the answer.
    func ask(within limit: Duration) throws(Failure) -> Int {
        let deadline = MonotonicTime.now() + limit
        let descriptor = try connect(before: deadline)
        let authority = port.map { "\(host.contains(":") ? "[\(host)]" : host):\($0)" } ?? host
        let request =
            "GET \(path) HTTP/1.1\r\nHost: \(authority)\r\nConnection: close\r\nUser-Agent: app-health\r\n\r\n"
        do { try descriptor.writeAll(Array(request.utf8)) } catch { throw .cannotConnect("\(error)") }
        var answer: [UInt8] = []
        while !answer.contains(0x0A) {
            try Self.wait(for: descriptor.rawValue, POLLIN, before: deadline)
            var piece = [UInt8](repeating: 0, count: 512)
            let count = recv(descriptor.rawValue, &piece, piece.count, 0)
            guard count > 0 else { throw .noAnswer }
            answer += piece[..<count]
        }
        let line = String(decoding: answer.prefix { $0 != 0x0D && $0 != 0x0A }, as: UTF8.self)
        let parts = line.split(separator: " ")
        guard parts.count >= 2, parts[0].hasPrefix("HTTP/1."), let status = Int(parts[1]) else { throw .noAnswer }
        return status
    }

    private func connect(before deadline: MonotonicTime) throws(Failure) -> Descriptor {
        var reason = "no address"
        for address in try SocketTarget.all(host: host, port: port, socketPath: socketPath) {
            let descriptor = Descriptor(
                adopting: socket(address.family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0))
            guard descriptor.rawValue >= 0 else { continue }
            let result = address.connect(descriptor.rawValue)
            if result == 0 { return descriptor }
            reason = SystemError.message(errno)
        }
        throw .cannotConnect(reason)
    }

    private static func wait(for descriptor: Int32, _ events: Int32, before deadline: MonotonicTime) throws(Failure) {
        var waiting = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        let left = (deadline - .now()).pollMilliseconds
        guard left > 0, poll(&waiting, 1, left) > 0 else { throw .timedOut }
    }
}

/// An address to connect to, as the kernel wants it.
private struct SocketTarget {
    let family: Int32
    let bytes: [UInt8]

    /// Calls `connect(2)`.
    func connect(_ descriptor: Int32) -> Int32 {
        bytes.withUnsafeBytes { buffer in
            guard let address = buffer.assumingMemoryBound(to: sockaddr.self).baseAddress else { return -1 }
            return Glibc.connect(descriptor, address, socklen_t(buffer.count))
        }
    }

    static func all(host: String, port: UInt16?, socketPath: String?) throws(HealthProbe.Failure) -> [SocketTarget] {
        if let socketPath {
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            let path = Array(socketPath.utf8)
            guard path.count < MemoryLayout.size(ofValue: address.sun_path) else {
                throw .cannotConnect("the socket's path is too long")
            }
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
            return [SocketTarget(family: AF_UNIX, bytes: withUnsafeBytes(of: &address) { Array($0) })]
        }
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, String(port ?? 80), &hints, &list)
        guard status == 0 else { throw .cannotConnect(String(cString: gai_strerror(status))) }
        defer { freeaddrinfo(list) }
        var targets: [SocketTarget] = []
        var next = list
        while let entry = next {
            if let address = entry.pointee.ai_addr {
                let bytes = UnsafeRawBufferPointer(start: address, count: Int(entry.pointee.ai_addrlen))
                targets.append(SocketTarget(family: entry.pointee.ai_family, bytes: Array(bytes)))
            }
            next = entry.pointee.ai_next
        }
        return targets
    }
}
