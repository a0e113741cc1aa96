public import HTTP
public import NIOCore

/// One request and its response, on the event loop of its connection.
///
/// Everything here is called on ``eventLoop`` and nowhere else; an exchange is therefore not `Sendable`. The server
/// implements it for a connection; filters (gzip) and tests implement it around or instead of one.
public protocol Exchange: AnyObject {
    var request: RequestHead { get }
    var connection: ConnectionInfo { get }
    var eventLoop: any EventLoop { get }
    /// What the access log and error pages call this request; made when first asked for.
    var requestID: String { get }
    /// As ``requestID``, without making a text of it.
    var id: RequestID { get }

    /// The request leads to the route of this number: told by the router, before anybody answers.
    func noteRoute(_ number: Int)

    /// Asks for the next part of the request body. `deliver` is called exactly once, on the event loop, at once when a
    /// part is there. One call at a time. The first call answers `Expect: 100-continue`. After `.end`, the next call is
    /// answered by `.disconnected` when the client has left or closed its half of the connection.
    func receive(_ deliver: @escaping (BodyPart) -> Void)

    /// Whether the client can still be written to.
    var isOpen: Bool { get }
    /// Whether a response head has been handed over.
    var hasStarted: Bool { get }
    /// False while more is waiting to be sent than the connection should hold.
    var isWritable: Bool { get }
    /// Calls `ready` once, when the connection is writable again or gone; at once when it already is.
    func whenWritable(_ ready: @escaping () -> Void)
    /// Calls `closed` once if the connection goes away before the response is complete.
    func onClose(_ closed: @escaping () -> Void)

    /// How long the site may go without answering, and without the request's body or its response moving on
    /// (`timeouts.request`); nil is for ever. Counted from the end of the request's head. A stream of events has no limit.
    var timeLimit: TimeAmount? { get set }
    /// Who runs the application: told when the limit has passed. Held until the response is complete; when the client leaves
    /// before, it is still told in time, as long as the application runs.
    var call: (any ExchangeCall)? { get set }

    /// How long the request has waited for the event loop to be done with others, as far as that is known.
    var waitedNanoseconds: UInt64 { get }

    /// The request has waited so long for a thread: told before it is answered.
    func noteWait(nanoseconds: UInt64)

    /// The time of its application is over: told before it is answered in its place. Counted once.
    func noteOverdue()

    /// Calls `leave` once when the server ends an event stream because it comes to its own end, before the client sees the
    /// stream's: whoever holds back part of the response writes it then.
    func onLeave(_ leave: @escaping () -> Void)

    /// An informational response before the final one: 103 Early Hints (RFC 8297, RFC 9110 §15.2). It leaves at once.
    /// Without effect when `status` is not 102 to 199, after ``start(_:)``, and for HTTP/1.0 clients, who know none.
    func inform(_ status: Status, _ fields: Fields)

    /// The whole response. Equal to ``start(_:)``, ``write(_:)`` and ``finish()``, in one write.
    func respond(_ head: ResponseHead, _ body: ByteBuffer)
    /// The head of a response whose body follows. Without `Content-Length` the body is chunked (or, for an HTTP/1.0
    /// client, ended by closing). Framing, `Date`, `Server` and `Connection` are the server's business.
    func start(_ head: ResponseHead)
    /// Part of the body; bytes past `Content-Length` are not sent, and nothing is sent for HEAD, 204 and 304.
    func write(_ bytes: ByteBuffer)
    /// Part of the body out of a file; `owner` is held until it was sent.
    func write(_ file: FileRegion, keeping owner: AnyObject)
    /// Part of the body that leaves at once, out of memory that is the caller's again when this returns: what the connection
    /// does not take is copied. Equal to ``write(_:)`` of a copy and ``flush()``.
    func write(lent bytes: UnsafeRawBufferPointer)
    /// Pushes out what was written: called by streams that must not wait for more.
    func flush()
    /// The body is complete. Fewer bytes than `Content-Length` promised abort the connection.
    func finish()
    /// The body is complete, and `trailers` follow it (RFC 9110 §6.5). They are sent when the body is chunked and the
    /// request has `TE: trailers`; otherwise this is ``finish()``. Fields that frame or route the message are left out.
    func finish(trailers: Fields)
    /// Gives up a response that has begun: the connection closes so that the client sees the truncation.
    func abort()

    /// Whether the request is an opening handshake that ``acceptWebSocket(subprotocol:fields:)`` can answer (RFC 6455
    /// §4.2.1). Any other response refuses it.
    var isWebSocketHandshake: Bool { get }
    /// Completes the handshake, in place of a response: sends 101 with `fields` and takes the connection over. Fields of
    /// the handshake itself (`Sec-WebSocket-*`, `Connection`, `Upgrade`) are the server's business. Nil when the client
    /// has left, the request is no handshake, or a response was begun.
    func acceptWebSocket(subprotocol: String?, fields: Fields) -> (any WebSocket)?

    /// Has the server's successor answer, as if the request had come there: to be called before anything else was done with
    /// the exchange. False, and nothing has changed, when there is none.
    func handOver() -> Bool
}

extension Exchange {
    public var id: RequestID { .text(requestID) }

    public var waitedNanoseconds: UInt64 { 0 }

    public func noteWait(nanoseconds: UInt64) {}

    public func noteOverdue() {}

    public func onLeave(_ leave: @escaping () -> Void) {}

    public func noteRoute(_ number: Int) {}

    public func write(lent bytes: UnsafeRawBufferPointer) {
        write(ByteBuffer(bytes: bytes))
        flush()
    }

    public func handOver() -> Bool { false }

    /// A whole response without fields beyond its type.
    public func respond(_ status: Status, text: String) {
        respond(
            ResponseHead(status, ["Content-Type": "text/plain; charset=utf-8"]), ByteBuffer(string: text))
    }
}

/// Whoever answers exchanges: one instance per event loop, so that it may keep state without locks.
public protocol ExchangeHandler: AnyObject {
    /// Answers `exchange`, now or later, on its event loop.
    func handle(_ exchange: any Exchange)
}

/// A site behind a gateway, on one event loop.
public protocol SiteHandler: AnyObject {
    /// Answers `exchange`. `scriptName` is where the site is mounted, without a trailing slash (empty at the root);
    /// `path` is what follows it, percent-decoded, with dot segments resolved.
    func handle(_ exchange: any Exchange, scriptName: String, path: String)
    /// As ``handle(_:scriptName:path:)``, with a response that goes through `filter`.
    func handle(_ exchange: any Exchange, through filter: any ResponseFilter, scriptName: String, path: String)
    /// Calls of the application that have not returned: it may have something to do after its response, or after its client
    /// has left. On the event loop.
    var callsInProgress: Int { get }
}

extension SiteHandler {
    public var callsInProgress: Int { 0 }

    public func handle(_ exchange: any Exchange, through filter: any ResponseFilter, scriptName: String, path: String) {
        handle(filter.around(exchange), scriptName: scriptName, path: path)
    }
}

/// What a route does to the responses of its site.
public protocol ResponseFilter: AnyObject {
    /// An exchange that does it to the response of `exchange`.
    func around(_ exchange: any Exchange) -> any Exchange
    /// Gives `exchange` a whole response, by a shorter way than through ``around(_:)``.
    func respond(_ head: ResponseHead, _ body: ByteBuffer, to exchange: any Exchange)
}

/// A part of a request body.
public enum BodyPart: Sendable {
    case bytes(ByteBuffer)
    /// The body is complete.
    case end
    /// There will be no more: the body was cut short or refused, and must not be taken for complete.
    case failed(BodyFailure)
    /// The body was complete; now the client has left.
    case disconnected
}

/// Why a request body ended early.
public enum BodyFailure: Error, Sendable, Equatable {
    /// The client left.
    case disconnected
    /// The body is larger than `limits.body-size` (413).
    case tooLarge
    /// The framing is wrong (400).
    case malformed
    /// The client was too slow (408).
    case timedOut

    /// What the client is told.
    public var status: Status {
        switch self {
        case .disconnected, .malformed: .badRequest
        case .tooLarge: .contentTooLarge
        case .timedOut: .requestTimeout
        }
    }
}

/// The two ends of a connection. One reference wide: it goes along with every request.
public struct ConnectionInfo: Sendable {
    private let ends: Ends

    private final class Ends: Sendable {
        let remoteAddress: SocketAddress?
        let localAddress: SocketAddress?
        let isSecure: Bool

        init(_ remoteAddress: SocketAddress?, _ localAddress: SocketAddress?, _ isSecure: Bool) {
            self.remoteAddress = remoteAddress
            self.localAddress = localAddress
            self.isSecure = isSecure
        }
    }

    public init(remoteAddress: SocketAddress?, localAddress: SocketAddress?, isSecure: Bool = false) {
        ends = Ends(remoteAddress, localAddress, isSecure)
    }

    public var remoteAddress: SocketAddress? { ends.remoteAddress }
    public var localAddress: SocketAddress? { ends.localAddress }
    public var isSecure: Bool { ends.isSecure }
    /// `http` or `https`.
    public var scheme: String { isSecure ? "https" : "http" }
    /// The client's IP address; empty on a Unix socket.
    public var remoteHost: String { remoteAddress?.ipAddress ?? "" }
}
