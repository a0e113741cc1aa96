import HTTP
import NIOCore

/// How a connection goes over to another server, whose client notices nothing.
extension HTTP1Connection {
    /// Gives the connection to the server's successor, with what was received and belongs to no request that was begun
    /// here. False, and nothing has changed, when there is no successor or the connection is in the middle of something.
    @discardableResult
    func handOver(_ received: ByteBuffer? = nil) -> Bool {
        guard let give = loop.successor, socket.isOpen, !isInputClosed else { return false }
        switch phase {
        case .idle, .head: break
        case .exchange where received != nil: break
        case .exchange, .discarding, .lingering, .closed: return false
        }
        // What was answered before leaves from here.
        flushNow()
        guard socket.isOpen, socket.output.count == 0 else { return false }
        let bytes = Array((received ?? ByteBuffer()).readableBytesView) + Array(input.readableBytesView)
        guard socket.withDescriptor({ give($0, bytes) }) else { return false }
        // The successor has a copy of the socket, which therefore stays open.
        close()
        return true
    }
}

extension HTTP1Exchange {
    func handOver() -> Bool {
        guard let link, let head, response == .pending, !hasReceived, bodyReceiver == nil, !sentContinue,
            bodyFailure == nil, link.handOver(head.bytes)
        else { return false }
        isHandedOver = true
        report(isComplete: false)
        response = .complete
        return true
    }
}
