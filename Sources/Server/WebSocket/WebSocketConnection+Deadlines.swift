import NIOCore

/// How long a client has been silent, and whether it was asked.
struct KeepAlive {
    /// What is to be done about it.
    enum Step {
        case nothing, ping, giveUp
    }

    private var wasHeard = true
    private var quietSince = NIODeadline.distantPast
    private var pingSent: NIODeadline?

    /// The client has sent something.
    mutating func noteHeard() { wasHeard = true }

    mutating func step(_ now: NIODeadline, _ options: WebSocketOptions) -> Step {
        if wasHeard {
            wasHeard = false
            quietSince = now
            pingSent = nil
        }
        if let pingSent {
            return options.pingTimeout > .zero && now - pingSent >= options.pingTimeout ? .giveUp : .nothing
        }
        guard options.pingInterval > .zero, now - quietSince >= options.pingInterval else { return .nothing }
        pingSent = now
        return .ping
    }
}

extension WebSocketConnection {
    /// Called by every sweep.
    func checkDeadlines(_ now: NIODeadline) {
        if let closeDeadline, closeDeadline <= now { return closeNow() }
        let pending = socket.output.count
        if pending > 0 {
            if outputStall.age(pending: pending, at: now) > loop.options.timeouts.write { closeNow() }
        } else {
            outputStall.noteActivity()
        }
        guard phase == .open else { return }
        // While nothing is read, nothing can be heard.
        if !wantsRead { keepAlive.noteHeard() }
        switch keepAlive.step(now, loop.options.webSocket) {
        case .nothing: break
        case .ping: sendPing()
        case .giveUp: closeNow()
        }
    }
}
