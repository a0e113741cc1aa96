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

    /// Below this, copying a piece behind what is buffered is cheaper than a buffer of its own.
    private static let copyLimit = 16 * 1024
    /// Written bytes that are flushed without waiting for the end of the loop's turn.
    private static let flushLimit = 32 * 1024

    let loop: LoopContext
    var link: HTTP1Connection?
    var head: RequestHead?
    var response = Response.pending
    var status: Status?
    private(set) var bodyBytes = 0
    private(set) var duration = Duration.zero
    private(set) var isComplete = false
    private var unflushed = 0
    var isBodyComplete = false
    private var bodyFailure: BodyFailure?
    private var hasReceived = false
    private var sentContinue = false
    var keepsAlive = false
    /// The head of a streamed response, held until the first bytes of its body.
    private var pendingHead: ByteBuffer?
    private var bodyReceiver: ((BodyPart) -> Void)?
    private var writableWaiter: (() -> Void)?
    private var closeCallback: (() -> Void)?
    private var began: NIODeadline?
    private var id: String?

    init(loop: LoopContext) { self.loop = loop }

    func begin(_ head: RequestHead, on link: HTTP1Connection) {
        self.link = link
        self.head = head
        response = .pending
        status = nil
        bodyBytes = 0
        unflushed = 0
        isBodyComplete = false
        bodyFailure = nil
        hasReceived = false
        sentContinue = false
        keepsAlive = head.isKeepAlive
        id = nil
        if let observer = loop.observer {
            began = observer.wantsDurations ? .now() : nil
            observer.exchangeStarted()
        }
    }

    /// A request without a body is complete with its head.
    func skipEmptyBody() throws(RequestError) {
        _ = try link?.nextBodyEvent()
        isBodyComplete = true
    }

    // MARK: Request

    private static let noRequest = RequestHead(.get, "/")

    var request: RequestHead { head ?? Self.noRequest }
    var connection: ConnectionInfo { link?.info ?? lastInfo }
    var eventLoop: any EventLoop { loop.eventLoop }
    var lastInfo = ConnectionInfo(remoteAddress: nil, localAddress: nil)

    var requestID: String {
        if let id { return id }
        let made = loop.makeRequestID()
        id = made
        return made
    }

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
            link.write(.byteBuffer(ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n")))
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
            handOver(.bytes(bytes))
            return true
        case .end:
            link.expectNothing()
            isBodyComplete = true
            hasReceived = true
            handOver(.end)
            return true
        case .head, nil:
            if link.isInputClosed { fail(.disconnected) }
            return false
        }
    }

    private func handOver(_ part: BodyPart) {
        let receiver = bodyReceiver
        bodyReceiver = nil
        receiver?(part)
    }

    private func fail(_ failure: BodyFailure) {
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

    // MARK: Response

    var isOpen: Bool { link != nil }
    var hasStarted: Bool { response != .pending }
    var isWritable: Bool { link?.isWritable ?? true }

    func whenWritable(_ ready: @escaping () -> Void) {
        if isWritable { return ready() }
        link?.flushNow()
        if isWritable { return ready() }
        writableWaiter = ready
    }

    func becameWritable() {
        let waiter = writableWaiter
        writableWaiter = nil
        waiter?()
    }

    func onClose(_ closed: @escaping () -> Void) {
        if link == nil && response != .complete { return closed() }
        closeCallback = closed
    }

    func respond(_ head: ResponseHead, _ body: ByteBuffer) {
        guard let link, response == .pending, let request = self.head else { return }
        let facts = ResponseEncoder.facts(of: head.fields)
        let isHead = request.method == .head
        let length: ResponseEncoder.BodyLength
        if head.status.isBodiless {
            length = .unsaid
        } else if isHead {
            // What GET would have said, if the application knows better than the body it left out.
            length = .known(facts.contentLength ?? body.readableBytes)
        } else if let announced = facts.contentLength, announced != body.readableBytes {
            start(head)
            write(body)
            return finish()
        } else {
            length = .known(body.readableBytes)
        }
        let sendsBody = !isHead && !head.status.isBodiless
        loop.scratch.clear()
        writeHead(head, facts, length, into: &loop.scratch)
        if sendsBody {
            bodyBytes = body.readableBytes
            if bodyBytes <= Self.copyLimit {
                loop.scratch.writeImmutableBuffer(body)
                link.write(.byteBuffer(loop.scratch))
            } else {
                link.write(.byteBuffer(loop.scratch))
                link.write(.byteBuffer(body))
            }
        } else {
            link.write(.byteBuffer(loop.scratch))
        }
        complete()
    }

    func start(_ head: ResponseHead) {
        guard link != nil, response == .pending, let request = self.head else { return }
        let facts = ResponseEncoder.facts(of: head.fields)
        let length: ResponseEncoder.BodyLength
        if head.status.isBodiless || request.method == .head {
            response = .bodiless
            length = head.status.isBodiless ? .unsaid : facts.contentLength.map { .known($0) } ?? .unsaid
        } else if let announced = facts.contentLength {
            response = .length(remaining: announced)
            length = .known(announced)
        } else if request.version == .http11 {
            response = .chunked
            length = .chunked
        } else {
            response = .untilClose
            keepsAlive = false
            length = .unsaid
        }
        var buffer = ByteBuffer()
        buffer.reserveCapacity(256 + head.fields.wire.count)
        writeHead(head, facts, length, into: &buffer)
        pendingHead = buffer
        link?.flushSoon()
    }

    private func writeHead(
        _ head: ResponseHead, _ facts: ResponseEncoder.Facts, _ length: ResponseEncoder.BodyLength,
        into buffer: inout ByteBuffer
    ) {
        status = head.status
        if facts.closes || loop.isDraining || link?.isInputClosed == true { keepsAlive = false }
        if !isBodyComplete && !canDiscardBody { keepsAlive = false }
        let field: StaticString? =
            if !keepsAlive {
                "Connection: close\r\n"
            } else if request.version == .http10 {
                "Connection: keep-alive\r\n"
            } else {
                nil
            }
        ResponseEncoder.write(
            head, facts: facts, length: length, connection: field, common: loop.commonFields, into: &buffer)
    }

    /// Whether what the client still sends of the body is little enough to read and drop. A client that waits for
    /// `100 Continue` may send it or not: nobody can tell.
    private var canDiscardBody: Bool {
        guard let head, let link else { return false }
        if head.expectsContinue && !sentContinue { return false }
        return link.remainingLength.map { $0 <= loop.options.discardLimit } ?? true
    }

    func write(_ bytes: ByteBuffer) {
        guard let link, bytes.readableBytes > 0 else { return }
        var bytes = bytes
        switch response {
        case .length(let remaining):
            if bytes.readableBytes > remaining {
                bytes = bytes.getSlice(at: bytes.readerIndex, length: remaining) ?? ByteBuffer()
            }
            response = .length(remaining: remaining - bytes.readableBytes)
            send(bytes, on: link)
        case .chunked:
            sendChunk(bytes, on: link)
        case .untilClose:
            send(bytes, on: link)
        case .pending, .bodiless, .complete: return
        }
        bodyBytes += bytes.readableBytes
        wrote(bytes.readableBytes)
    }

    func write(_ file: FileRegion, keeping owner: AnyObject) {
        guard let link, file.readableBytes > 0 else { return }
        var file = file
        switch response {
        case .length(let remaining):
            if file.readableBytes > remaining {
                file = FileRegion(
                    fileHandle: file.fileHandle, readerIndex: file.readerIndex, endIndex: file.readerIndex + remaining)
            }
            response = .length(remaining: remaining - file.readableBytes)
        case .chunked:
            var line = takePendingHead()
            line.writeString(String(file.readableBytes, radix: 16) + "\r\n")
            link.write(.byteBuffer(line))
        case .untilClose: break
        case .pending, .bodiless, .complete: return
        }
        if pendingHead != nil { link.write(.byteBuffer(takePendingHead())) }
        let sent = loop.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenComplete { _ in withExtendedLifetime(owner) {} }
        link.write(.fileRegion(file), promise: sent)
        if response == .chunked { link.write(.byteBuffer(ByteBuffer(staticString: "\r\n"))) }
        bodyBytes += file.readableBytes
        wrote(file.readableBytes)
    }

    func takePendingHead() -> ByteBuffer {
        defer { pendingHead = nil }
        return pendingHead ?? ByteBuffer()
    }

    private func send(_ bytes: ByteBuffer, on link: HTTP1Connection) {
        guard var head = pendingHead else { return link.write(.byteBuffer(bytes)) }
        pendingHead = nil
        if bytes.readableBytes <= Self.copyLimit {
            head.writeImmutableBuffer(bytes)
            link.write(.byteBuffer(head))
        } else {
            link.write(.byteBuffer(head))
            link.write(.byteBuffer(bytes))
        }
    }

    private func sendChunk(_ bytes: ByteBuffer, on link: HTTP1Connection) {
        var buffer = takePendingHead()
        buffer.writeString(String(bytes.readableBytes, radix: 16) + "\r\n")
        if bytes.readableBytes <= Self.copyLimit {
            buffer.writeImmutableBuffer(bytes)
            buffer.writeStaticString("\r\n")
            link.write(.byteBuffer(buffer))
        } else {
            link.write(.byteBuffer(buffer))
            link.write(.byteBuffer(bytes))
            link.write(.byteBuffer(ByteBuffer(staticString: "\r\n")))
        }
    }

    private func wrote(_ count: Int) {
        unflushed += count
        if unflushed >= Self.flushLimit { flush() } else { link?.flushSoon() }
    }

    func flush() {
        unflushed = 0
        flushHead()
        link?.flushNow()
    }

    /// A held head leaves now, without a body to go with it.
    func flushHead() {
        guard pendingHead != nil else { return }
        link?.write(.byteBuffer(takePendingHead()))
    }

    func finish() {
        guard let link else { return }
        switch response {
        case .pending, .complete: return
        case .length(let remaining) where remaining > 0:
            loop.logger.error(
                "response is shorter than its Content-Length",
                metadata: ["missing": "\(remaining)", "request": "\(requestID)"])
            return abort()
        case .chunked:
            var buffer = takePendingHead()
            buffer.writeStaticString("0\r\n\r\n")
            link.write(.byteBuffer(buffer))
        case .length, .untilClose, .bodiless: flushHead()
        }
        complete()
    }

    func abort() {
        guard let link, response != .complete else { return }
        let needsReset = response == .untilClose
        if pendingHead != nil { link.write(.byteBuffer(takePendingHead())) }
        report(isComplete: false)
        response = .complete
        link.cutOff(afterBody: isBodyComplete, resets: needsReset)
    }

    func complete() {
        guard let link else { return }
        response = .complete
        report(isComplete: true)
        lastInfo = link.infoIfKnown ?? lastInfo
        self.link = nil
        // Nobody may be left waiting for a part that will not come.
        let receiver = bodyReceiver
        clearCallbacks()
        link.exchangeFinished(self, isBodyComplete: isBodyComplete, keepsAlive: keepsAlive && bodyFailure == nil)
        receiver?(isBodyComplete ? .disconnected : .failed(.disconnected))
    }

    func clearCallbacks() {
        bodyReceiver = nil
        writableWaiter = nil
        closeCallback = nil
    }

    /// The connection is gone before the response was complete.
    func connectionLost() {
        if response != .complete { report(isComplete: false) }
        link = nil
        pendingHead = nil
        if !isBodyComplete && bodyFailure == nil { bodyFailure = .disconnected }
        let (receiver, waiter, callback) = (bodyReceiver, writableWaiter, closeCallback)
        clearCallbacks()
        receiver?(isBodyComplete ? .disconnected : .failed(.disconnected))
        waiter?()
        callback?()
    }

    func report(isComplete: Bool) {
        guard let observer = loop.observer else { return }
        self.isComplete = isComplete
        duration = began.map { .nanoseconds((NIODeadline.now() - $0).nanoseconds) } ?? .zero
        observer.exchangeFinished(self)
    }

    var finishedRequest: RequestHead? { head }

    /// `OPTIONS *` asks about the server as a whole (RFC 9110 §9.3.7).
    func respondToServerOptions() {
        respond(
            ResponseHead(.ok, ["Allow": "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"]), ByteBuffer())
    }
}
