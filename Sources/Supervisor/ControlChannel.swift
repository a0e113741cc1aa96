import Glibc
import Platform

/// One end of the socket pair between supervisor and worker.
struct ControlChannel: ~Copyable, Sendable {
    let descriptor: Descriptor

    /// What came from the other side.
    enum Received: Equatable {
        case message(ControlMessage)
        /// A packet this version does not know.
        case unknown(String)
        /// Nothing there now.
        case nothing
        /// The other side is gone.
        case closed
    }

    init(adopting descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }

    /// Both ends of a new channel, close-on-exec.
    struct Pair: ~Copyable {
        var supervisor: Descriptor
        var worker: Descriptor

        init() throws(SystemError) {
            var ends: [Int32] = [-1, -1]
            let type = Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
            guard socketpair(AF_UNIX, type, 0, &ends) == 0 else {
                throw SystemError(operation: "socketpair", code: errno)
            }
            supervisor = Descriptor(adopting: ends[0])
            worker = Descriptor(adopting: ends[1])
        }

        /// The supervisor's end; the worker's is closed here.
        consuming func takeSupervisor() -> ControlChannel { ControlChannel(adopting: supervisor) }
    }

    /// Sends a message.
    /// - Parameter waits: whether to wait for room, which a stopped reader may never make.
    /// - Returns: false when it was not sent: no room, or the other side is gone.
    @discardableResult
    borrowing func send(_ message: ControlMessage, waits: Bool = false) -> Bool {
        let packet = message.encoded
        let flags = Int32(MSG_NOSIGNAL) | (waits ? 0 : Int32(MSG_DONTWAIT))
        while true {
            let sent = Glibc.send(descriptor.rawValue, packet, packet.count, flags)
            if sent >= 0 { return true }
            if errno != EINTR { return false }
        }
    }

    /// Receives the next message.
    borrowing func receive(waits: Bool = false) -> Received {
        var packet = [UInt8](repeating: 0, count: ControlMessage.maximumLength)
        while true {
            let count = recv(
                descriptor.rawValue, &packet, packet.count, waits ? 0 : Int32(MSG_DONTWAIT))
            if count > 0 {
                guard let message = ControlMessage(decoding: packet[..<count]) else {
                    return .unknown(String(decoding: packet[..<count].prefix(64), as: UTF8.self))
                }
                return .message(message)
            }
            if count == 0 { return .closed }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .nothing
            default: return .closed
            }
        }
    }
}
