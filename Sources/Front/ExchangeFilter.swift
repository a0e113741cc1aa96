import Gateway
import HTTP
import NIOCore

/// An exchange around another one: everything passes through, and subclasses change what they are there for.
class ExchangeFilter: Exchange {
    let inner: any Exchange

    init(_ inner: any Exchange) { self.inner = inner }

    var request: RequestHead { inner.request }
    var connection: ConnectionInfo { inner.connection }
    var eventLoop: any EventLoop { inner.eventLoop }
    var requestID: String { inner.requestID }
    var id: RequestID { inner.id }
    var isOpen: Bool { inner.isOpen }
    var hasStarted: Bool { inner.hasStarted }
    var isWritable: Bool { inner.isWritable }

    var timeLimit: TimeAmount? {
        get { inner.timeLimit }
        set { inner.timeLimit = newValue }
    }
    var call: (any ExchangeCall)? {
        get { inner.call }
        set { inner.call = newValue }
    }

    func receive(_ deliver: @escaping (BodyPart) -> Void) { inner.receive(deliver) }
    func whenWritable(_ ready: @escaping () -> Void) { inner.whenWritable(ready) }
    func onClose(_ closed: @escaping () -> Void) { inner.onClose(closed) }
    var waitedNanoseconds: UInt64 { inner.waitedNanoseconds }
    func onLeave(_ leave: @escaping () -> Void) { inner.onLeave(leave) }
    func respond(_ head: ResponseHead, _ body: ByteBuffer) { inner.respond(head, body) }
    func start(_ head: ResponseHead) { inner.start(head) }
    func write(_ bytes: ByteBuffer) { inner.write(bytes) }
    func write(_ file: FileRegion, keeping owner: AnyObject) { inner.write(file, keeping: owner) }
    func flush() { inner.flush() }
    func finish() { inner.finish() }
    func abort() { inner.abort() }
    func inform(_ status: Status, _ fields: Fields) { inner.inform(status, fields) }
    func finish(trailers: Fields) { inner.finish(trailers: trailers) }
    var isWebSocketHandshake: Bool { inner.isWebSocketHandshake }
    func acceptWebSocket(subprotocol: String?, fields: Fields) -> (any WebSocket)? {
        inner.acceptWebSocket(subprotocol: subprotocol, fields: fields)
    }
}
