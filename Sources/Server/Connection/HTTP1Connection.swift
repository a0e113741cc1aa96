import Gateway
import Glibc
import HTTP
import Logging
import NIOCore
import Platform

/// One client connection: bytes in, exchanges out, one exchange at a time.
///
/// It decides what may be read, when the connection stays open and how it ends; what a request means is the parser's
/// business, what a response looks like ``HTTP1Exchange``'s. Confined to its event loop.
final class HTTP1Connection: SocketHandler {
    enum Phase {
        /// Waiting for the first byte of a request.
        case idle
        /// In the middle of a request head.
        case head
        case exchange
        /// The response is complete; what is left of the request body is read and dropped.
        case discarding(remaining: Int)
        /// Everything was sent; reading on until the client has seen it and closes.
        case lingering
        case closed
    }

    let loop: LoopContext
    let socket: SocketChannel
    var phase = Phase.idle
    private var parser: RequestParser
    /// Received and not yet parsed.
    var input = ByteBuffer()
    var exchange: HTTP1Exchange?
    private var isAdvancing = false
    private var isReading = false
    /// Whether the handler is being called.
    private(set) var isCalling = false
    private var needsFlush = false
    private var isFlushScheduled = false
    var isFirstRequest = true
    var deadline = Deadline.unset
    var outputStall = OutputStall()
    /// Bytes that came, ever.
    private(set) var received = 0
    /// Looked at while the server drains.
    var progress: StreamProgress?

    // The registry's links.
    var nextInRegistry: HTTP1Connection?
    unowned(unsafe) var previousInRegistry: HTTP1Connection?

    init(loop: LoopContext, socket: SocketChannel) {
        self.loop = loop
        self.socket = socket
        parser = RequestParser(limits: loop.options.limits)
    }

    private(set) var infoIfKnown: ConnectionInfo?
    /// The two ends, looked up for the first request that asks.
    var info: ConnectionInfo {
        if let infoIfKnown { return infoIfKnown }
        let info = ConnectionInfo(remoteAddress: socket.remoteAddress, localAddress: socket.localAddress)
        infoIfKnown = info
        return info
    }

    // MARK: The socket

    /// Begins to serve the socket, on which `received` has come already.
    func open(_ received: [UInt8] = []) {
        socket.handler = self
        loop.connections.insert(self)
        loop.observer?.connectionOpened()
        do throws(SystemError) { try socket.open() } catch {
            loop.logger.error("cannot watch a connection: \(error)")
            return socket.close()
        }
        if !received.isEmpty {
            input.writeBytes(received)
            parse()
        } else if loop.successor != nil {
            handOver()
        }
    }

    var wantsBytes: Bool {
        switch phase {
        case .exchange: input.readableBytes == 0 || exchange?.isWaitingForBody == true
        case .closed: false
        default: true
        }
    }

    func socketIsReadable(_ socket: SocketChannel) {
        prepareInput()
        switch socket.receive(into: &input) {
        case .bytes(let count):
            received &+= count
            outputStall.noteActivity()
            parse()
            if input.readableBytes == 0 { loop.spare.keep(&input, isIdle: isIdle) }
        case .end: inputClosed()
        case .nothing, .lost: break
        }
    }

    /// Goes through what has just come; the answers leave together.
    private func parse() {
        isReading = true
        advance()
        isReading = false
        if needsFlush { flushAnswer() }
    }

    /// Room for what comes.
    private func prepareInput() {
        if input.readableBytes == 0 { loop.spare.prepare(&input) } else { input.discardReadBytes() }
    }

    private var isIdle: Bool { if case .idle = phase { true } else { false } }

    private func inputClosed() {
        switch phase {
        case .exchange:
            advance()
            exchange?.inputClosed()
            if needsFlush { flushNow() }
        case .idle, .head, .discarding, .lingering: close()
        case .closed: break
        }
        socket.updateInterest()
    }

    var isInputClosed: Bool { socket.isInputClosed }

    func socketIsWritable(_ socket: SocketChannel) { exchange?.becameWritable() }

    func socketIsLost(_ socket: SocketChannel) {
        if case .closed = phase { return }
        phase = .closed
        input = ByteBuffer()
        loop.connections.remove(self)
        let lost = exchange
        exchange = nil
        lost?.connectionLost()
        loop.observer?.connectionClosed()
    }

    /// Reads on if the handler's wishes have changed since reading was paused.
    private func resumeReading() {
        if socket.isReadPaused { socket.updateInterest() }
    }

    // MARK: Requests

    /// Moves on as far as what was received allows.
    func advance() {
        guard !isAdvancing else { return }
        isAdvancing = true
        while socket.isOpen, step() {}
        isAdvancing = false
        resumeReading()
    }

    /// One step; false when nothing more can be done now.
    private func step() -> Bool {
        do throws(RequestError) {
            switch phase {
            case .idle, .head: return try stepHead()
            case .exchange: return try exchange?.pump() ?? false
            case .discarding(let remaining): return try stepDiscard(remaining)
            case .lingering, .closed:
                input.clear()
                return false
            }
        } catch {
            refuse(error)
            return false
        }
    }

    private func stepHead() throws(RequestError) -> Bool {
        guard input.readableBytes > 0 else { return false }
        guard case .head(let head) = try parser.next(&input, reusing: &loop.spare.head) else {
            if case .idle = phase, !parser.isBetweenRequests {
                phase = .head
                deadline = .unset
            }
            return false
        }
        phase = .exchange
        deadline = .none
        isFirstRequest = false
        let exchange = loop.spare.takeExchange() ?? HTTP1Exchange(loop: loop)
        self.exchange = exchange
        exchange.begin(head, on: self)
        if case .none = head.framing { try exchange.skipEmptyBody() }
        if head.rawPath.count == 0, head.method == .options {
            exchange.respondToServerOptions()
        } else {
            call(exchange, head)
        }
        return true
    }

    /// Has the handler answer, and says meanwhile what the thread is at, for whoever finds that it does not come back.
    private func call(_ exchange: HTTP1Exchange, _ head: RequestHead) {
        let pulse = loop.eventLoop.pulse
        isCalling = true
        let before = ThreadWork.begin(head.lineBytes)
        pulse.beat()
        pulse.allow(exchange.limit == 0 ? .max : exchange.limit)
        loop.eventLoop.ageClock()
        loop.handler.handle(exchange)
        pulse.allow(0)
        isCalling = false
        before.restore()
    }

    private func stepDiscard(_ remaining: Int) throws(RequestError) -> Bool {
        switch try parser.next(&input) {
        case .body(let bytes):
            let left = remaining - bytes.readableBytes
            guard left >= 0 else {
                linger()
                return false
            }
            phase = .discarding(remaining: left)
            return true
        case .end:
            becomeIdle()
            return true
        case .head, nil: return false
        }
    }

    /// Bytes of the request body that are still to come; nil when only its end will tell.
    var remainingLength: Int? { parser.remainingLength }

    /// The next event of the request body.
    func nextBodyEvent() throws(RequestError) -> RequestParser.Event? { try parser.next(&input) }

    /// The body's next bytes must come within `timeouts.body` from now.
    func expectBody() {
        deadline = .unset
        resumeReading()
    }

    /// Nothing is expected from the client for now.
    func expectNothing() { deadline = .none }

    /// The response is complete and handed to the socket.
    func exchangeFinished(_ finished: HTTP1Exchange, isBodyComplete: Bool, keepsAlive: Bool) {
        guard exchange === finished else { return }
        exchange = nil
        loop.spare.keep(finished)
        guard keepsAlive, !isInputClosed else { return end(afterBody: isBodyComplete) }
        if isBodyComplete {
            becomeIdle()
        } else {
            phase = .discarding(remaining: loop.options.discardLimit)
            deadline = .unset
        }
        if !isReading { flushAnswer() }
        if loop.successor != nil, isBodyComplete, handOver() { return }
        if !isAdvancing { advance() }
    }

    private func becomeIdle() {
        phase = .idle
        deadline = .unset
    }

    func refuse(_ error: RequestError) {
        if let exchange {
            // The handler learns it from `receive`; the response, begun or not, ends the connection.
            exchange.bodyFailed(error)
            return
        }
        // The request was answered already: a second answer would be taken for that of the next one.
        if case .discarding = phase { return linger() }
        let bytes = ByteBuffer(string: error.explanation + "\n")
        let head = ResponseHead(error.status, ["Content-Type": "text/plain; charset=utf-8"])
        socket.prepareOutput()
        ResponseEncoder.write(
            head, facts: .init(), length: .known(bytes.readableBytes), connection: "Connection: close\r\n",
            common: loop.commonFields, body: bytes, into: &socket.output.tail)
        wroteToTail()
        loop.observer?.exchangeStarted(waited: 0)
        loop.observer?.exchangeFinished(
            RefusedExchange(
                connection: info, status: error.status, bodyBytes: bytes.readableBytes,
                requestID: loop.makeRequestID().text)
        )
        end(afterBody: false)
    }

    // MARK: Output

    /// Hands bytes to the socket; they leave with the next flush.
    func write(_ bytes: ByteBuffer) {
        socket.write(bytes)
        needsFlush = true
    }

    /// As ``write(_:)``, of a file; `owner` is held until it was sent.
    func write(_ file: FileRegion, keeping owner: AnyObject) {
        socket.write(file, keeping: owner)
        needsFlush = true
    }

    /// Sends what waits, `bytes`, and `end`. What of it the socket does not take is copied, and follows by itself.
    func send(lent bytes: UnsafeRawBufferPointer, before end: StaticString) {
        needsFlush = false
        socket.send(lent: bytes, before: end)
    }

    /// Something was appended to the tail of the socket's output, which saves a buffer of its own.
    func wroteToTail() {
        socket.noteFilling()
        needsFlush = true
    }

    /// Flushes at the end of this turn of the loop, so that what is written together leaves together.
    func flushSoon() {
        guard !isReading, !isFlushScheduled else { return }
        isFlushScheduled = true
        loop.flushes.add(self)
    }

    /// A small answer leaves with those of the same turn; a large one while it is in the processor's caches.
    private func flushAnswer() {
        if socket.output.count > FlushQueue.largest { flushNow() } else { flushSoon() }
    }

    /// The time that ``flushSoon()`` meant has come.
    func flushQueued() {
        isFlushScheduled = false
        if needsFlush { flushNow() }
    }

    func flushNow() {
        needsFlush = false
        socket.flush()
    }

    var isWritable: Bool { socket.isWritable }
}
