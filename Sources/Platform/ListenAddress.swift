/// Where a server is asked to listen, as written in the configuration and on the command line.
public enum ListenAddress: Hashable, Sendable, CustomStringConvertible {
    /// Host (an IPv4 or IPv6 address, a name, or `*` for every address) and port; port 0 lets the kernel choose.
    case tcp(host: String, port: UInt16)
    /// Path of a Unix socket.
    case unix(path: String)
    /// A descriptor inherited from whoever started us.
    case descriptor(Int32)

    /// Reads `127.0.0.1:8000`, `[::1]:8000`, `localhost:8000`, `*:8000`, `:8000`, `8000`, `unix:/run/app.sock` or `fd:3`.
    /// Nil when it is none of these.
    public init?(_ text: String) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            guard !path.isEmpty, !path.utf8.contains(0) else { return nil }
            self = .unix(path: path)
            return
        }
        if text.hasPrefix("fd:") {
            guard let number = ListenAddress.decimal(text.dropFirst(3), as: Int32.self) else { return nil }
            self = .descriptor(number)
            return
        }
        guard let colon = text.lastIndex(of: ":") else {
            guard let port = ListenAddress.decimal(text[...], as: UInt16.self) else { return nil }
            self = .tcp(host: "*", port: port)
            return
        }
        guard let port = ListenAddress.decimal(text[text.index(after: colon)...], as: UInt16.self) else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard host.contains(":") else { return nil }
        } else if host.contains(":") {
            return nil  // An IPv6 address needs its brackets: `::1:8000` could mean two things.
        }
        guard !host.contains(where: { $0.isWhitespace || $0 == "/" || $0 == "\0" }) else { return nil }
        self = .tcp(host: host.isEmpty ? "*" : String(host), port: port)
    }

    /// The form that ``init(_:)`` reads.
    public var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        case .descriptor(let number): "fd:\(number)"
        }
    }

    private static func decimal<Number: FixedWidthInteger>(_ text: Substring, as type: Number.Type) -> Number? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Number(text)
    }
}
