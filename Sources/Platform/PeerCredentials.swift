import CPlatform
import Glibc

/// Who is at the other end of a Unix socket, as the kernel knows it (`SO_PEERCRED`): of a connection somebody made, who made
/// it; of a connection made from here, who listens.
public struct PeerCredentials: Equatable, Sendable {
    public let pid: Int32
    public let user: UInt32
    public let group: UInt32

    /// Nil when the socket is no Unix socket.
    public init?(of descriptor: Int32) {
        var values: (Int32, UInt32, UInt32) = (0, 0, 0)
        guard cplatform_peer_credentials(descriptor, &values.0, &values.1, &values.2) == 0 else { return nil }
        (pid, user, group) = values
    }
}

/// How many connections wait on a listening TCP socket, and how many may.
public struct ListenQueue: Equatable, Sendable {
    public let length: Int
    public let limit: Int

    /// Nil for other sockets than TCP, where the kernel does not say.
    public init?(of descriptor: Int32) {
        var values: (UInt32, UInt32) = (0, 0)
        guard cplatform_listen_queue(descriptor, &values.0, &values.1) == 0 else { return nil }
        (length, limit) = (Int(values.0), Int(values.1))
    }
}
