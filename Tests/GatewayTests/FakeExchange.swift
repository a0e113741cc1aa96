import Gateway
import HTTP
import NIOCore

/// An exchange without a connection: it delivers the request body it is given, and records what a gateway does with it.
final class FakeExchange: Exchange, @unchecked Sendable {
    // Sendable by confinement: everything but the `async` functions is called on the loop.

    /// What a gateway did, in order.
    enum Event: Equatable, CustomStringConvertible {
        case respond(Int, fields: String, body: String)
        case start(Int, fields: String)
        case write(String)
        case file(offset: Int, count: Int)
        case flush
        case finish
        case trailers(String)
        case inform(Int, fields: String)
        case abort

        var description: String {
            switch self {
            case .respond(let code, let fields, let body): "respond \(code) [\(fields)] \(body)"
            case .start(let code, let fields): "start \(code) [\(fields)]"
            case .write(let text): "write \(text)"
            case .file(let offset, let count): "file \(offset)+\(count)"
            case .flush: "flush"
            case .finish: "finish"
            case .trailers(let fields): "trailers [\(fields)]"
            case .inform(let code, let fields): "inform \(code) [\(fields)]"
            case .abort: "abort"
            }
        }
    }

    let request: RequestHead
    let connection = ConnectionInfo(remoteAddress: nil, localAddress: nil)
    let eventLoop: any EventLoop
    let requestID = "request-1"
    /// What the handshake opens, when the request is one.
    var socket: FakeWebSocket?

    /// Called once the response is complete, as a connection goes on to its next request.
    var responded: (() -> Void)?
    var timeLimit: TimeAmount?
    var call: (any ExchangeCall)?
    private(set) var events: [Event] = []
    private(set) var isOpen = true
    private(set) var hasStarted = false
    /// How many writes the connection takes before it wants to be drained; nil takes all.
    private var capacity: Int?
    private let initialCapacity: Int?
    private var parts: [BodyPart]
    private var delivery: ((BodyPart) -> Void)?
    private var isBodyDelivered = false
    private var writables: [() -> Void] = []
    private var closers: [() -> Void] = []
    private var waiters: [(condition: (FakeExchange) -> Bool, resume: () -> Void)] = []
    private var owners: [AnyObject] = []

    init(
        _ request: RequestHead = RequestHead(.get, "/"), on eventLoop: any EventLoop, body: [BodyPart] = [.end],
        capacity: Int? = nil
    ) {
        self.request = request
        self.eventLoop = eventLoop
        self.capacity = capacity
        initialCapacity = capacity
        parts = body
    }

    /// Whether nothing more can come.
    var isDone: Bool {
        switch events.last {
        case .respond, .finish, .trailers, .abort: true
        default: false
        }
    }

    /// Whether a gateway waits for the connection to be writable, or for the client.
    var isWaitedForWritable: Bool { !writables.isEmpty }
    var isReceiving: Bool { delivery != nil }
    var isWritable: Bool { capacity != 0 }

    /// The body that a client would have got.
    var body: String {
        events.map { event in
            switch event {
            case .respond(_, _, let body): body
            case .write(let text): text
            default: ""
            }
        }.joined()
    }

    /// Without the flushes, which many tables do not care for.
    var essence: [Event] { events.filter { $0 != .flush } }

    // MARK: Exchange

    func receive(_ deliver: @escaping (BodyPart) -> Void) {
        eventLoop.preconditionInEventLoop()
        precondition(delivery == nil, "receive while receiving")
        guard !parts.isEmpty else {
            guard isOpen else { return deliver(isBodyDelivered ? .disconnected : .failed(.disconnected)) }
            delivery = deliver
            return changed()
        }
        let part = parts.removeFirst()
        if case .end = part { isBodyDelivered = true }
        deliver(part)
    }

    func whenWritable(_ ready: @escaping () -> Void) {
        eventLoop.preconditionInEventLoop()
        if isWritable || !isOpen { return ready() }
        writables.append(ready)
        changed()
    }

    func onClose(_ closed: @escaping () -> Void) { closers.append(closed) }

    func respond(_ head: ResponseHead, _ body: ByteBuffer) {
        record(.respond(head.status.code, fields: Self.text(head), body: String(buffer: body)))
    }

    func start(_ head: ResponseHead) { record(.start(head.status.code, fields: Self.text(head))) }

    func write(_ bytes: ByteBuffer) {
        capacity = capacity.map { max(0, $0 - 1) }
        record(.write(String(buffer: bytes)))
    }

    func write(_ file: FileRegion, keeping owner: AnyObject) {
        owners.append(owner)
        record(.file(offset: file.readerIndex, count: file.readableBytes))
    }

    func flush() { record(.flush) }

    func finish() { record(.finish) }

    func abort() { record(.abort) }

    func inform(_ status: Status, _ fields: Fields) { record(.inform(status.code, fields: Self.text(fields))) }

    func finish(trailers: Fields) { record(.trailers(Self.text(trailers))) }

    var isWebSocketHandshake: Bool { socket != nil }

    func acceptWebSocket(subprotocol: String?, fields: Fields) -> (any WebSocket)? {
        guard isOpen, !hasStarted, let socket else { return nil }
        hasStarted = true
        socket.accepted = (subprotocol, Self.text(fields))
        return socket
    }

    private func record(_ event: Event) {
        eventLoop.preconditionInEventLoop()
        precondition(!isDone, "\(event) after \(events)")
        precondition(isOpen || event == .abort, "\(event) on a closed connection")
        switch event {
        case .flush, .abort, .inform: break
        default: hasStarted = true
        }
        events.append(event)
        if isDone {
            closers = []
            delivery = nil
            call = nil
            // As a server's exchange, which lets go of its connection.
            isOpen = false
        }
        changed()
        if isDone { responded?() }
    }

    private static func text(_ head: ResponseHead) -> String { text(head.fields) }

    private static func text(_ fields: Fields) -> String {
        fields.lines.map { "\($0.name): \($0.value)" }.joined(separator: ", ")
    }

    // MARK: The client

    /// Waits until `condition` holds.
    func until(_ condition: @escaping @Sendable (FakeExchange) -> Bool) async {
        await withUnsafeContinuation { continuation in
            eventLoop.execute {
                if condition(self) { return continuation.resume() }
                self.waiters.append((condition, { continuation.resume() }))
            }
        }
    }

    /// Waits until the response is complete or aborted, and returns what was done.
    func done() async -> [Event] {
        await until { $0.isDone }
        return await read { $0.events }
    }

    /// A look at the exchange on its loop.
    func read<T: Sendable>(_ look: @escaping @Sendable (FakeExchange) -> T) async -> T {
        await withUnsafeContinuation { continuation in
            eventLoop.execute { continuation.resume(returning: look(self)) }
        }
    }

    /// Another part of the request body comes in.
    func send(_ part: BodyPart) {
        eventLoop.execute {
            if case .end = part { self.isBodyDelivered = true }
            if let delivery = self.delivery {
                self.delivery = nil
                delivery(part)
            } else {
                self.parts.append(part)
            }
        }
    }

    /// The client reads what was written.
    func drain() {
        eventLoop.execute {
            self.capacity = self.initialCapacity
            self.wake()
        }
    }

    /// The deadline passes, if there is still something to wait for.
    func passLimit() {
        eventLoop.execute {
            let call = self.call
            self.call = nil
            call?.limitPassed(.seconds(60))
        }
    }

    /// The client leaves.
    func disconnect() {
        eventLoop.execute {
            self.isOpen = false
            let closers = self.closers
            self.closers = []
            for closed in closers { closed() }
            self.wake()
            let delivery = self.delivery
            self.delivery = nil
            delivery?(self.isBodyDelivered ? .disconnected : .failed(.disconnected))
            self.changed()
        }
    }

    private func wake() {
        let ready = writables
        writables = []
        for wake in ready { wake() }
    }

    private func changed() {
        let now = waiters.filter { $0.condition(self) }
        guard !now.isEmpty else { return }
        waiters = waiters.filter { !$0.condition(self) }
        for waiter in now { waiter.resume() }
    }
}
