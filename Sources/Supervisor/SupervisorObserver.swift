import Platform

/// Something else in the supervisor's process that follows the workers' lives, such as the shared memory they report in. Called
/// on the supervisor's thread, which it must not keep waiting.
public protocol SupervisorObserver: AnyObject {
    /// A worker is about to be started: what it is to find open beside its sockets.
    func attachments(for worker: WorkerSnapshot) throws(SystemError) -> [WorkerAttachment]

    /// A worker that another program started, which this one has taken the place of (a binary upgrade), with what that had
    /// attached.
    func inherited(_ worker: WorkerSnapshot, _ attachments: [WorkerAttachment])

    /// A worker's process is gone, or could not be started after all.
    func ended(_ worker: WorkerID)

    /// What is known of a worker without asking it; nil for nothing.
    func vitals(of worker: WorkerID) -> WorkerVitals?
}

/// A descriptor that a worker finds as `NAME:NUMBER` in `APP_FDS` (``WorkerControl/attachment(_:)``). The supervisor keeps its
/// own as long as the worker lives, and hands it on in a binary upgrade.
public final class WorkerAttachment: Sendable {
    /// Lower-case letters; not one of those the supervisor uses itself: listen, control, config.
    public let name: String
    public let descriptor: Descriptor

    public init(name: String, descriptor: consuming Descriptor) {
        self.name = name
        self.descriptor = descriptor
    }
}

/// How a worker does, as seen from outside.
public struct WorkerVitals: Equatable, Sendable {
    /// Since when the event loop that has been busy for longest has not come back; nil when all wait or come back in time.
    public var busySince: MonotonicTime?
    /// How long requests wait before an application runs.
    public var queueTime: Duration?

    public init(busySince: MonotonicTime? = nil, queueTime: Duration? = nil) {
        self.busySince = busySince
        self.queueTime = queueTime
    }
}
