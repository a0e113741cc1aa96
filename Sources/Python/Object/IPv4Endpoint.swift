import NIOCore

/// An IPv4 address and port, to be compared without looking further.
struct IPv4Endpoint: Equatable {
    let address: UInt32
    let port: UInt16

    init?(_ address: SocketAddress?) {
        guard case .v4(let address)? = address else { return nil }
        // A sockaddr_in: family, port and address, in network order.
        (port, self.address) = withUnsafeBytes(of: address.address) { bytes in
            (
                UInt16(bigEndian: bytes.load(fromByteOffset: 2, as: UInt16.self)),
                bytes.load(fromByteOffset: 4, as: UInt32.self)
            )
        }
    }
}
