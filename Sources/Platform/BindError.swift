/// Why a server could not listen, with what to do about it.
public enum BindError: Error, Equatable, CustomStringConvertible {
    /// Another socket listens there (EADDRINUSE). `holder` names the process where it may be known: `nginx (pid 812)`.
    case addressInUse(String, holder: String?)
    /// The port needs a privilege, or the directory of the Unix socket is not ours to write (EACCES, EPERM).
    case permissionDenied(String, port: UInt16?)
    /// No interface of this machine has the address (EADDRNOTAVAIL).
    case addressNotAvailable(String)
    /// The machine or container has no such address family, as with IPv6 switched off (EAFNOSUPPORT).
    case familyNotSupported(String)
    /// Unix socket paths hold at most `limit` bytes.
    case pathTooLong(String, limit: Int)
    /// The directory of a Unix socket does not exist.
    case noDirectory(String)
    /// A file that is no socket stands where the Unix socket should go; it is left alone.
    case notASocket(String)
    /// The host name could not be resolved.
    case unknownHost(String, reason: String)
    /// `fd:N` is not open, or not a stream socket.
    case badDescriptor(Int32, reason: String)
    /// Any other failure of the operating system.
    case system(String, SystemError)

    public var description: String {
        switch self {
        case .addressInUse(let address, let holder?):
            "cannot listen on \(address): \(holder) already listens there; stop it or choose another address"
        case .addressInUse(let address, nil):
            "cannot listen on \(address): another process already listens there; stop it or choose another address"
        case .permissionDenied(let address, let port?) where port < 1024 && port > 0:
            "cannot listen on \(address): ports below 1024 need a privilege; choose a higher port, "
                + "grant CAP_NET_BIND_SERVICE, or lower net.ipv4.ip_unprivileged_port_start"
        case .permissionDenied(let address, .some):
            "cannot listen on \(address): permission denied by the system's security policy"
        case .permissionDenied(let address, nil):
            "cannot listen on \(address): permission denied; this user must be able to write to the socket's directory"
        case .addressNotAvailable(let address):
            "cannot listen on \(address): no network interface of this machine has that address; "
                + "use one that it has, 0.0.0.0 for all of IPv4, or [::] for all"
        case .familyNotSupported(let address):
            "cannot listen on \(address): this machine has no such kind of address (is IPv6 switched off?); "
                + "use an IPv4 address"
        case .pathTooLong(let path, let limit):
            "cannot listen on unix:\(path): the path has \(path.utf8.count) bytes, at most \(limit) are possible; "
                + "choose a shorter one, such as in /run"
        case .noDirectory(let path):
            "cannot listen on unix:\(path): its directory does not exist; create it first"
        case .notASocket(let path):
            "cannot listen on unix:\(path): a file that is not a socket is already there; remove it or choose another path"
        case .unknownHost(let host, let reason):
            "cannot listen on \(host): the name does not resolve (\(reason)); use an IP address"
        case .badDescriptor(let number, let reason):
            "cannot listen on fd:\(number): \(reason); the descriptor must be a stream socket opened by whoever starts us"
        case .system(let address, let error):
            "cannot listen on \(address): \(error)"
        }
    }
}
