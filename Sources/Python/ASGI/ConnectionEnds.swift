import CPython
import NIOCore

/// `client` and `server` of the connections that were seen last: most requests come on one of those.
///
/// Used inside the interpreter only, by one event loop.
struct ConnectionEnds {
    /// Clients by their ports, which the kernel gives out one after the other.
    private static let capacity = 256

    private var clients: [(endpoint: IPv4Endpoint, object: OpaquePointer)?] = Array(repeating: nil, count: capacity)
    private var local: (address: SocketAddress?, endpoint: IPv4Endpoint?, object: OpaquePointer)?
    private var remote: (address: SocketAddress?, object: OpaquePointer)?

    /// Borrowed until the next call; nil with an exception set.
    mutating func client(_ address: SocketAddress?) -> OpaquePointer? {
        guard let endpoint = IPv4Endpoint(address) else { return anyClient(address) }
        let index = Int(endpoint.port) % Self.capacity
        if let known = clients[index], known.endpoint == endpoint { return known.object }
        guard let made = Self.make(address, isServer: false) else { return nil }
        Py_DecRef(clients[index]?.object)
        clients[index] = (endpoint, made)
        return made
    }

    private mutating func anyClient(_ address: SocketAddress?) -> OpaquePointer? {
        if let remote, remote.address == address { return remote.object }
        guard let made = Self.make(address, isServer: false) else { return nil }
        Py_DecRef(remote?.object)
        remote = (address, made)
        return made
    }

    /// Borrowed until the next call; nil with an exception set.
    mutating func server(_ address: SocketAddress?) -> OpaquePointer? {
        let endpoint = IPv4Endpoint(address)
        if let local, endpoint != nil ? local.endpoint == endpoint : local.address == address { return local.object }
        guard let made = Self.make(address, isServer: true) else { return nil }
        Py_DecRef(local?.object)
        local = (address, endpoint, made)
        return made
    }

    /// `(host, port)`, for a Unix socket `(path, None)` on the server's side and `None` on the client's.
    private static func make(_ address: SocketAddress?, isServer: Bool) -> OpaquePointer? {
        guard let address, address.port != nil || isServer else { return Py.none }
        let host = Py.text(address.ipAddress ?? address.pathname ?? "")
        let port = address.port.map { PyLong_FromLongLong(Int64($0)) } ?? Py.none
        guard let host, let port, let tuple = PyTuple_New(2) else { return nil }
        _ = PyTuple_SetItem(tuple, 0, host)
        _ = PyTuple_SetItem(tuple, 1, port)
        return tuple
    }
}
