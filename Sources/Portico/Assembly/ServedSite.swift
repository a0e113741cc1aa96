import Gateway
import NIOCore

/// A site of the configuration, put behind its gateway in one worker.
protocol ServedSite: AnyObject, Sendable {
    var name: String { get }
    /// What answers requests on `loop`; called on it, once, before ``start(on:)``.
    func makeHandler(on loop: any EventLoop) -> any SiteHandler
    /// Before the first request; `loops` are those that will serve. Not called on any of them.
    func start(on loops: [any EventLoop]) throws(WorkerStartError)
    /// After the last request. Not called on a loop.
    func stop()
}
