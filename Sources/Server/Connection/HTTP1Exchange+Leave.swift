/// The end of a response that would go on for ever, when the server comes to its own.
extension HTTP1Exchange {
    func onLeave(_ leave: @escaping () -> Void) { leaveCallback = leave }

    /// Ends an event stream in order: the client sees its end, and the application that the client is gone.
    func takeLeave() {
        guard isEventStream, response != .complete else { return }
        isEventStream = false
        keepsAlive = false
        let (leave, waiter, closed) = (leaveCallback, writableWaiter, closeCallback)
        leaveCallback = nil
        // Whoever keeps something back writes it now, and may finish by itself.
        leave?()
        if response != .complete { finish() }
        waiter?()
        closed?()
    }
}
