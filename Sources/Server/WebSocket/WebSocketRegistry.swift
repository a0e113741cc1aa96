import NIOCore

/// The WebSockets of one event loop, looked through a few times a second: for those that have gone silent, and for those
/// whose time is up. Confined to the loop.
final class WebSocketRegistry {
    private var open: [ObjectIdentifier: WebSocketConnection] = [:]
    /// Sockets whose application has not ended, open or not.
    private var served = 0
    private let eventLoop: any EventLoop
    private let interval: TimeAmount
    private var isScheduled = false

    /// Written over by each read of a message.
    var scratch = ByteBuffer()
    /// A buffer for frames on their way out, when nobody uses it.
    private var spareOutput = ByteBuffer()
    /// A larger one is not kept.
    private static let spareLimit = 128 << 10

    init(eventLoop: any EventLoop, interval: TimeAmount) {
        self.eventLoop = eventLoop
        self.interval = interval
    }

    /// What draining waits for: connections, and applications that have something to put away.
    var count: Int { max(open.count, served) }

    func insert(_ connection: WebSocketConnection) {
        open[ObjectIdentifier(connection)] = connection
        served += 1
        if !isScheduled { schedule() }
    }

    func remove(_ connection: WebSocketConnection) { open[ObjectIdentifier(connection)] = nil }

    func applicationEnded() { served -= 1 }

    /// Tells every socket that the server stops.
    func restartAll() { for connection in open.values { connection.restart() } }

    func takeOutput(_ buffer: inout ByteBuffer) {
        swap(&buffer, &spareOutput)
        buffer.clear()
        spareOutput = ByteBuffer()
    }

    func giveOutput(_ buffer: ByteBuffer) {
        if buffer.capacity > spareOutput.capacity, buffer.capacity <= Self.spareLimit { spareOutput = buffer }
    }

    private func schedule() {
        isScheduled = true
        eventLoop.assumeIsolated().scheduleTask(in: interval) { [weak self] in self?.sweep() }
    }

    private func sweep() {
        isScheduled = false
        let now = NIODeadline.now()
        for connection in open.values { connection.checkDeadlines(now) }
        if !open.isEmpty { schedule() }
    }
}
