import Gateway
import Glibc
import HTTP
import Logging
import NIOCore

/// One client connection: bytes in, exchanges out, one exchange at a time.
///
/// It decides what may be read, when the connection stays open and how it ends; what a request means is the parser's
/// business, what a response looks like ``HTTP1Exchange``'s. Confined to its event loop.
final class HTTP1Connection: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = IOData

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
    var phase = Phase.idle
    private var parser: RequestParser
    /// Received and not yet parsed.
    var input = ByteBuffer()
    private(set) var context: ChannelHandlerContext?
    var exchange: HTTP1Exchange?
    /// A finished exchange that nobody else holds, to be used again.
    private var spareExchange: HTTP1Exchange?
    private var isAdvancing = false
    private var isReading = false
    private var needsFlush = false
    private var isFlushScheduled = false
    var isReadHeld = false
    private var isFirstRequest = true
    private(set) var isInputClosed = false
    private var deadline = Deadline.unset
    private var outputStall = OutputStall()

    // The registry's links.
    var nextInRegistry: HTTP1Connection?
    unowned(unsafe) var previousInRegistry: HTTP1Connection?

    init(loop: LoopContext) {
        self.loop = loop
        parser = RequestParser(limits: loop.options.limits)
    }

    private(set) var infoIfKnown: ConnectionInfo?
    /// The two ends, looked up for the first request that asks.
    var info: ConnectionInfo {
        if let infoIfKnown { return infoIfKnown }
        let info = ConnectionInfo(remoteAddress: context?.remoteAddress, localAddress: context?.localAddress)
        infoIfKnown = info
        return info
    }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { open() }
    }

    func channelActive(context: ChannelHandlerContext) { open() }

    private func open() {
        loop.connections.insert(self)
        loop.observer?.connectionOpened()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        isReading = true
        outputStall.noteActivity()
        if input.readableBytes == 0 {
            input = bytes
        } else {
            input.discardReadBytes()
            input.writeBuffer(&bytes)
        }
        advance()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        exchange?.flushHead()
        if needsFlush { flushNow() }
    }

    func read(context: ChannelHandlerContext) {
        if wantsRead { context.read() } else { isReadHeld = true }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .some(.inputClosed) = event as? ChannelEvent else { return }
        isInputClosed = true
        switch phase {
        case .exchange:
            advance()
            exchange?.inputClosed()
        case .idle, .head, .discarding, .lingering: close()
        case .closed: break
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { exchange?.becameWritable() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Resets and broken pipes: the client is gone, which is its own affair.
        loop.logger.debug("connection error", metadata: ["error": "\(error)"])
        close()
    }

    func channelInactive(context: ChannelHandlerContext) { connectionLost() }

    func handlerRemoved(context: ChannelHandlerContext) {
        connectionLost()
        self.context = nil
    }

    private func connectionLost() {
        if case .closed = phase { return }
        phase = .closed
        input = ByteBuffer()
        loop.connections.remove(self)
        let lost = exchange
        exchange = nil
        spareExchange = nil
        lost?.connectionLost()
        loop.observer?.connectionClosed()
    }

    // MARK: Requests

    /// Moves on as far as what was received allows.
    func advance() {
        guard !isAdvancing else { return }
        isAdvancing = true
        while step() {}
        isAdvancing = false
        if input.readableBytes == 0 { input = ByteBuffer() }
        if isReadHeld && wantsRead {
            isReadHeld = false
            context?.read()
        }
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
        guard case .head(let head) = try parser.next(&input) else {
            if case .idle = phase, !parser.isBetweenRequests {
                phase = .head
                deadline = .unset
            }
            return false
        }
        phase = .exchange
        deadline = .none
        isFirstRequest = false
        let exchange = takeExchange()
        self.exchange = exchange
        exchange.begin(head, on: self)
        if head.framing == .none { try exchange.skipEmptyBody() }
        if head.rawPath.count == 0 && head.method == .options {
            exchange.respondToServerOptions()
        } else {
            loop.handler.handle(exchange)
        }
        return true
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
        if isReadHeld && wantsRead {
            isReadHeld = false
            context?.read()
        }
    }

    /// Nothing is expected from the client for now.
    func expectNothing() { deadline = .none }

    private var wantsRead: Bool {
        switch phase {
        case .exchange: exchange?.isWaitingForBody == true || input.readableBytes == 0
        case .closed: false
        default: true
        }
    }

    /// The response is complete and handed to the channel.
    func exchangeFinished(_ finished: HTTP1Exchange, isBodyComplete: Bool, keepsAlive: Bool) {
        guard exchange === finished else { return }
        exchange = nil
        if spareExchange == nil { spareExchange = finished }
        guard keepsAlive, !isInputClosed else { return end(afterBody: isBodyComplete) }
        if isBodyComplete {
            becomeIdle()
        } else {
            phase = .discarding(remaining: loop.options.discardLimit)
            deadline = .unset
        }
        flushWhenDone()
        if !isAdvancing { advance() }
    }

    private func becomeIdle() {
        phase = .idle
        deadline = .unset
    }

    /// The last exchange again when nobody kept it, so that a request on a warm connection allocates none.
    private func takeExchange() -> HTTP1Exchange {
        if isKnownUniquelyReferenced(&spareExchange), let spare = spareExchange {
            spareExchange = nil
            return spare
        }
        return HTTP1Exchange(loop: loop)
    }

    private func refuse(_ error: RequestError) {
        if let exchange {
            // The handler learns it from `receive`; the response, begun or not, ends the connection.
            exchange.bodyFailed(error)
            return
        }
        // The request was answered already: a second answer would be taken for that of the next one.
        if case .discarding = phase { return linger() }
        let bytes = ByteBuffer(string: error.explanation + "\n")
        let head = ResponseHead(error.status, ["Content-Type": "text/plain; charset=utf-8"])
        loop.scratch.clear()
        ResponseEncoder.write(
            head, facts: .init(), length: .known(bytes.readableBytes), connection: "Connection: close\r\n",
            common: loop.commonFields, into: &loop.scratch)
        loop.scratch.writeImmutableBuffer(bytes)
        write(.byteBuffer(loop.scratch))
        loop.observer?.exchangeStarted()
        loop.observer?.exchangeFinished(
            RefusedExchange(
                connection: info, status: error.status, bodyBytes: bytes.readableBytes, requestID: loop.makeRequestID())
        )
        end(afterBody: false)
    }

    // MARK: Output

    /// Hands bytes to the channel; they leave with the next flush.
    func write(_ data: IOData, promise: EventLoopPromise<Void>? = nil) {
        guard let context else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        context.write(wrapOutboundOut(data), promise: promise)
        needsFlush = true
    }

    /// Flushes at the end of this turn of the loop, so that what is written together leaves together.
    func flushSoon() {
        guard !isReading, !isFlushScheduled else { return }
        isFlushScheduled = true
        loop.eventLoop.assumeIsolated().execute { [self] in
            isFlushScheduled = false
            exchange?.flushHead()
            if needsFlush { flushNow() }
        }
    }

    /// A complete response leaves at once, but after a read only once the whole read was looked at (pipelining).
    private func flushWhenDone() {
        if !isReading { flushNow() }
    }

    func flushNow() {
        needsFlush = false
        context?.flush()
    }

    var isWritable: Bool { context?.channel.isWritable ?? false }

    // MARK: The end

    /// Closes when everything was sent; lingers while the client may still be sending.
    private func end(afterBody isBodyComplete: Bool) {
        guard let context else { return }
        phase = .lingering
        deadline = .none
        let lingers = (!isBodyComplete || input.readableBytes > 0) && !isInputClosed
        input = ByteBuffer()
        let sent = context.eventLoop.makePromise(of: Void.self)
        write(.byteBuffer(ByteBuffer()), promise: sent)
        flushNow()
        sent.futureResult.assumeIsolated().whenComplete { [self] _ in
            if lingers { linger() } else { close() }
        }
    }

    /// Ends a response in the middle: what was written goes out, and the missing rest shows in the framing, or, when the
    /// response is delimited by the connection's end, by a reset.
    func cutOff(afterBody isBodyComplete: Bool, resets: Bool) {
        guard resets else { return end(afterBody: isBodyComplete) }
        guard let context else { return }
        let sent = context.eventLoop.makePromise(of: Void.self)
        write(.byteBuffer(ByteBuffer()), promise: sent)
        flushNow()
        sent.futureResult.assumeIsolated().whenComplete { [self] _ in reset() }
    }

    private func linger() {
        guard let context, context.channel.isActive else { return }
        phase = .lingering
        deadline = .unset
        context.close(mode: .output, promise: nil)
        if isReadHeld {
            isReadHeld = false
            context.read()
        }
    }

    /// Closes at once; what was not sent is lost.
    func close() { context?.close(promise: nil) }

    /// Closes so that the client sees a reset: what a response that is delimited by the connection's end needs.
    func reset() {
        guard let socket = context?.channel as? any SocketOptionProvider else { return close() }
        socket.setSoLinger(Glibc.linger(l_onoff: 1, l_linger: 0)).assumeIsolated().whenComplete { [self] _ in close() }
    }

    /// Whether the connection has waited for a next request since the last sweep at least: long enough that none is
    /// likely to be on its way.
    var hasIdled: Bool {
        guard case .idle = phase, case .at = deadline else { return false }
        return !isFirstRequest
    }

    /// Closes a connection on which no request was begun; false when there is one.
    @discardableResult
    func closeIfIdle() -> Bool {
        guard case .idle = phase, input.readableBytes == 0 else { return false }
        end(afterBody: true)
        return true
    }

    // MARK: Time

    private enum Deadline {
        /// Nothing is awaited.
        case none
        /// Awaited since the last sweep or later: the sweep sets the time.
        case unset
        case at(NIODeadline)
    }

    /// Called by every sweep.
    func checkDeadline(_ now: NIODeadline) {
        let pending = (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        if pending > 0 {
            if outputStall.age(pending: pending, at: now) > loop.options.timeouts.write { close() }
            return
        }
        outputStall.noteActivity()
        switch deadline {
        case .none: break
        case .unset:
            deadline = .at(now + timeout)
            // It keeps the last request's bytes; a connection that idles does without.
            if case .idle = phase { spareExchange = nil }
        case .at(let time): if time <= now { timedOut() }
        }
    }

    private var timeout: TimeAmount {
        let timeouts = loop.options.timeouts
        return switch phase {
        case .idle: isFirstRequest ? timeouts.header : timeouts.keepAlive
        case .head: timeouts.header
        case .exchange, .discarding: timeouts.body
        // Nobody waits for a client that only has to notice the end when the worker is to stop.
        case .lingering, .closed: loop.isDraining ? min(timeouts.linger, .milliseconds(500)) : timeouts.linger
        }
    }

    private func timedOut() {
        deadline = .none
        switch phase {
        case .head: refuse(.timedOut)
        case .exchange: exchange?.bodyTimedOut()
        case .idle, .discarding, .lingering, .closed: close()
        }
    }
}
