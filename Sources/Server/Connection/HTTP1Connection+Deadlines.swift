import NIOCore

/// How long a connection may take. The deadline and what goes with it are looked at by the sweep of the registry.
extension HTTP1Connection {
    enum Deadline {
        /// Nothing is awaited.
        case none
        /// Awaited since the last sweep or later: the sweep sets the time.
        case unset
        case at(NIODeadline)
    }

    /// Called by every sweep.
    func checkDeadline(_ now: NIODeadline) {
        if let times = loop.drainTimes, checkDrain(times, now) { return }
        let pending = socket.output.count
        if case .exchange = phase, let exchange { exchange.checkLimit(now, isClientSlow: pending > 0) }
        guard socket.isOpen else { return }
        if pending > 0 {
            if outputStall.age(pending: pending, at: now) > loop.options.timeouts.write { close() }
            return
        }
        outputStall.noteActivity()
        switch deadline {
        case .none: break
        case .unset:
            deadline = .at(now + timeout)
            // It may keep memory of its last request; a connection that idles does without.
            if case .idle = phase { releaseMemory() }
        case .at(let time): if time <= now { timedOut() }
        }
    }

    private func releaseMemory() {
        if input.readableBytes == 0 { input = ByteBuffer() }
        socket.releaseMemory()
    }

    private var timeout: TimeAmount {
        let timeouts = loop.options.timeouts
        return switch phase {
        case .idle: idleTimeout
        case .head: timeouts.header
        case .exchange, .discarding: timeouts.body
        // Nobody waits for a client that only has to notice the end when the worker is to stop.
        case .lingering, .closed: loop.isDraining ? min(timeouts.linger, .milliseconds(500)) : timeouts.linger
        }
    }

    private var idleTimeout: TimeAmount {
        let timeout = isFirstRequest ? loop.options.timeouts.header : loop.options.timeouts.keepAlive
        return loop.drainTimes.map { min($0.silence, timeout) } ?? timeout
    }

    private func timedOut() {
        deadline = .none
        switch phase {
        case .head: refuse(.timedOut)
        case .exchange: exchange?.bodyTimedOut()
        case .idle:
            // A request that came in this very turn of the loop is read in the next.
            if socket.hasInput { deadline = .unset } else { close() }
        case .discarding, .lingering, .closed: close()
        }
    }
}
