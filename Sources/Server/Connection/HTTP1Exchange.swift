import Gateway
import HTTP
import Logging
import NIOCore

/// One request and its response on an HTTP/1 link.
///
/// It holds the connection until the response is complete or the connection is lost; after that every call is without
/// effect. Confined to the connection's event loop.
final class HTTP1Exchange: Exchange, FinishedExchange {
    /// How far the response is.
    enum Response: Equatable {
        case pending
        /// So many bytes of `Content-Length` are still owed.
        case length(remaining: Int)
        case chunked
        /// The connection's end delimits the body (HTTP/1.0).
        case untilClose
        /// There is no body on the wire, whatever the application writes.
        case bodiless
        case complete
    }

    let loop: LoopContext
    var link: HTTP1Connection?
    var head: RequestHead?
    var response = Response.pending
    var status: Status?
    var bodyBytes = 0
    private(set) var began: UInt64 = 0
    var nanoseconds: UInt64 = 0
    private(set) var waitedNanoseconds: UInt64 = 0
    private var threadNanoseconds: UInt64 = 0
    /// When the request's body was complete, and when the response began; 0 for at once.
    var bodyEnded: UInt64 = 0
    var responseBegan: UInt64 = 0
    private(set) var route = -1
    private(set) var ticket: Int32 = -1
    var isComplete = false
    var isHandedOver = false
    var unflushed = 0
    var isBodyComplete = false
    var bodyFailure: BodyFailure?
    var hasReceived = false
    var sentContinue = false
    var keepsAlive = false
    var bodyReceiver: ((BodyPart) -> Void)?
    var writableWaiter: (() -> Void)?
    var closeCallback: (() -> Void)?
    var leaveCallback: (() -> Void)?
    /// Whether the response is `text/event-stream`, which ends when somebody ends it.
    var isEventStream = false
    /// Nanoseconds without progress after which the site has had its time; 0 is for ever.
    var limit: Int64 = 0
    /// When that is; 0 until a sweep sets it, and again with everything that moves on.
    var due: UInt64 = 0
    private var isOverdue = false
    var runningCall: (any ExchangeCall)?
    private(set) var id = RequestID.number(0)

    init(loop: LoopContext) { self.loop = loop }

    func begin(_ head: RequestHead, on link: HTTP1Connection) {
        self.link = link
        self.head = head
        response = .pending
        status = nil
        bodyBytes = 0
        unflushed = 0
        isEventStream = false
        isBodyComplete = false
        bodyFailure = nil
        hasReceived = false
        sentContinue = false
        isHandedOver = false
        keepsAlive = head.isKeepAlive
        limit = loop.requestLimit
        due = 0
        isOverdue = false
        id = loop.makeRequestID()
        if let observer = loop.observer {
            began = loop.eventLoop.clock
            threadNanoseconds = 0
            bodyEnded = 0
            responseBegan = 0
            route = -1
            ticket = -1
            waitedNanoseconds = began &- loop.eventLoop.readySince
            // How long it waited for a loop that was busy with others, the kernel alone knows.
            if loop.eventLoop.isCatchingUp {
                let age = link.socket.inputAge
                if age > 0 { waitedNanoseconds = max(age, began &- loop.eventLoop.turnBegan) }
            }
            observer.exchangeStarted(waited: waitedNanoseconds)
        }
    }

    func noteRoute(_ number: Int) {
        guard let observer = loop.observer, let head, response == .pending else { return }
        route = number
        ticket = observer.exchangeRouted(head, id: id, began: began, route: number)
    }

    var responseNanoseconds: UInt64 {
        // A response may begin before the request's end.
        guard began != 0, responseBegan >= max(began, bodyEnded) else { return 0 }
        return responseBegan - max(began, bodyEnded)
    }

    var queueNanoseconds: UInt64 { waitedNanoseconds &+ threadNanoseconds }

    func noteWait(nanoseconds: UInt64) { threadNanoseconds = nanoseconds }

    func noteOverdue() {
        guard !isOverdue else { return }
        isOverdue = true
        loop.observer?.exchangeOverdue()
    }

    /// A request without a body is complete with its head.
    func skipEmptyBody() throws(RequestError) {
        _ = try link?.nextBodyEvent()
        isBodyComplete = true
    }

    // MARK: Request

    private static let noRequest = RequestHead(.get, "/")

    var statusCode: Int { status?.code ?? 0 }

    /// Gives the request up, after the response, for its memory to be used again.
    func takeHead() -> RequestHead? {
        var taken: RequestHead?
        swap(&taken, &head)
        return taken
    }

    var request: RequestHead { head ?? Self.noRequest }
    var connection: ConnectionInfo { link?.info ?? lastInfo ?? Self.nobody }
    var eventLoop: any EventLoop { loop.eventLoop }
    /// The two ends of the connection that this exchange was on, if anybody had asked.
    var lastInfo: ConnectionInfo?
    private static let nobody = ConnectionInfo(remoteAddress: nil, localAddress: nil)

    var requestID: String { id.text }

    var isWaitingForBody: Bool { bodyReceiver != nil && !isBodyComplete && bodyFailure == nil }

    func receive(_ deliver: @escaping (BodyPart) -> Void) {
        guard let link else { return deliver(isBodyComplete ? .disconnected : .failed(.disconnected)) }
        if let bodyFailure { return deliver(.failed(bodyFailure)) }
        if hasReceived && isBodyComplete {
            guard !link.isInputClosed else { return deliver(.disconnected) }
            bodyReceiver = deliver
            return
        }
        bodyReceiver = deliver
        if isBodyComplete {
            hasReceived = true
            return handOver(.end)
        }
        if let head, head.expectsContinue, !sentContinue, response == .pending {
            sentContinue = true
            link.socket.output.tail.writeStaticString("HTTP/1.1 100 Continue\r\n\r\n")
            link.wroteToTail()
            link.flushNow()
        }
        do throws(RequestError) {
            if try !pump() { link.expectBody() }
        } catch {
            bodyFailed(error)
        }
    }

    /// Hands the next part to whoever waits for it; false when more bytes are needed or nobody waits.
    func pump() throws(RequestError) -> Bool {
        guard bodyReceiver != nil, let link, bodyFailure == nil else { return false }
        if isBodyComplete { return false }
        switch try link.nextBodyEvent() {
        case .body(let bytes):
            link.expectNothing()
            due = 0
            handOver(.bytes(bytes))
            return true
        case .end:
            link.expectNothing()
            due = 0
            isBodyComplete = true
            bodyEnded = loop.eventLoop.clock
            hasReceived = true
            handOver(.end)
            return true
        case .head, nil:
            if link.isInputClosed { fail(.disconnected) }
            return false
        }
    }

    func handOver(_ part: BodyPart) {
        let receiver = bodyReceiver
        bodyReceiver = nil
        receiver?(part)
    }

    func fail(_ failure: BodyFailure) {
        bodyFailure = failure
        keepsAlive = false
        handOver(.failed(failure))
    }

    /// What came of the body cannot be read on.
    func bodyFailed(_ error: RequestError) { fail(error == .bodyTooLarge ? .tooLarge : .malformed) }

    func bodyTimedOut() { fail(.timedOut) }

    /// The client has closed its half: it still gets its answer.
    func inputClosed() {
        if isBodyComplete { handOver(.disconnected) } else if isWaitingForBody { fail(.disconnected) }
    }
}
