import HTTP
public import NIOCore

/// A site in front of which nobody waits too long: a request that had to wait for its event loop for longer than the limit
/// is answered 503, with `Retry-After`, and its application is not called.
public final class QueueLimit: SiteHandler {
    private let site: any SiteHandler
    private let limit: UInt64

    public init(_ site: any SiteHandler, limit: TimeAmount) {
        self.site = site
        self.limit = UInt64(max(0, limit.nanoseconds))
    }

    public func handle(_ exchange: any Exchange, scriptName: String, path: String) {
        guard exchange.waitedNanoseconds <= limit else { return ErrorPage.send(.serviceUnavailable, on: exchange) }
        site.handle(exchange, scriptName: scriptName, path: path)
    }

    public func handle(_ exchange: any Exchange, through filter: any ResponseFilter, scriptName: String, path: String) {
        guard exchange.waitedNanoseconds <= limit else {
            return ErrorPage.send(.serviceUnavailable, on: filter.around(exchange))
        }
        site.handle(exchange, through: filter, scriptName: scriptName, path: path)
    }

    public var callsInProgress: Int { site.callsInProgress }
}
