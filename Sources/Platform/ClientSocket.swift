import Glibc

/// Where to connect to.
public enum ClientAddress: Hashable, Sendable, CustomStringConvertible {
    /// A name or an IP address without brackets, and a port.
    case tcp(host: String, port: UInt16)
    /// The path of a Unix socket.
    case unix(path: String)

    public var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}

/// A connection that waits for nothing longer than until a deadline.
public struct ClientSocket: ~Copyable {
    /// Why there is no connection, or no answer.
    public enum Failure: Error, Equatable, CustomStringConvertible {
        case cannotConnect(String)
        case timedOut
        case lost(SystemError)

        public var description: String {
            switch self {
            case .cannotConnect(let reason): reason
            case .timedOut: "no answer in time"
            case .lost(let error): "\(error)"
            }
        }
    }

    /// The connected socket, non-blocking and close-on-exec.
    public let descriptor: Descriptor
    private let deadline: MonotonicTime

    /// Connects; of several addresses of a name, to the first that answers. Only the look-up of a name may take longer than
    /// the deadline allows.
    public init(to address: ClientAddress, before deadline: MonotonicTime) throws(Failure) {
        var reason = "no address"
        for target in try Self.targets(address) {
            let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
            let number = socket(target.family, kind, 0)
            guard number >= 0 else {
                reason = SystemError.message(errno)
                continue
            }
            let descriptor = Descriptor(adopting: number)
            let code = try Self.connect(number, target.bytes, before: deadline)
            if code == 0 {
                self.descriptor = descriptor
                self.deadline = deadline
                return
            }
            reason = SystemError.message(code)
        }
        throw .cannotConnect(reason)
    }

    /// Sends all of it.
    public borrowing func send(_ bytes: [UInt8]) throws(Failure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor.rawValue, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                try Self.wait(descriptor.rawValue, POLLOUT, before: deadline)
            } else if errno != EINTR {
                throw .lost(SystemError(operation: "send", code: errno))
            }
        }
    }

    /// The next bytes, at most so many; empty at the end.
    public borrowing func receive(atMost limit: Int = 4096) throws(Failure) -> ArraySlice<UInt8> {
        var piece = [UInt8](repeating: 0, count: limit)
        while true {
            let count = recv(descriptor.rawValue, &piece, piece.count, 0)
            if count >= 0 { return piece[..<count] }
            if errno == EAGAIN {
                try Self.wait(descriptor.rawValue, POLLIN, before: deadline)
            } else if errno != EINTR {
                throw .lost(SystemError(operation: "receive", code: errno))
            }
        }
    }

    // MARK: - Connecting

    private static func wait(_ number: Int32, _ events: Int32, before deadline: MonotonicTime) throws(Failure) {
        while true {
            let left = (deadline - .now()).pollMilliseconds
            guard left > 0 else { throw .timedOut }
            var waiting = pollfd(fd: number, events: Int16(events), revents: 0)
            if poll(&waiting, 1, left) > 0 { return }
        }
    }

    /// The `errno` of connect(2), which may come later than the call.
    private static func connect(_ number: Int32, _ bytes: [UInt8], before deadline: MonotonicTime) throws(Failure)
        -> Int32
    {
        let result = bytes.withUnsafeBytes { buffer in
            buffer.withMemoryRebound(to: sockaddr.self) {
                Glibc.connect(number, $0.baseAddress, socklen_t(bytes.count))
            }
        }
        if result == 0 { return 0 }
        guard errno == EINPROGRESS || errno == EINTR else { return errno }
        try wait(number, POLLOUT, before: deadline)
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(number, SOL_SOCKET, SO_ERROR, &code, &length) == 0 ? code : errno
    }

    private static func targets(_ address: ClientAddress) throws(Failure) -> [(family: Int32, bytes: [UInt8])] {
        switch address {
        case .unix(let path):
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            let name = Array(path.utf8)
            guard name.count < MemoryLayout.size(ofValue: address.sun_path) else {
                throw .cannotConnect("the socket's path is too long")
            }
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
            return [(AF_UNIX, withUnsafeBytes(of: address) { Array($0) })]
        case .tcp(let host, let port):
            var hints = addrinfo()
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
            hints.ai_flags = AI_NUMERICSERV
            var list: UnsafeMutablePointer<addrinfo>?
            let result = getaddrinfo(host, String(port), &hints, &list)
            guard result == 0 else { throw .cannotConnect(String(cString: gai_strerror(result))) }
            defer { freeaddrinfo(list) }
            var targets: [(family: Int32, bytes: [UInt8])] = []
            var next = list
            while let entry = next?.pointee {
                if let address = entry.ai_addr {
                    let bytes = UnsafeRawBufferPointer(start: address, count: Int(entry.ai_addrlen))
                    targets.append((entry.ai_family, Array(bytes)))
                }
                next = entry.ai_next
            }
            return targets
        }
    }
}
