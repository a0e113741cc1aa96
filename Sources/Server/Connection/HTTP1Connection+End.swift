import NIOCore

/// How a connection ends.
extension HTTP1Connection {
    /// Closes when everything was sent; lingers while the client may still be sending.
    func end(afterBody isBodyComplete: Bool) {
        guard socket.isOpen else { return }
        phase = .lingering
        deadline = .none
        let lingers = (!isBodyComplete || input.readableBytes > 0) && !isInputClosed
        input = ByteBuffer()
        socket.flush { [self] in
            if lingers { linger() } else { close() }
        }
    }

    /// Ends a response in the middle: what was written goes out, and the missing rest shows in the framing, or, when the
    /// response is delimited by the connection's end, by a reset.
    func cutOff(afterBody isBodyComplete: Bool, resets: Bool) {
        guard resets else { return end(afterBody: isBodyComplete) }
        socket.flush { [self] in reset() }
    }

    func linger() {
        guard socket.isOpen else { return }
        phase = .lingering
        deadline = .unset
        socket.closeOutput()
    }

    /// Closes at once; what was not sent is lost.
    func close() { socket.close() }

    /// Closes so that the client sees a reset: what a response that is delimited by the connection's end needs.
    func reset() { socket.reset() }

    /// Whether the connection has waited for a next request since the last sweep at least: long enough that none is
    /// likely to be on its way.
    var hasIdled: Bool {
        guard case .idle = phase, case .at = deadline else { return false }
        return !isFirstRequest
    }

    /// Closes a connection on which no request was begun, to make room; false when there is one.
    @discardableResult
    func closeIfIdle() -> Bool {
        guard case .idle = phase, input.readableBytes == 0 else { return false }
        end(afterBody: true)
        return true
    }
}
