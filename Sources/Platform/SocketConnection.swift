import Glibc

/// Connecting to a listener.
extension Descriptor {
    /// A connected stream socket, blocking and close-on-exec. Of several addresses of a host, the first that answers.
    public static func connecting(to address: ListenAddress) throws(SystemError) -> Descriptor {
        var last = SystemError(operation: "connect to \(address)", code: EADDRNOTAVAIL)
        for candidate in try candidates(address) {
            let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
            let number = socket(candidate.family, type, 0)
            guard number >= 0 else {
                last = SystemError(operation: "socket", code: errno)
                continue
            }
            let descriptor = Descriptor(adopting: number)
            let result = candidate.bytes.withUnsafeBytes { raw in
                raw.withMemoryRebound(to: sockaddr.self) {
                    Glibc.connect(number, $0.baseAddress, socklen_t(candidate.bytes.count))
                }
            }
            if result == 0 { return descriptor }
            last = SystemError(operation: "connect to \(address)", code: errno)
        }
        throw last
    }

    private static func candidates(_ address: ListenAddress) throws(SystemError) -> [(family: Int32, bytes: [UInt8])] {
        switch address {
        case .unix(let path):
            guard let bytes = UnixAddress.bytes(path) else {
                throw SystemError(operation: "connect to \(address)", code: ENAMETOOLONG)
            }
            return [(AF_UNIX, bytes)]
        case .tcp(let host, let port):
            var hints = addrinfo()
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
            var list: UnsafeMutablePointer<addrinfo>?
            guard getaddrinfo(host == "*" ? "localhost" : host, String(port), &hints, &list) == 0 else {
                throw SystemError(operation: "find \(host)", code: EHOSTUNREACH)
            }
            defer { freeaddrinfo(list) }
            var found: [(family: Int32, bytes: [UInt8])] = []
            var next = list
            while let entry = next?.pointee {
                if let address = entry.ai_addr {
                    found.append(
                        (entry.ai_family, Array(UnsafeRawBufferPointer(start: address, count: Int(entry.ai_addrlen)))))
                }
                next = entry.ai_next
            }
            return found
        case .descriptor: throw SystemError(operation: "connect to \(address)", code: EINVAL)
        }
    }

    /// How long a read or write waits at most.
    public borrowing func setTimeout(_ limit: Duration) throws(SystemError) {
        let nanoseconds = max(1_000_000, limit.wholeNanoseconds)
        var time = timeval(
            tv_sec: Int(nanoseconds / 1_000_000_000), tv_usec: suseconds_t(nanoseconds % 1_000_000_000 / 1000))
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            let result = setsockopt(rawValue, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
            _ = try SystemError.checkErrno(result, "setsockopt")
        }
    }
}

/// The address of a Unix socket, as the kernel wants it.
enum UnixAddress {
    /// Bytes a path may have.
    static let limit = MemoryLayout<sockaddr_un>.size - MemoryLayout<sa_family_t>.size - 1

    /// A path, or after `@` a name in the abstract namespace, of which there is nothing in the file system; nil when it is too
    /// long.
    static func bytes(_ path: String) -> [UInt8]? {
        let name = Array(path.utf8)
        guard name.count <= limit else { return nil }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        var bytes = withUnsafeBytes(of: address) { Array($0) }
        if name.first == UInt8(ascii: "@") {
            // The name starts with a zero byte and ends where the address does.
            bytes = Array(bytes.prefix(MemoryLayout<sa_family_t>.size + name.count))
            bytes[MemoryLayout<sa_family_t>.size] = 0
        }
        return bytes
    }
}
