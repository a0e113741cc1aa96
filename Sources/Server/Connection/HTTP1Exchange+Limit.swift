import Gateway
import HTTP
import NIOCore

/// How long a site may take (`timeouts.request`). The time is looked at by the sweep of the registry.
extension HTTP1Exchange {
    var timeLimit: TimeAmount? {
        get { limit == 0 ? nil : .nanoseconds(limit) }
        set {
            limit = newValue.map { max(1, $0.nanoseconds) } ?? 0
            due = 0
            if link?.isCalling == true { loop.eventLoop.pulse.allow(limit == 0 ? .max : limit) }
        }
    }

    var call: (any ExchangeCall)? {
        get { runningCall }
        set {
            if link == nil, let newValue {
                // The client left before the application was called.
                if limit > 0 { loop.connections.adopt(newValue, limit, due: due) }
            } else {
                runningCall = newValue
            }
        }
    }

    /// Called by every sweep. `isClientSlow` says that the client has not taken what there is, which is not the site's time.
    func checkLimit(_ now: NIODeadline, isClientSlow: Bool) {
        guard limit > 0, response != .complete else { return }
        if isClientSlow || isWaitingForBody {
            due = 0
        } else if due == 0 {
            due = now.uptimeNanoseconds &+ UInt64(limit)
        } else if due <= now.uptimeNanoseconds {
            limitPassed()
        }
    }

    private func limitPassed() {
        let passed = TimeAmount.nanoseconds(limit)
        let call = runningCall
        limit = 0
        runningCall = nil
        call?.limitPassed(passed)
        // Who has no call, or one that has said nothing, is answered all the same.
        if link != nil, response != .complete { giveUpWaiting() }
    }
}
