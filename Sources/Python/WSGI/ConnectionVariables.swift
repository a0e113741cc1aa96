import CPython
import NIOCore

/// The variables about a connection's two ends. What they are for one request they mostly are for the next, of this or
/// another connection: so they stand in the dictionary that is copied for each, and only what differs is set anew.
///
/// Used inside the interpreter only.
struct ConnectionVariables {
    /// The keys, as interned strings.
    struct Keys {
        let serverName, serverPort, remoteAddress, remotePort: OpaquePointer
    }

    private let base: OpaquePointer
    private let keys: Keys
    private var local: (address: SocketAddress?, known: IPv4Endpoint?)?
    private var remote: (host: String, known: UInt32?)?

    /// `base` is what is copied for each request.
    init(_ base: OpaquePointer, _ keys: Keys) {
        self.base = base
        self.keys = keys
    }

    /// Brings `base` to what holds for a connection between these; false with an exception set. `REMOTE_PORT` is left out, as
    /// it is hardly ever the same.
    mutating func update(local: SocketAddress?, remote: SocketAddress?) -> Bool {
        updateLocal(local) && updateRemote(remote)
    }

    /// `REMOTE_PORT`; nil with an exception set.
    func port(_ remote: SocketAddress?) -> OpaquePointer? {
        guard let port = IPv4Endpoint(remote)?.port ?? remote?.port.map(UInt16.init(truncatingIfNeeded:)) else {
            return Py.text("")
        }
        return withUnsafeTemporaryAllocation(byteCount: 5, alignment: 1) { digits in
            var rest = port
            var index = digits.count
            repeat {
                index -= 1
                digits[index] = 0x30 + UInt8(rest % 10)
                rest /= 10
            } while rest > 0
            return Py.latin1(UnsafeRawBufferPointer(rebasing: digits[index...]))
        }
    }

    private mutating func updateLocal(_ address: SocketAddress?) -> Bool {
        let key = IPv4Endpoint(address)
        if let local, key != nil ? local.known == key : local.address == address { return true }
        // Never empty on this side (PEP 3333), also on a Unix socket.
        guard set(keys.serverName, address?.ipAddress ?? "localhost"),
            set(keys.serverPort, address?.port.map { String($0) } ?? "80")
        else { return false }
        local = (address, key)
        return true
    }

    private mutating func updateRemote(_ address: SocketAddress?) -> Bool {
        let key = IPv4Endpoint(address)?.address
        if let remote, let key, remote.known == key { return true }
        let host = address?.ipAddress ?? ""
        if let remote, remote.host == host, remote.known == key { return true }
        guard set(keys.remoteAddress, host) else { return false }
        remote = (host, key)
        return true
    }

    private func set(_ key: OpaquePointer, _ text: String) -> Bool {
        guard let value = Py.text(text) else { return false }
        defer { Py_DecRef(value) }
        return PyDict_SetItem(base, key, value) == 0
    }
}
