import HTTP
import NIOCore

/// Where a synchronous response goes. Confined to the thread that the application is called on.
protocol ResponseSink: AnyObject {
    /// Waits until the connection takes more; throws when the client left. Asked before each piece is produced, so that
    /// none is produced for nobody.
    func ready() throws(WSGIError)
    func respond(_ head: ResponseHead, _ body: ByteBuffer)
    func start(_ head: ResponseHead)
    func write(_ bytes: ByteBuffer)
    func write(_ file: FileRegion, keeping owner: AnyObject)
    func write(lent bytes: UnsafeRawBufferPointer)
    func finish()
    func abort()
    /// An error page in place of a response that has not begun: `page`, where there is one.
    func fail(_ status: Status, _ page: AnsweredFailure?)
    /// An informational response; without effect once the response has begun.
    func inform(_ status: Status, _ fields: Fields)
}

/// PEP 3333's rules for a response: what an application may call when, and what goes out then. The same on a worker
/// thread and on the event loop; where the bytes go is the sink's business.
package final class WSGIResponse {
    /// Files up to this size go out in one write with their head; larger ones by `sendfile`.
    private static let smallFile = 32 * 1024

    private let sink: any ResponseSink
    private let isHead: Bool
    private var hasBegun = false
    private var head: ResponseHead?
    private var length: Int?
    /// What is missing to `Content-Length`, once the head is out.
    private var remaining: Int?
    /// Whether the head is out, and whether everything is.
    private var isSent = false
    private var isComplete = false
    /// Whether the application produced more than `Content-Length` announced.
    private(set) var isOverrun = false

    init(_ sink: any ResponseSink, isHead: Bool) {
        self.sink = sink
        self.isHead = isHead
    }

    // MARK: What the application calls

    /// `start_response`.
    func begin(_ head: ResponseHead, _ error: (any Error)?) throws {
        try begin(error) { () throws(WSGIError) in try WSGIResponseHead(head) }
    }

    /// `start_response` with a head that was found to be right; `error` is what the application reports.
    package func begin(_ head: WSGIResponseHead, _ error: (any Error)? = nil) throws {
        try begin(error) { () throws(WSGIError) in head }
    }

    private func begin(_ error: (any Error)?, _ head: () throws(WSGIError) -> WSGIResponseHead) throws {
        if let error {
            guard !isSent else { throw error }
        } else if hasBegun {
            throw WSGIError.responseAlreadyStarted
        }
        hasBegun = true
        let head = try head()
        self.head = head.head
        length = head.length
    }

    /// The callable that `start_response` returns.
    package func write(_ bytes: ByteBuffer) throws {
        guard bytes.readableBytes > 0 else { return }
        try sink.ready()
        try send(bytes)
        if isOverrun { throw WSGIError.contentLengthMismatch }
    }

    // MARK: The body

    /// Sends a body that needs no iterating; false when it does.
    func sendAtOnce(_ body: any WSGIBody) throws -> Bool {
        guard !isSent, let head else { return false }
        if head.status.isBodiless || length == 0 {
            complete(head, ByteBuffer())
        } else if let whole = body.whole {
            complete(head, try fitted(whole))
        } else if let body = body as? FileBody, let file = body.file {
            try send(file, body.offset, body.count, head)
        } else {
            return false
        }
        return true
    }

    /// Sends the next piece of `body`; false when there is nothing more to do.
    func step(_ body: inout any WSGIBody) throws -> Bool {
        try sink.ready()
        guard try sendNext(&body) else {
            try finish()
            return false
        }
        if isSent, remaining == 0, !isComplete { try finish() }
        return !isComplete
    }

    /// The application failed: a response that has begun is given up, else an error page is sent in its place.
    func fail(_ status: Status, _ page: AnsweredFailure? = nil) {
        guard !isComplete else { return }
        isComplete = true
        if isSent { sink.abort() } else { sink.fail(status, page) }
    }

    /// False at the end of `body`.
    private func sendNext(_ body: inout any WSGIBody) throws -> Bool {
        if let body = body as? any LendingBody { return try body.lend(send(lent:)) }
        guard let piece = try body.next() else { return false }
        try send(piece)
        return true
    }

    private func send(_ piece: ByteBuffer) throws {
        let count = try admit(piece.readableBytes)
        guard count > 0 else { return }
        sink.write(piece.getSlice(at: piece.readerIndex, length: count) ?? piece)
    }

    private func send(lent piece: UnsafeRawBufferPointer) throws {
        let count = try admit(piece.count)
        guard count > 0 else { return }
        sink.write(lent: UnsafeRawBufferPointer(rebasing: piece[..<count]))
    }

    /// Sends the head before the first bytes. How many of the `count` that come next belong to the body.
    private func admit(_ count: Int) throws -> Int {
        guard count > 0, !isComplete else { return 0 }
        guard let head else { throw WSGIError.responseNotStarted }
        if !isSent {
            isSent = true
            sink.start(head)
            if isHead || head.status.isBodiless {
                // Nothing of the body goes out: the response is complete, whatever else the application would produce.
                isComplete = true
                sink.finish()
                return 0
            }
            remaining = length
        }
        guard let left = remaining else { return count }
        isOverrun = count > left
        remaining = max(0, left - count)
        return min(left, count)
    }

    private func finish() throws {
        guard !isComplete else { return }
        guard let head else { throw WSGIError.responseNotStarted }
        guard isSent else {
            guard isHead || (length ?? 0) == 0 else { throw WSGIError.contentLengthMismatch }
            return complete(head, ByteBuffer())
        }
        guard (remaining ?? 0) == 0 else { throw WSGIError.contentLengthMismatch }
        isComplete = true
        sink.finish()
    }

    private func complete(_ head: ResponseHead, _ bytes: ByteBuffer) {
        isSent = true
        isComplete = true
        sink.respond(head, bytes)
    }

    /// `whole` cut to `Content-Length`; throws when it is shorter.
    private func fitted(_ whole: ByteBuffer) throws(WSGIError) -> ByteBuffer {
        guard let length, !isHead, length != whole.readableBytes else { return whole }
        guard length < whole.readableBytes else { throw .contentLengthMismatch }
        isOverrun = true
        return whole.getSlice(at: whole.readerIndex, length: length) ?? whole
    }

    private func send(_ file: OpenFile, _ offset: Int, _ available: Int, _ announced: ResponseHead) throws {
        guard isHead || (length ?? 0) <= available else { throw WSGIError.contentLengthMismatch }
        let count = length ?? available
        var head = announced
        if length == nil { head.fields.append("Content-Length", String(available)) }
        if isHead {
            isSent = true
            isComplete = true
            sink.start(head)
            sink.finish()
        } else if count <= Self.smallFile {
            let bytes = try file.read(at: offset, count: count)
            guard bytes.readableBytes == count else { throw WSGIError.contentLengthMismatch }
            complete(head, bytes)
        } else {
            isSent = true
            isComplete = true
            sink.start(head)
            sink.write(file.region(offset, count), keeping: file)
            sink.finish()
        }
    }
}
