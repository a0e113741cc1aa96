import HTTP
import NIOCore

/// A request body read while it arrives: a worker thread waits for the parts, which are asked for only when it does, so
/// that a fast client is held back by TCP and `Expect: 100-continue` is answered by the first read.
final class StreamingInput: WSGIInput, @unchecked Sendable {
    // Sendable: the exchange is touched on its loop alone, and the rest only while the monitor is held.
    private let exchange: any Exchange
    private let eventLoop: any EventLoop
    private let announced: Int?
    private let monitor = Monitor()
    private var held = ByteBuffer()
    private var arrived = 0
    private var isAsking = false
    private var end: End?

    private enum End {
        case complete
        case failed(BodyFailure)
    }

    init(_ exchange: any Exchange) {
        self.exchange = exchange
        eventLoop = exchange.eventLoop
        announced =
            switch exchange.request.framing {
            case .length(let count): count
            case .chunked, .none: nil
            }
    }

    var isComplete: Bool {
        monitor.withLock { if case .complete = end { true } else { false } }
    }
    var count: Int { monitor.withLock { end == nil ? announced ?? arrived : arrived } }

    /// Takes what has arrived with the head already. On the loop, before the application is called.
    func prime() {
        while !isAsking, end == nil {
            isAsking = true
            exchange.receive { self.deliver($0) }
        }
    }

    func readAvailable(upTo size: Int) throws -> ByteBuffer {
        guard size > 0 else { return ByteBuffer() }
        monitor.lock()
        defer { monitor.unlock() }
        try fill { held.readableBytes > 0 }
        return take(min(size, held.readableBytes))
    }

    func read(_ size: Int?) throws -> ByteBuffer {
        monitor.lock()
        defer { monitor.unlock() }
        try fill { size.map { held.readableBytes >= $0 } ?? false }
        return take(min(size ?? held.readableBytes, held.readableBytes))
    }

    func readLine() throws -> ByteBuffer {
        monitor.lock()
        defer { monitor.unlock() }
        var searched = 0
        var found: Int?
        try fill {
            let unread = held.readableBytesView.dropFirst(searched)
            found = unread.firstIndex(of: 0x0A).map { $0 - held.readerIndex + 1 }
            searched = held.readableBytes
            return found != nil
        }
        return take(found ?? held.readableBytes)
    }

    private func take(_ count: Int) -> ByteBuffer { held.readSlice(length: max(0, count)) ?? ByteBuffer() }

    /// Waits until `isEnough` or the end; throws when the body ends early. The monitor is held.
    private func fill(_ isEnough: () -> Bool) throws(WSGIError) {
        while !isEnough() {
            switch end {
            case .complete: return
            case .failed(let failure): throw .incompleteBody(failure)
            case nil: break
            }
            if !isAsking {
                isAsking = true
                eventLoop.execute { self.exchange.receive { self.deliver($0) } }
            }
            monitor.wait()
        }
    }

    /// On the loop.
    private func deliver(_ part: BodyPart) {
        monitor.withLock {
            isAsking = false
            switch part {
            case .bytes(var bytes):
                arrived += bytes.readableBytes
                if held.readableBytes == 0 { held = bytes } else { held.writeBuffer(&bytes) }
            case .end: end = .complete
            case .failed(let failure): end = .failed(failure)
            case .disconnected: end = end ?? .failed(.disconnected)
            }
        }
        monitor.signal()
    }
}
