import Glibc

extension ListeningSocket {
    /// Binds and listens.
    ///
    /// - A name is resolved; of several addresses the first IPv4 one counts. `*` is every address: IPv6 and IPv4 in one socket
    ///   where the machine has IPv6, else IPv4.
    /// - `@name` is a Unix socket in the abstract namespace.
    /// - A Unix socket's file that nobody listens on any more (a crash left it) is replaced; a live one is an error.
    /// - Parameters:
    ///   - file: permissions and owner of a Unix socket's file.
    ///   - isIPv6Only: whether `[::]` leaves IPv4 alone. Off, as Linux has it by default, but not dependent on its settings.
    public static func bind(
        _ address: ListenAddress, backlog: Int32 = defaultBacklog, file: FileAccess = FileAccess(),
        isIPv6Only: Bool = false
    ) throws(BindError) -> ListeningSocket {
        switch address {
        case .descriptor(let number):
            return try ListeningSocket(inheriting: number, backlog: backlog)
        case .unix(let path):
            return try bindUnix(path, backlog: backlog, access: file)
        case .tcp("*", let port):
            do {
                return try bindTCP("::", port: port, label: address, backlog: backlog, isIPv6Only: false)
            } catch .familyNotSupported, .addressNotAvailable {
                return try bindTCP("0.0.0.0", port: port, label: address, backlog: backlog, isIPv6Only: false)
            }
        case .tcp(let host, let port):
            return try bindTCP(host, port: port, label: address, backlog: backlog, isIPv6Only: isIPv6Only)
        }
    }

    private static func bindTCP(
        _ host: String, port: UInt16, label: ListenAddress, backlog: Int32, isIPv6Only: Bool
    ) throws(BindError) -> ListeningSocket {
        let (family, bytes) = try resolve(host, port: port, label: label)
        let descriptor = try open(family, label: label.description)
        do {
            // Without this a restarted server would find its port in TIME_WAIT for a minute.
            try setOption(descriptor.rawValue, SOL_SOCKET, SO_REUSEADDR, 1)
            if family == AF_INET6 {
                try setOption(descriptor.rawValue, Int32(IPPROTO_IPV6), IPV6_V6ONLY, isIPv6Only ? 1 : 0)
            }
            try call(descriptor.rawValue, bytes, Glibc.bind, "bind")
            _ = try SystemError.checkErrno(listen(descriptor.rawValue, backlog), "listen")
            let bound = try SocketAddress.local(of: descriptor.rawValue)
            return ListeningSocket(descriptor: descriptor, address: bound)
        } catch {
            throw bindError(error, label: label.description, port: port)
        }
    }

    private static func bindUnix(_ path: String, backlog: Int32, access: FileAccess) throws(BindError)
        -> ListeningSocket
    {
        let bytes = try unixAddress(path)
        if path.hasPrefix("@") { return try bindAbstract(path, bytes, backlog: backlog) }
        if let found = UnixSocketFile.status(path) {
            guard UnixSocketFile.isSocket(found) else { throw .notASocket(path) }
            try removeIfStale(path, bytes)
        }
        let descriptor = try open(AF_UNIX, label: "unix:\(path)")
        do {
            try call(descriptor.rawValue, bytes, Glibc.bind, "bind")
        } catch {
            throw bindError(error, label: "unix:\(path)", port: nil, path: path)
        }
        // Permissions before listening: nobody can connect in between.
        let file = UnixSocketFile(path: path)
        do {
            if access.user != nil || access.group != nil {
                let result = lchown(path, access.user ?? .max, access.group ?? .max)
                _ = try SystemError.checkErrno(result, "change the owner of \(path)")
            }
            if let mode = access.mode { _ = try SystemError.checkErrno(chmod(path, mode_t(mode)), "chmod \(path)") }
            _ = try SystemError.checkErrno(listen(descriptor.rawValue, backlog), "listen")
            let bound = try SocketAddress.local(of: descriptor.rawValue)
            return ListeningSocket(descriptor: descriptor, address: bound, file: file)
        } catch {
            file?.removeIfOurs()
            throw .system("unix:\(path)", error)
        }
    }

    /// A name in the abstract namespace: it goes with the socket, and has no permissions.
    private static func bindAbstract(
        _ name: String, _ bytes: [UInt8], backlog: Int32
    ) throws(BindError) -> ListeningSocket {
        let descriptor = try open(AF_UNIX, label: "unix:\(name)")
        do {
            try call(descriptor.rawValue, bytes, Glibc.bind, "bind")
            _ = try SystemError.checkErrno(listen(descriptor.rawValue, backlog), "listen")
            return ListeningSocket(descriptor: descriptor, address: .unix(name))
        } catch {
            throw bindError(error, label: "unix:\(name)", port: nil)
        }
    }

    /// A socket file is stale when a connection to it is refused: the kernel answers so when nobody listens.
    private static func removeIfStale(_ path: String, _ bytes: [UInt8]) throws(BindError) {
        let probe = try open(AF_UNIX, label: "unix:\(path)")
        do {
            try probe.setNonBlocking(true)
            try call(probe.rawValue, bytes, connect, "connect")
        } catch {
            switch error.code {
            case ECONNREFUSED: unlink(path)
            case ENOENT: break
            case EACCES, EPERM: throw .permissionDenied("unix:\(path)", port: nil)
            case EAGAIN: throw .addressInUse("unix:\(path)", holder: nil)  // Its queue is full: very much alive.
            default: throw .system("unix:\(path)", error)
            }
            return
        }
        throw .addressInUse("unix:\(path)", holder: nil)
    }

    private static func unixAddress(_ path: String) throws(BindError) -> [UInt8] {
        guard let bytes = UnixAddress.bytes(path) else { throw .pathTooLong(path, limit: UnixAddress.limit) }
        return bytes
    }

    private static func resolve(
        _ host: String, port: UInt16, label: ListenAddress
    ) throws(BindError) -> (family: Int32, bytes: [UInt8]) {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(host, String(port), &hints, &list)
        guard result == 0 else {
            throw .unknownHost(label.description, reason: String(cString: gai_strerror(result)))
        }
        defer { freeaddrinfo(list) }
        var found: (family: Int32, bytes: [UInt8])?
        var next = list
        while let entry = next?.pointee {
            if let address = entry.ai_addr, found == nil || (found?.family != AF_INET && entry.ai_family == AF_INET) {
                found = (entry.ai_family, Array(UnsafeRawBufferPointer(start: address, count: Int(entry.ai_addrlen))))
            }
            next = entry.ai_next
        }
        guard let found else { throw .unknownHost(label.description, reason: "no address") }
        return found
    }

    private static func open(_ family: Int32, label: String) throws(BindError) -> Descriptor {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let number = socket(family, type, 0)
        guard number >= 0 else {
            throw bindError(SystemError(operation: "socket", code: errno), label: label, port: nil)
        }
        return Descriptor(adopting: number)
    }

    private static func setOption(
        _ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: Int32
    ) throws(SystemError) {
        var value = value
        let result = setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
        _ = try SystemError.checkErrno(result, "setsockopt")
    }

    private static func call(
        _ descriptor: Int32, _ bytes: [UInt8], _ function: (Int32, UnsafePointer<sockaddr>?, socklen_t) -> Int32,
        _ operation: String
    ) throws(SystemError) {
        let result = bytes.withUnsafeBytes { raw in
            raw.withMemoryRebound(to: sockaddr.self) { function(descriptor, $0.baseAddress, socklen_t(bytes.count)) }
        }
        _ = try SystemError.checkErrno(result, operation)
    }

    private static func bindError(
        _ error: SystemError, label: String, port: UInt16?, path: String? = nil
    ) -> BindError {
        switch error.code {
        case EADDRINUSE: .addressInUse(label, holder: port.flatMap { PortHolder.find(port: $0)?.description })
        case EACCES, EPERM: .permissionDenied(label, port: port)
        case EADDRNOTAVAIL: .addressNotAvailable(label)
        case EAFNOSUPPORT: .familyNotSupported(label)
        case ENOENT, ENOTDIR: path.map { .noDirectory($0) } ?? .system(label, error)
        default: .system(label, error)
        }
    }
}
