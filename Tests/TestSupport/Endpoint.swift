import Glibc
import Platform

/// Where a server can be reached.
package enum Endpoint: Sendable, Hashable {
    case ipv4(UInt16)
    case ipv6(UInt16)
    case unix(String)

    /// From what `app serve` prints.
    package init(url: String) throws {
        if url.hasPrefix("unix:") {
            self = .unix(String(url.dropFirst(5)))
            return
        }
        guard url.hasPrefix("http://"), let colon = url.lastIndex(of: ":"),
            let port = UInt16(url[url.index(after: colon)...])
        else { throw Unfulfilled(what: "a URL, not '\(url)'") }
        self = url.contains("[") ? .ipv6(port) : .ipv4(port)
    }

    package var port: UInt16 {
        switch self {
        case .ipv4(let port), .ipv6(let port): port
        case .unix: 0
        }
    }

    package var url: String {
        switch self {
        case .ipv4(let port): "http://127.0.0.1:\(port)"
        case .ipv6(let port): "http://[::1]:\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }

    /// A connected socket.
    package func connected() throws(SystemError) -> Descriptor {
        try socket("connect to \(url)") { Glibc.connect($0, $1, $2) }
    }

    /// A listening socket; with port 0 the kernel chooses.
    package func listening() throws(SystemError) -> Descriptor {
        let socket = try socket("bind \(url)") { Glibc.bind($0, $1, $2) }
        guard listen(socket.rawValue, 128) == 0 else { throw SystemError(operation: "listen", code: errno) }
        return socket
    }

    private func socket(
        _ operation: String, _ use: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws(SystemError) -> Descriptor {
        let family: Int32 =
            switch self {
            case .ipv4: AF_INET
            case .ipv6: AF_INET6
            case .unix: AF_UNIX
            }
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = Descriptor(adopting: Glibc.socket(family, kind, 0))
        let number = descriptor.rawValue
        let result: Int32
        switch self {
        case .ipv4(let port):
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            result = Self.withAddress(&address) { use(number, $0, $1) }
        case .ipv6(let port):
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            address.sin6_addr = in6addr_loopback
            result = Self.withAddress(&address) { use(number, $0, $1) }
        case .unix(let path):
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8).prefix(107)) }
            result = Self.withAddress(&address) { use(number, $0, $1) }
        }
        guard result == 0 else { throw SystemError(operation: operation, code: errno) }
        return descriptor
    }

    private static func withAddress<Address>(
        _ address: inout Address, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<Address>.size))
            }
        }
    }
}
