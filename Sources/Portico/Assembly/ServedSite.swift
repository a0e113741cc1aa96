import Gateway
import NIOCore

/// A site of the configuration, put behind its gateway in one worker.
protocol ServedSite: AnyObject, Sendable {
    var name: String { get }
    /// What answers requests on `loop`; called on it, once, before ``start(on:)``.
    func makeHandler(on loop: any EventLoop) -> any SiteHandler
    /// Before the first request; `loops` are those that will serve. Not called on any of them.
    func start(on loops: [any EventLoop]) throws(WorkerStartError)
    /// Calls of the application that have not returned, which may be after their responses; but for those on threads of the
    /// pool. Blocks; not called on a loop.
    var callsInProgress: Int { get }
    /// After the last request. Not called on a loop.
    func stop()
}
