public import HTTP
public import NIOCore

/// An exchange around another one: everything passes through, and subclasses change what they are there for.
open class ExchangeFilter: Exchange {
    public let inner: any Exchange

    public init(_ inner: any Exchange) { self.inner = inner }

    open var request: RequestHead { inner.request }
    open var connection: ConnectionInfo { inner.connection }
    open var eventLoop: any EventLoop { inner.eventLoop }
    open var requestID: String { inner.requestID }
    open var id: RequestID { inner.id }
    open var isOpen: Bool { inner.isOpen }
    open var hasStarted: Bool { inner.hasStarted }
    open var isWritable: Bool { inner.isWritable }

    open var timeLimit: TimeAmount? {
        get { inner.timeLimit }
        set { inner.timeLimit = newValue }
    }
    open var call: (any ExchangeCall)? {
        get { inner.call }
        set { inner.call = newValue }
    }

    open func receive(_ deliver: @escaping (BodyPart) -> Void) { inner.receive(deliver) }
    open func whenWritable(_ ready: @escaping () -> Void) { inner.whenWritable(ready) }
    open func onClose(_ closed: @escaping () -> Void) { inner.onClose(closed) }
    open var waitedNanoseconds: UInt64 { inner.waitedNanoseconds }
    open func noteWait(nanoseconds: UInt64) { inner.noteWait(nanoseconds: nanoseconds) }
    open func noteOverdue() { inner.noteOverdue() }
    open func onLeave(_ leave: @escaping () -> Void) { inner.onLeave(leave) }
    open func respond(_ head: ResponseHead, _ body: ByteBuffer) { inner.respond(head, body) }
    open func start(_ head: ResponseHead) { inner.start(head) }
    open func write(_ bytes: ByteBuffer) { inner.write(bytes) }
    open func write(_ file: FileRegion, keeping owner: AnyObject) { inner.write(file, keeping: owner) }
    open func write(lent bytes: UnsafeRawBufferPointer) { inner.write(lent: bytes) }
    open func flush() { inner.flush() }
    open func finish() { inner.finish() }
    open func abort() { inner.abort() }
    open func inform(_ status: Status, _ fields: Fields) { inner.inform(status, fields) }
    open func finish(trailers: Fields) { inner.finish(trailers: trailers) }
    open var isWebSocketHandshake: Bool { inner.isWebSocketHandshake }
    open func acceptWebSocket(subprotocol: String?, fields: Fields) -> (any WebSocket)? {
        inner.acceptWebSocket(subprotocol: subprotocol, fields: fields)
    }
}
