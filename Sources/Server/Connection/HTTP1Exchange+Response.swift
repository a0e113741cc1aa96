import Gateway
import HTTP
import Logging
import NIOCore

/// The response's side of an exchange.
extension HTTP1Exchange {
    /// Written bytes that are flushed without waiting for the end of the loop's turn.
    private static let flushLimit = 32 * 1024

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
        let isBodiless = head.status.isBodiless
        let isHead = if case .head = request.method { true } else { false }
        let length: ResponseEncoder.BodyLength
        if isBodiless {
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
        let sendsBody = !isHead && !isBodiless && body.readableBytes > 0
        let isSmall = body.readableBytes <= SocketOutput.copyLimit
        writeHead(head, facts, length, body: sendsBody && isSmall ? body : nil, on: link)
        if sendsBody {
            bodyBytes = body.readableBytes
            if !isSmall { link.write(body) }
        }
        complete()
    }

    func start(_ head: ResponseHead) {
        guard let link, response == .pending, let request = self.head else { return }
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
        due = 0
        if loop.observer != nil { responseBegan = loop.eventLoop.readClock() }
        isEventStream = response != .bodiless && Self.isEventStream(head)
        if isEventStream { limit = 0 }
        writeHead(head, facts, length, body: nil, on: link)
        link.flushSoon()
    }

    /// Events come when they happen: that none does for a while means nothing.
    private static func isEventStream(_ head: ResponseHead) -> Bool {
        head.fields["Content-Type"]?.lowercased().hasPrefix("text/event-stream") ?? false
    }

    private func writeHead(
        _ head: ResponseHead, _ facts: ResponseEncoder.Facts, _ length: ResponseEncoder.BodyLength, body: ByteBuffer?,
        on link: HTTP1Connection
    ) {
        status = head.status
        if facts.closes || loop.isDraining || link.isInputClosed { keepsAlive = false }
        if !isBodyComplete && !canDiscardBody { keepsAlive = false }
        let field: StaticString? =
            if !keepsAlive {
                "Connection: close\r\n"
            } else if request.version == .http10 {
                "Connection: keep-alive\r\n"
            } else {
                nil
            }
        link.socket.prepareOutput()
        ResponseEncoder.write(
            head, facts: facts, length: length, connection: field, common: loop.commonFields, body: body,
            into: &link.socket.output.tail)
        link.wroteToTail()
    }

    /// Whether what the client still sends of the body is little enough to read and drop. A client that waits for
    /// `100 Continue` may send it or not: nobody can tell.
    private var canDiscardBody: Bool {
        guard let head, let link else { return false }
        if head.expectsContinue && !sentContinue { return false }
        return link.remainingLength.map { $0 <= loop.options.discardLimit } ?? true
    }

    func write(_ bytes: ByteBuffer) {
        guard let link, let count = admit(bytes.readableBytes, on: link) else { return }
        // Nearly always all of it.
        let isAll = count == bytes.readableBytes
        link.write(isAll ? bytes : bytes.getSlice(at: bytes.readerIndex, length: count) ?? ByteBuffer())
        endChunk(on: link)
        wrote(count, on: link)
    }

    func write(_ file: FileRegion, keeping owner: AnyObject) {
        guard let link, let count = admit(file.readableBytes, on: link) else { return }
        let start = file.readerIndex
        let region = FileRegion(fileHandle: file.fileHandle, readerIndex: start, endIndex: start + count)
        link.write(region, keeping: owner)
        endChunk(on: link)
        wrote(count, on: link)
    }

    func write(lent bytes: UnsafeRawBufferPointer) {
        guard let link, let count = admit(bytes.count, on: link) else { return }
        due = 0
        bodyBytes += count
        unflushed = 0
        link.send(lent: UnsafeRawBufferPointer(rebasing: bytes[..<count]), before: response == .chunked ? "\r\n" : "")
    }

    /// How many of the next `count` bytes are part of the body; nil for none. Writes the size before a chunk.
    private func admit(_ count: Int, on link: HTTP1Connection) -> Int? {
        guard count > 0 else { return nil }
        switch response {
        case .length(let remaining):
            let admitted = min(count, remaining)
            response = .length(remaining: remaining - admitted)
            return admitted > 0 ? admitted : nil
        case .chunked:
            link.socket.prepareOutput()
            ResponseEncoder.writeChunkSize(count, into: &link.socket.output.tail)
            return count
        case .untilClose: return count
        case .pending, .bodiless, .complete: return nil
        }
    }

    private func endChunk(on link: HTTP1Connection) {
        if response == .chunked { link.socket.output.tail.writeStaticString("\r\n") }
    }

    private func wrote(_ count: Int, on link: HTTP1Connection) {
        due = 0
        bodyBytes += count
        unflushed += count
        if unflushed >= Self.flushLimit { flush() } else { link.flushSoon() }
    }

    func flush() {
        unflushed = 0
        link?.flushNow()
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
            link.socket.output.tail.writeStaticString("0\r\n\r\n")
            link.wroteToTail()
        case .length, .untilClose, .bodiless: break
        }
        complete()
    }

    func abort() {
        guard let link, response != .complete else { return }
        let needsReset = response == .untilClose
        report(isComplete: false)
        response = .complete
        runningCall = nil
        link.cutOff(afterBody: isBodyComplete, resets: needsReset)
    }

    func complete() {
        guard let link else { return }
        response = .complete
        report(isComplete: true)
        lastInfo = link.infoIfKnown
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
        runningCall = nil
        leaveCallback = nil
    }

    /// The connection is gone before the response was complete.
    func connectionLost() {
        if response != .complete {
            report(isComplete: false)
            if let runningCall, limit > 0 { loop.connections.adopt(runningCall, limit, due: due) }
        }
        lastInfo = link?.infoIfKnown
        link = nil
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
        let now = loop.eventLoop.readClock()
        nanoseconds = now &- began
        if responseBegan == 0 { responseBegan = now }
        observer.exchangeFinished(self)
    }

    var finishedRequest: RequestHead? { head }

    /// `OPTIONS *` asks about the server as a whole (RFC 9110 §9.3.7).
    func respondToServerOptions() {
        respond(
            ResponseHead(.ok, ["Allow": "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"]), ByteBuffer())
    }
}
