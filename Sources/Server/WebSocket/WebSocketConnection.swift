import Gateway
import Logging
import NIOCore

/// A connection that has become a WebSocket: bytes in, messages out, and the close handshake (RFC 6455).
///
/// It takes the place of ``HTTP1Connection`` as the socket's handler. What bytes mean is ``MessageReader``'s business. Confined to
/// its event loop.
final class WebSocketConnection: SocketHandler, WebSocket {
    enum Phase {
        case open
        /// Our close frame is out; the client's is waited for.
        case closing
        /// Everything was sent, and nothing that comes is looked at: until the client has seen it and closes.
        case lingering
        case closed
    }

    /// Messages and their bytes that may wait for the application before no more is read.
    private static let queueLimit = (messages: 32, bytes: 64 << 10)
    /// Below this, copying a payload behind what is buffered is cheaper than a buffer of its own.
    private static let copyLimit = 16 << 10
    /// Buffered bytes that are handed to the socket without waiting for the end of the loop's turn.
    private static let flushLimit = 32 << 10

    let loop: LoopContext
    var phase = Phase.open
    let socket: SocketChannel
    private var reader: MessageReader
    private let deflater: MessageDeflater?
    /// Received and not yet parsed.
    private var input: ByteBuffer
    private var isProcessing = false
    private var isReading = false

    private var queue = CircularBuffer<WebSocketMessage>(initialCapacity: 0)
    private var queuedBytes = 0
    /// How it ended, once it has.
    private var end: WebSocketEvent?
    private var receiver: ((WebSocketEvent) -> Void)?
    private var writableWaiters: [() -> Void] = []
    private var isFinished = false

    private var output: ByteBuffer
    private var needsFlush = true
    private var isFlushScheduled = false

    var keepAlive = KeepAlive()
    var closeDeadline: NIODeadline?
    var outputStall = OutputStall()

    /// `head` is the response that completes the handshake, and leaves first; `input` what came behind the request.
    init(
        loop: LoopContext, socket: SocketChannel, compression: DeflateAgreement?, head: ByteBuffer, input: ByteBuffer
    ) {
        self.loop = loop
        self.socket = socket
        reader = MessageReader(maxSize: loop.options.webSocket.maxSize, inflater: compression?.makeInflater())
        deflater = compression?.makeDeflater()
        output = head
        self.input = input
    }

    var eventLoop: any EventLoop { loop.eventLoop }

    // MARK: The socket

    /// Takes the socket over.
    func begin() {
        socket.handler = self
        loop.webSockets.insert(self)
        socket.updateInterest()
        flushSoon()
        // What came in the same packet as the request is looked at once the application had a chance to ask for it.
        if input.readableBytes > 0 { loop.eventLoop.assumeIsolated().execute { [self] in process() } }
        // A request from before the end is still served, for a moment.
        if let times = loop.drainTimes, times.lingerEnd <= .now() {
            loop.eventLoop.assumeIsolated().execute { [self] in restart() }
        }
    }

    var wantsBytes: Bool { wantsRead }

    func socketIsReadable(_ socket: SocketChannel) {
        if input.readableBytes > 0 { input.discardReadBytes() } else { input.clear() }
        switch socket.receive(into: &input) {
        case .bytes:
            isReading = true
            keepAlive.noteHeard()
            outputStall.noteActivity()
            process()
            isReading = false
            if needsFlush { flushNow() }
        case .end:
            process()
            socket.updateInterest()
        case .nothing, .lost: break
        }
    }

    func socketIsWritable(_ socket: SocketChannel) { wakeWriters() }

    func socketIsLost(_ socket: SocketChannel) {
        guard phase != .closed else { return }
        phase = .closed
        input = ByteBuffer()
        loop.webSockets.remove(self)
        loop.observer?.connectionClosed()
        note(.closed(code: WebSocketCloseCode.abnormal, reason: ""))
        conclude()
        wakeWriters()
    }

    // MARK: Receiving

    func receive(_ deliver: @escaping (WebSocketEvent) -> Void) {
        if let message = queue.popFirst() {
            queuedBytes -= message.bytes.readableBytes
            deliver(.message(message))
        } else if let end {
            return deliver(end)
        } else {
            receiver = deliver
        }
        process()
    }

    /// Reads on as far as what was received and what the application takes allow.
    private func process() {
        guard !isProcessing else { return }
        isProcessing = true
        do throws(WebSocketError) {
            while phase == .closing || (phase == .open && !isQueueFull),
                let event = try reader.next(&input, scratch: &loop.webSockets.scratch)
            {
                handle(event)
            }
        } catch {
            fail(error.code, error.reason)
        }
        isProcessing = false
        if phase == .lingering || phase == .closed { input.clear() }
        if input.readableBytes == 0 { input = ByteBuffer() }
        if socket.isInputClosed && wantsRead { return closeNow() }
        if socket.isReadPaused { socket.updateInterest() }
    }

    private func handle(_ event: MessageReader.Event) {
        switch event {
        case .message(let message):
            guard phase == .open else { return }
            guard let receiver else {
                queue.append(message)
                queuedBytes += message.bytes.readableBytes
                return
            }
            self.receiver = nil
            receiver(.message(message))
        case .ping(let payload):
            if phase == .open { sendFrame(.pong, payload) }
        case .pong: break
        case .close(let code, let reason):
            // The same code back, as RFC 6455 §5.5.1 has it; then the server closes first (§7.1.1).
            if phase == .open { sendClose(code, "") }
            note(.closed(code: code, reason: reason))
            finishSending()
            conclude()
        }
    }

    private var isQueueFull: Bool {
        receiver == nil && (queue.count >= Self.queueLimit.messages || queuedBytes >= Self.queueLimit.bytes)
    }

    /// Whether the application takes what comes: while it does not, silence is nobody's fault.
    var wantsRead: Bool {
        switch phase {
        case .open: !isQueueFull
        case .closing, .lingering: true
        case .closed: false
        }
    }

    /// How it ends; the first cause counts.
    private func note(_ event: WebSocketEvent) {
        if end == nil { end = event }
    }

    /// Tells whoever waits that it has ended.
    private func conclude() {
        guard let receiver, let end, queue.isEmpty else { return }
        self.receiver = nil
        receiver(end)
    }

    // MARK: Sending

    var isOpen: Bool { phase == .open }

    var isWritable: Bool { socket.isWritable }

    func whenWritable(_ ready: @escaping () -> Void) {
        if isWritable || phase == .closed { return ready() }
        flushNow()
        if isWritable { ready() } else { writableWaiters.append(ready) }
    }

    private func wakeWriters() {
        let waiters = writableWaiters
        writableWaiters = []
        for ready in waiters { ready() }
    }

    func send(_ message: WebSocketMessage) {
        guard phase == .open else { return }
        switch message {
        case .text(let bytes): sendMessage(.text, bytes)
        case .binary(let bytes): sendMessage(.binary, bytes)
        }
    }

    private func sendMessage(_ opcode: Opcode, _ bytes: ByteBuffer) {
        if let deflater, bytes.readableBytes >= MessageDeflater.minimumSize,
            let compressed = deflater.compress(bytes)
        {
            sendFrame(opcode, compressed, isCompressed: true)
        } else {
            sendFrame(opcode, bytes)
        }
    }

    private func sendFrame(_ opcode: Opcode, _ payload: ByteBuffer, isCompressed: Bool = false) {
        if output.readableBytes == 0 { loop.webSockets.takeOutput(&output) }
        let count = payload.readableBytes
        FrameHeader(isFinal: true, isCompressed: isCompressed, opcode: opcode, length: count).write(into: &output)
        if count <= Self.copyLimit {
            output.writeImmutableBuffer(payload)
        } else {
            writeOutput()
            socket.write(payload)
        }
        if output.readableBytes >= Self.flushLimit { flushNow() } else { flushSoon() }
    }

    /// Hands what is buffered to the socket.
    private func writeOutput() {
        guard output.readableBytes > 0 else { return }
        socket.write(output)
        output = ByteBuffer()
    }

    /// Flushes at the end of this turn of the loop, so that what is sent together leaves together.
    private func flushSoon() {
        needsFlush = true
        guard !isReading, !isFlushScheduled else { return }
        isFlushScheduled = true
        loop.eventLoop.assumeIsolated().execute { [self] in
            isFlushScheduled = false
            if needsFlush, !isReading { flushNow() }
        }
    }

    private func flushNow() {
        needsFlush = false
        var sent = ByteBuffer()
        swap(&sent, &output)
        if sent.readableBytes > 0 { socket.write(sent) }
        socket.flush()
        loop.webSockets.giveOutput(sent)
    }

    // MARK: The end

    func close(code: UInt16, reason: String) {
        guard phase == .open else { return }
        sendClose(code, reason)
        queue.removeAll()
        queuedBytes = 0
        phase = .closing
        awaitClose()
        process()
    }

    func finish() {
        guard !isFinished else { return }
        isFinished = true
        loop.webSockets.applicationEnded()
        receiver = nil
        close(code: WebSocketCloseCode.normal, reason: "")
    }

    deinit {
        // An application that vanished without a word has ended all the same.
        guard !isFinished else { return }
        // Whoever held it last may be on any thread; the registry is touched on the loop alone.
        nonisolated(unsafe) let registry = loop.webSockets
        loop.eventLoop.execute { registry.applicationEnded() }
    }

    /// The server stops: the client may come back to the one that follows (1012), and the application learns it now.
    func restart() {
        close(code: WebSocketCloseCode.serviceRestart, reason: "service restart")
        note(.closed(code: WebSocketCloseCode.serviceRestart, reason: "service restart"))
        conclude()
    }

    /// The client has done something wrong.
    private func fail(_ code: UInt16, _ reason: String) {
        if phase == .open { sendClose(code, reason) }
        note(.closed(code: code, reason: reason))
        linger()
        conclude()
    }

    private func sendClose(_ code: UInt16, _ reason: String) {
        var payload = ByteBuffer()
        if WebSocketCloseCode.isSendable(code) {
            payload.writeInteger(code)
            payload.writeSubstring(Self.fitting(reason))
        }
        sendFrame(.close, payload)
    }

    /// As much of a close frame's reason as fits, without half a character at its end.
    private static func fitting(_ reason: String) -> Substring {
        var rest = reason[...]
        while rest.utf8.count > 123 { rest.removeLast() }
        return rest
    }

    /// Both close frames are on their way: the connection closes as soon as ours is out.
    private func finishSending() {
        phase = .lingering
        awaitClose()
        needsFlush = false
        writeOutput()
        socket.flush { [self] in closeNow() }
    }

    /// Nothing more is sent; what the client still sends is dropped, so that it can see the close frame before a reset.
    private func linger() {
        phase = .lingering
        awaitClose()
        writeOutput()
        needsFlush = false
        socket.flush { [self] in socket.closeOutput() }
    }

    private func awaitClose() {
        guard closeDeadline == nil else { return }
        let limit = loop.options.timeouts.linger
        closeDeadline = .now() + (loop.isDraining ? min(limit, .seconds(1)) : limit)
    }

    /// Closes the connection at once.
    func closeNow() { socket.close() }

    /// Sends a ping; whatever the client sends is answer enough.
    func sendPing() { sendFrame(.ping, ByteBuffer()) }
}
