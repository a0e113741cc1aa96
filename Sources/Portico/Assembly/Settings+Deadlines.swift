import Config

extension Settings {
    /// Every limit that a request may have: of all, of sites, of routes.
    var requestLimits: [TimeLimit] {
        [timeouts.request] + sites.compactMap(\.timeout) + routes.compactMap(\.timeout)
    }

    /// How long an event loop may be blocked, as far as a process can be sure from the outside: `timeouts.stuck`; where
    /// applications are called on the loop, as long as their requests may take. Nil is for ever.
    var stuckLimit: Duration? {
        guard workers.mode == .process, workers.threads == 1, sites.contains(where: \.mayRunInline),
            let stuck = timeouts.stuck.duration
        else { return timeouts.stuck.duration }
        var longest = stuck
        for limit in requestLimits {
            guard let duration = limit.duration else { return nil }
            longest = max(longest, duration)
        }
        return longest
    }
}

extension Config.SiteSettings {
    fileprivate var mayRunInline: Bool {
        guard case .python = source else { return false }
        return gateway != .asgi
    }
}
