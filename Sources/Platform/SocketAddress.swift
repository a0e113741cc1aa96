import Glibc

/// Where a stream socket is bound or connected.
public enum SocketAddress: Hashable, Sendable, CustomStringConvertible {
    /// Address in dotted notation.
    case ipv4(String, port: UInt16)
    /// Address as RFC 5952 writes it, without brackets; a zone as `%eth0`.
    case ipv6(String, port: UInt16)
    /// File system path.
    case unix(String)
    /// A Unix socket without a name, such as a client's end.
    case unnamed

    /// `127.0.0.1:8000`, `[::1]:8000`, `unix:/run/app.sock`, `unix:`.
    public var description: String {
        switch self {
        case .ipv4(let host, let port): "\(host):\(port)"
        case .ipv6(let host, let port): "[\(host)]:\(port)"
        case .unix(let path): "unix:\(path)"
        case .unnamed: "unix:"
        }
    }

    /// The address without its port, as access logs show it; `unix:` for Unix sockets.
    public var host: String {
        switch self {
        case .ipv4(let host, _), .ipv6(let host, _): host
        case .unix, .unnamed: "unix:"
        }
    }

    /// The port; nil for Unix sockets.
    public var port: UInt16? {
        switch self {
        case .ipv4(_, let port), .ipv6(_, let port): port
        case .unix, .unnamed: nil
        }
    }

    /// What to type into a browser (or curl's `--unix-socket`): `http://127.0.0.1:8000`, `unix:/run/app.sock`.
    public func url(scheme: String = "http") -> String {
        switch self {
        case .ipv4, .ipv6: "\(scheme)://\(self)"
        case .unix, .unnamed: description
        }
    }

    /// Where the socket is bound.
    public static func local(of descriptor: Int32) throws(SystemError) -> SocketAddress {
        try read(descriptor, "getsockname", getsockname)
    }

    /// Where the other end of the socket is.
    public static func peer(of descriptor: Int32) throws(SystemError) -> SocketAddress {
        try read(descriptor, "getpeername", getpeername)
    }

    private static func read(
        _ descriptor: Int32, _ operation: String,
        _ call: (Int32, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) throws(SystemError) -> SocketAddress {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { call(descriptor, $0, &length) }
        }
        _ = try SystemError.checkErrno(result, operation)
        return withUnsafeBytes(of: storage) { bytes in
            SocketAddress(UnsafeRawBufferPointer(rebasing: bytes.prefix(Int(length))), family: Int32(storage.ss_family))
        }
    }

    private init(_ bytes: UnsafeRawBufferPointer, family: Int32) {
        switch family {
        case AF_INET:
            let address = bytes.loadUnaligned(as: sockaddr_in.self)
            self = .ipv4(
                SocketAddress.numericHost(bytes), port: UInt16(bigEndian: address.sin_port))
        case AF_INET6:
            let address = bytes.loadUnaligned(as: sockaddr_in6.self)
            self = .ipv6(
                SocketAddress.numericHost(bytes), port: UInt16(bigEndian: address.sin6_port))
        default:
            let path = bytes.dropFirst(MemoryLayout<sa_family_t>.size).prefix { $0 != 0 }
            self = path.isEmpty ? .unnamed : .unix(String(decoding: path, as: UTF8.self))
        }
    }

    private static func numericHost(_ bytes: UnsafeRawBufferPointer) -> String {
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let result = bytes.withMemoryRebound(to: sockaddr.self) { address in
            getnameinfo(
                address.baseAddress, socklen_t(bytes.count), &host, socklen_t(host.count), nil, 0, NI_NUMERICHOST)
        }
        guard result == 0 else { return "?" }
        return String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
