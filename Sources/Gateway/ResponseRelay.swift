import HTTP
import NIOCore

/// Carries a response from a worker thread to the exchange on its event loop.
///
/// A whole response is one hop. A streamed one goes through a mailbox: the thread puts pieces in, the loop takes all
/// that are there at once, and the thread waits before it produces more than the connection takes.
final class ResponseRelay: ResponseSink, @unchecked Sendable {
    // Sendable: the exchange is touched on its loop alone, and the rest only while the monitor is held.

    private enum Operation {
        case start(ResponseHead)
        case write(ByteBuffer)
        case file(FileRegion, AnyObject)
        case finish
        case abort
    }

    /// How many bytes may be on their way to the loop before the thread waits.
    private static let window = 64 * 1024

    private let exchange: any Exchange
    private let eventLoop: any EventLoop
    /// How long the call has waited for its thread, in nanoseconds: set on the thread before anything else.
    var waited: UInt64 = 0

    /// Made with the first streamed piece: a whole response needs none.
    private lazy var monitor = Monitor()
    private var isStreaming = false
    private var operations: [Operation] = []
    private var inFlight = 0
    private var isScheduled = false
    private var isBlocked = false
    private var isClosed = false

    init(_ exchange: any Exchange) {
        self.exchange = exchange
        eventLoop = exchange.eventLoop
    }

    // MARK: On the thread

    func ready() throws(WSGIError) {
        guard isStreaming else { return }
        monitor.lock()
        while !isClosed, isBlocked || inFlight >= Self.window { monitor.wait() }
        let isGone = isClosed
        monitor.unlock()
        if isGone { throw .disconnected }
    }

    func respond(_ head: ResponseHead, _ body: ByteBuffer) {
        eventLoop.execute {
            // Its deadline may have answered in the meantime.
            guard self.exchange.isOpen, !self.exchange.hasStarted else { return }
            self.exchange.noteWait(nanoseconds: self.waited)
            self.exchange.respond(head, body)
        }
    }

    func fail(_ status: Status, _ page: AnsweredFailure? = nil) {
        eventLoop.execute {
            guard self.exchange.isOpen, !self.exchange.hasStarted else { return }
            if let page { page(self.exchange) } else { ErrorPage.send(status, on: self.exchange) }
        }
    }

    func inform(_ status: Status, _ fields: Fields) { onLoop { $0.inform(status, fields) } }

    /// Runs `action` on the loop.
    func onLoop(_ action: @escaping @Sendable (any Exchange) -> Void) {
        eventLoop.execute { action(self.exchange) }
    }

    func start(_ head: ResponseHead) {
        isStreaming = true
        put(.start(head))
    }

    func write(_ bytes: ByteBuffer) { put(.write(bytes), bytes.readableBytes) }

    func write(_ file: FileRegion, keeping owner: AnyObject) { put(.file(file, owner)) }

    func write(lent bytes: UnsafeRawBufferPointer) { write(ByteBuffer(bytes: bytes)) }

    func finish() { put(.finish) }

    func abort() { put(.abort) }

    private func put(_ operation: Operation, _ size: Int = 0) {
        monitor.lock()
        operations.append(operation)
        inFlight += size
        let schedules = !isScheduled
        isScheduled = true
        monitor.unlock()
        if schedules { eventLoop.execute { self.drain() } }
    }

    // MARK: On the loop

    private func drain() {
        monitor.lock()
        let operations = operations
        let size = inFlight
        self.operations = []
        isScheduled = false
        monitor.unlock()
        guard exchange.isOpen else { return close() }
        for operation in operations {
            switch operation {
            case .start(let head):
                exchange.noteWait(nanoseconds: waited)
                exchange.start(head)
                exchange.onClose { self.close() }
            case .write(let bytes): exchange.write(bytes)
            case .file(let region, let owner): exchange.write(region, keeping: owner)
            case .finish: return exchange.finish()
            case .abort: return exchange.abort()
            }
        }
        exchange.flush()
        let isWritable = exchange.isWritable
        let wasBlocked = monitor.withLock {
            defer { isBlocked = !isWritable }
            inFlight -= size
            return isBlocked
        }
        monitor.signal()
        guard !isWritable, !wasBlocked else { return }
        exchange.whenWritable {
            self.monitor.withLock {
                self.isBlocked = false
                if !self.exchange.isOpen { self.isClosed = true }
            }
            self.monitor.signal()
        }
    }

    /// The client left: whoever waits to write learns it.
    private func close() {
        monitor.withLock {
            isClosed = true
            operations = []
        }
        monitor.signal()
    }
}

/// A response given straight to the exchange, by an application that runs on the event loop.
final class DirectSink: ResponseSink {
    /// Another one's turn comes when the last is answered.
    var exchange: any Exchange

    init(_ exchange: any Exchange) { self.exchange = exchange }

    func inform(_ status: Status, _ fields: Fields) { exchange.inform(status, fields) }

    func ready() throws(WSGIError) {
        guard exchange.isOpen else { throw .disconnected }
    }

    func respond(_ head: ResponseHead, _ body: ByteBuffer) {
        if exchange.isOpen { exchange.respond(head, body) }
    }

    func start(_ head: ResponseHead) {
        if exchange.isOpen { exchange.start(head) }
    }

    func write(_ bytes: ByteBuffer) {
        guard exchange.isOpen else { return }
        exchange.write(bytes)
        exchange.flush()
    }

    func write(_ file: FileRegion, keeping owner: AnyObject) {
        if exchange.isOpen { exchange.write(file, keeping: owner) }
    }

    func write(lent bytes: UnsafeRawBufferPointer) {
        if exchange.isOpen { exchange.write(lent: bytes) }
    }

    func finish() {
        if exchange.isOpen { exchange.finish() }
    }

    func abort() {
        if exchange.isOpen { exchange.abort() }
    }

    func fail(_ status: Status, _ page: AnsweredFailure?) {
        guard exchange.isOpen else { return }
        if status == .gatewayTimeout {
            exchange.giveUpWaiting()
        } else if let page {
            page(exchange)
        } else {
            ErrorPage.send(status, on: exchange)
        }
    }
}
