/// An address to listen on.
public enum ListenAddress: Sendable, Hashable {
    /// TCP. `host` is a name or a literal address without brackets; nil means every address, IPv4 and IPv6. Port 0 asks
    /// the kernel for a free one.
    case tcp(host: String?, port: Int)
    /// A Unix socket at an absolute path.
    case unix(path: String)
    /// A listening socket that was inherited under this number (socket activation).
    case inherited(descriptor: Int)

    /// Reads `127.0.0.1:8000`, `[::1]:8000`, `:8000`, `localhost:0`, `unix:/run/app.sock`, `fd:3`; nil for
    /// anything else.
    public init?(parsing text: String) {
        if text.hasPrefix("unix:") {
            let path = text.dropFirst(5)
            guard !path.isEmpty, !path.utf8.contains(0) else { return nil }
            self = .unix(path: String(path))
        } else if text.hasPrefix("fd:") {
            guard let descriptor = Self.number(text.dropFirst(3), atMost: 65_535) else { return nil }
            self = .inherited(descriptor: descriptor)
        } else {
            guard let colon = text.lastIndex(of: ":"),
                let port = Self.number(text[text.index(after: colon)...], atMost: 65_535)
            else { return nil }
            var host = text[..<colon]
            if host.hasPrefix("["), host.hasSuffix("]"), host.count > 2 {
                host = host.dropFirst().dropLast()
                guard host.contains(":"), host.utf8.allSatisfy({ Self.isAddressByte($0) }) else { return nil }
            } else {
                guard host.utf8.allSatisfy({ $0 != UInt8(ascii: ":") && Self.isAddressByte($0) }) else { return nil }
            }
            self = .tcp(host: host.isEmpty ? nil : String(host), port: port)
        }
    }

    private static func number(_ text: Substring, atMost limit: Int) -> Int? {
        guard !text.isEmpty, text.utf8.count <= 5, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int(text), number <= limit
        else { return nil }
        return number
    }

    /// What names, IPv4, IPv6 and zone identifiers are written with.
    private static func isAddressByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "%"): true
        default: false
        }
    }
}

extension ListenAddress: CustomStringConvertible {
    /// As it is written in the configuration.
    public var description: String {
        switch self {
        case .tcp(nil, let port): ":\(port)"
        case .tcp(let host?, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        case .inherited(let descriptor): "fd:\(descriptor)"
        }
    }
}
