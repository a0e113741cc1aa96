import HTTP
public import NIOCore

/// Takes requests that arrive on one event loop to a site that lives on another, and its responses back.
public final class LoopRelay: SiteHandler {
    /// The site, to be touched on its own loop only.
    public typealias Destination = @Sendable () -> (any SiteHandler)?

    private let destination: Destination
    private let home: any EventLoop

    /// `destination` is called on `home`, the site's loop.
    public init(to home: any EventLoop, _ destination: @escaping Destination) {
        self.home = home
        self.destination = destination
    }

    public func handle(_ exchange: any Exchange, scriptName: String, path: String) {
        let relayed = RelayedExchange(exchange, home: home)
        relayed.watch()
        home.execute { [destination] in
            guard let site = destination() else {
                return relayed.respond(.serviceUnavailable, text: "503 Service Unavailable\n")
            }
            site.handle(relayed, scriptName: scriptName, path: path)
        }
    }
}

/// An exchange of another event loop, as seen from the loop of the site that answers it.
///
/// What the site does here is done there in the same order. `isOpen` and `isWritable` are as true as messages between two
/// threads can be.
final class RelayedExchange: Exchange, ExchangeCall, @unchecked Sendable {
    // Sendable: `origin` is touched on the origin's loop alone, everything else on the home loop alone.

    /// How many bytes may be on their way before the site is asked to wait.
    private static let window = 64 * 1024

    private let origin: any Exchange
    private let originLoop: any EventLoop
    let eventLoop: any EventLoop
    let request: RequestHead
    let connection: ConnectionInfo
    let requestID: String
    let isWebSocketHandshake: Bool

    private(set) var isOpen = true
    private(set) var hasStarted = false
    private var inFlight = 0
    private var isBlocked = false
    private var whenReady: [() -> Void] = []
    private var whenClosed: [() -> Void] = []

    /// Made on the origin's loop.
    init(_ origin: any Exchange, home: any EventLoop) {
        self.origin = origin
        originLoop = origin.eventLoop
        eventLoop = home
        request = origin.request
        connection = origin.connection
        requestID = origin.requestID
        limit = origin.timeLimit
        isWebSocketHandshake = origin.isWebSocketHandshake
    }

    /// On the origin's loop.
    func watch() {
        origin.onClose { self.eventLoop.execute { self.close() } }
        origin.call = self
    }

    // MARK: The deadline

    var call: (any ExchangeCall)?
    /// Who ran it when the exchange was closed.
    private weak var lostCall: (any ExchangeCall)?
    private var limit: TimeAmount?

    var timeLimit: TimeAmount? {
        get { limit }
        set {
            limit = newValue
            there { $0.timeLimit = newValue }
        }
    }

    func noteOverdue() { there { $0.noteOverdue() } }

    /// On the origin's loop: as far as is known there.
    var isRunning: Bool { true }

    /// On the origin's loop, which answers also when home is blocked.
    func limitPassed(_ limit: TimeAmount) {
        origin.giveUpWaiting()
        eventLoop.execute {
            self.close()
            guard let call = self.lostCall, call.isRunning else { return }
            call.limitPassed(limit)
        }
    }

    private func close() {
        guard isOpen else { return }
        isOpen = false
        // Whoever runs is kept by what runs it, and keeps this.
        lostCall = call
        call = nil
        let closed = whenClosed
        whenClosed = []
        for action in closed { action() }
        resume()
    }

    private func resume() {
        let ready = whenReady
        whenReady = []
        for action in ready { action() }
    }

    private func there(_ action: @escaping @Sendable (any Exchange) -> Void) {
        originLoop.execute { if self.origin.isOpen { action(self.origin) } }
    }

    // MARK: The request

    func receive(_ deliver: @escaping (BodyPart) -> Void) {
        let deliver = Delivery(deliver)
        originLoop.execute {
            self.origin.receive { part in self.eventLoop.execute { deliver.action(part) } }
        }
    }

    func onClose(_ closed: @escaping () -> Void) {
        if isOpen { whenClosed.append(closed) } else { closed() }
    }

    // MARK: The response

    var isWritable: Bool { !isBlocked && inFlight < Self.window }

    func whenWritable(_ ready: @escaping () -> Void) {
        if isWritable || !isOpen { ready() } else { whenReady.append(ready) }
    }

    func inform(_ status: Status, _ fields: Fields) { there { $0.inform(status, fields) } }

    func respond(_ head: ResponseHead, _ body: ByteBuffer) {
        hasStarted = true
        complete()
        there { $0.respond(head, body) }
    }

    func start(_ head: ResponseHead) {
        hasStarted = true
        there { $0.start(head) }
    }

    func write(_ bytes: ByteBuffer) {
        let count = bytes.readableBytes
        inFlight += count
        originLoop.execute {
            guard self.origin.isOpen else { return self.arrived(count, isWritable: true) }
            self.origin.write(bytes)
            self.arrived(count, isWritable: self.origin.isWritable)
        }
    }

    func write(_ file: FileRegion, keeping owner: AnyObject) {
        let owner = Owner(owner)
        there { $0.write(file, keeping: owner.object) }
    }

    func flush() { there { $0.flush() } }

    func finish() {
        complete()
        there { $0.finish() }
    }

    func finish(trailers: Fields) {
        complete()
        there { $0.finish(trailers: trailers) }
    }

    func abort() {
        complete()
        there { $0.abort() }
    }

    /// From here on nobody is to be told of the connection's end.
    private func complete() {
        whenClosed = []
        call = nil
    }

    /// On the origin's loop: tells home that bytes were taken, and when there is room again.
    private func arrived(_ count: Int, isWritable: Bool) {
        eventLoop.execute {
            self.inFlight -= count
            self.isBlocked = !isWritable
            if self.isWritable { self.resume() }
        }
        guard !isWritable else { return }
        origin.whenWritable {
            self.eventLoop.execute {
                self.isBlocked = false
                self.resume()
            }
        }
    }

    // MARK: WebSocket

    func acceptWebSocket(subprotocol: String?, fields: Fields) -> (any WebSocket)? {
        guard isOpen, isWebSocketHandshake, !hasStarted else { return nil }
        hasStarted = true
        complete()
        let socket = RelayedWebSocket(originLoop, home: eventLoop)
        originLoop.execute {
            socket.attach(self.origin.acceptWebSocket(subprotocol: subprotocol, fields: fields))
        }
        return socket
    }
}

/// A closure on its way to another loop and back.
private struct Delivery: @unchecked Sendable {
    // Sendable: called on the loop it came from.
    let action: (BodyPart) -> Void

    init(_ action: @escaping (BodyPart) -> Void) { self.action = action }
}

/// What keeps a file open, on its way to the loop that sends it.
struct Owner: @unchecked Sendable {
    // Sendable: nothing is done with it but letting it go.
    let object: AnyObject

    init(_ object: AnyObject) { self.object = object }
}
