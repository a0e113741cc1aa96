import Platform

/// A worker as the supervisor's shell holds it: the process and the supervisor's end of the control channel. (Its state is in
/// ``WorkerState``; the worker's own end is ``WorkerControl``.)
final class WorkerHandle {
    let id: WorkerID
    let pid: Int32
    let channel: ControlChannel
    /// Whether the worker's end is still open, so that polling makes sense.
    var isOpen = true
    /// What it was given beside its sockets.
    let attachments: [WorkerAttachment]

    init(id: WorkerID, pid: Int32, channel: consuming ControlChannel, attachments: [WorkerAttachment]) {
        self.attachments = attachments
        self.id = id
        self.pid = pid
        self.channel = channel
    }
}
