import NIOCore

/// A WebSocket of another event loop, as seen from the loop of the site that talks over it.
final class RelayedWebSocket: WebSocket, @unchecked Sendable {
    // Sendable: `socket` is touched on the origin's loop alone, everything else on the home loop alone.

    private static let window = 64 * 1024

    let eventLoop: any EventLoop
    private let originLoop: any EventLoop
    private var socket: (any WebSocket)?
    private(set) var isOpen = true
    private var inFlight = 0
    private var isBlocked = false
    private var whenReady: [() -> Void] = []

    init(_ originLoop: any EventLoop, home: any EventLoop) {
        self.originLoop = originLoop
        eventLoop = home
    }

    /// On the origin's loop; nil when the client had left.
    func attach(_ socket: (any WebSocket)?) { self.socket = socket }

    func receive(_ deliver: @escaping (WebSocketEvent) -> Void) {
        let deliver = Delivery(action: deliver)
        originLoop.execute {
            guard let socket = self.socket else {
                return self.deliver(.closed(code: WebSocketCloseCode.abnormal, reason: ""), to: deliver)
            }
            socket.receive { self.deliver($0, to: deliver) }
        }
    }

    private func deliver(_ event: WebSocketEvent, to deliver: Delivery) {
        eventLoop.execute {
            if case .closed = event {
                self.isOpen = false
                self.resume()
            }
            deliver.action(event)
        }
    }

    var isWritable: Bool { !isBlocked && inFlight < Self.window }

    func whenWritable(_ ready: @escaping () -> Void) {
        if isWritable || !isOpen { ready() } else { whenReady.append(ready) }
    }

    private func resume() {
        let ready = whenReady
        whenReady = []
        for action in ready { action() }
    }

    func send(_ message: WebSocketMessage) {
        let count = message.bytes.readableBytes
        inFlight += count
        originLoop.execute {
            self.socket?.send(message)
            self.arrived(count, isWritable: self.socket?.isWritable ?? true, isOpen: self.socket?.isOpen ?? false)
        }
    }

    /// On the origin's loop.
    private func arrived(_ count: Int, isWritable: Bool, isOpen: Bool) {
        eventLoop.execute {
            // Who only sends hears of the end this way.
            if !isOpen { self.isOpen = false }
            self.inFlight -= count
            self.isBlocked = !isWritable
            if self.isWritable { self.resume() }
        }
        guard !isWritable else { return }
        socket?.whenWritable {
            self.eventLoop.execute {
                self.isBlocked = false
                self.resume()
            }
        }
    }

    func close(code: UInt16, reason: String) {
        isOpen = false
        originLoop.execute { self.socket?.close(code: code, reason: reason) }
    }

    func finish() { originLoop.execute { self.socket?.finish() } }

    /// A closure on its way to another loop and back.
    private struct Delivery: @unchecked Sendable {
        // Sendable: called on the loop it came from.
        let action: (WebSocketEvent) -> Void
    }
}
