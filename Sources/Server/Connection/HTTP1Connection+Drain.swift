import NIOCore

/// How a connection goes when its server does.
///
/// HTTP/1.1 has no word for "ask no more on this connection" but `Connection: close` on a response: a request that
/// crosses the closing of an idle connection is lost. So an idle connection is left open for its next request as long as
/// ``DrainLimits/silence`` lets, and at most as long as it might have idled anyway.
extension HTTP1Connection {
    /// The drain has begun, or is to be a faster one.
    func limitSilence(_ times: DrainTimes, at now: NIODeadline) {
        if case .idle = phase, case .at(let time) = deadline { deadline = .at(min(time, now + times.silence)) }
    }

    /// Called by every sweep of a drain; true when the connection was told to end.
    func checkDrain(_ times: DrainTimes, _ now: NIODeadline) -> Bool {
        if let exchange, exchange.isEventStream {
            guard now >= times.lingerEnd else { return false }
            exchange.takeLeave()
            return true
        }
        let moved = received &+ (exchange?.bodyBytes ?? 0) - socket.output.count
        if progress == nil { progress = StreamProgress(moved, at: now) }
        progress?.note(moved, at: now)
        guard now >= times.requestsEnd else { return false }
        if now < times.lingerEnd, let exchange, exchange.hasStarted || !exchange.isBodyComplete,
            progress?.isMoving(at: now) == true
        {
            return false
        }
        switch phase {
        case .exchange, .discarding: loop.noteCutOff()
        // Nobody is owed anything; what was answered is waited for.
        case .idle where socket.hasInput, .lingering, .closed: return false
        case .idle, .head: break
        }
        close()
        return true
    }
}
