import Gateway
import NIOCore

/// A socket without a connection: hands over the events it is given, and records what a gateway does with it.
final class FakeWebSocket: WebSocket, @unchecked Sendable {
    // Sendable by confinement to the loop.

    let eventLoop: any EventLoop
    /// With what the handshake was completed.
    var accepted: (subprotocol: String?, fields: String)?
    private(set) var sent: [WebSocketMessage] = []
    private(set) var closed: (code: UInt16, reason: String)?
    private(set) var isFinished = false
    private(set) var isOpen = true
    /// How many messages the connection takes before somebody must wait for the client, who then takes all.
    private var capacity: Int
    /// How often somebody waited.
    private(set) var waits = 0
    private var events: [WebSocketEvent]
    private var end: WebSocketEvent?
    private var delivery: ((WebSocketEvent) -> Void)?

    init(on eventLoop: any EventLoop, events: [WebSocketEvent] = [], capacity: Int = .max) {
        self.eventLoop = eventLoop
        self.capacity = capacity
        self.events = events
    }

    func receive(_ deliver: @escaping (WebSocketEvent) -> Void) {
        eventLoop.preconditionInEventLoop()
        precondition(delivery == nil, "receive while receiving")
        if let end { return deliver(end) }
        guard !events.isEmpty else {
            delivery = deliver
            return
        }
        deliver(take(events.removeFirst()))
    }

    private func take(_ event: WebSocketEvent) -> WebSocketEvent {
        if case .closed = event {
            end = event
            isOpen = false
        }
        return event
    }

    var isWritable: Bool { capacity > 0 }

    func whenWritable(_ ready: @escaping () -> Void) {
        if isWritable || !isOpen { return ready() }
        waits += 1
        eventLoop.assumeIsolated().execute {
            self.capacity = .max
            ready()
        }
    }

    func send(_ message: WebSocketMessage) {
        guard isOpen else { return }
        sent.append(message)
        capacity -= 1
    }

    func close(code: UInt16, reason: String) {
        guard isOpen else { return }
        isOpen = false
        closed = (code, reason)
        deliverEvent(.closed(code: code, reason: reason))
    }

    func finish() {
        precondition(!isFinished, "finished twice")
        isFinished = true
        if isOpen { close(code: WebSocketCloseCode.normal, reason: "") }
    }

    private func deliverEvent(_ event: WebSocketEvent) {
        guard let delivery else { return events.append(event) }
        self.delivery = nil
        delivery(take(event))
    }
}
