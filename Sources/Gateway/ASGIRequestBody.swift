import HTTP
import NIOCore

/// The request's body as ASGI's events: what has arrived, and who waits for more. A value of ``ASGIExchange``'s.
struct ASGIRequestBody {
    /// Whoever waits for the next event.
    enum Waiter {
        case task(UnsafeContinuation<ReceiveEvent, Never>)
        case throwing(UnsafeContinuation<ReceiveEvent, any Error>)

        func resume(_ event: ReceiveEvent) {
            switch self {
            case .task(let continuation): continuation.resume(returning: event)
            case .throwing(let continuation): continuation.resume(returning: event)
            }
        }
    }

    var waiter: Waiter?
    /// Whether a part was asked for that has not come yet.
    var isAsked = false
    /// Why the body ended early.
    private(set) var failure: BodyFailure?

    private var arrived: BodyPart?
    /// What is missing to the announced length.
    private var remaining: Int?
    /// Whether the application was told that the body is complete.
    private var isComplete = false
    private var isDisconnected = false

    init(_ framing: BodyFraming) {
        switch framing {
        case .none:
            remaining = 0
            arrived = .end
        case .length(let length): remaining = length
        case .chunked: remaining = nil
        }
    }

    mutating func take(_ part: BodyPart) {
        isAsked = false
        arrived = part
    }

    /// The event for what has arrived, or nil when more must be asked for.
    mutating func next() -> ReceiveEvent? {
        guard !isDisconnected else { return .disconnect }
        defer { arrived = nil }
        switch arrived {
        case nil: return nil
        case .bytes(let bytes):
            remaining = remaining.map { $0 - bytes.readableBytes }
            // With the announced length reached, the last bytes are told to be the last: one event and no wait less.
            isComplete = remaining == 0
            return .request(body: bytes, moreBody: !isComplete)
        case .end:
            guard !isComplete else { return nil }
            isComplete = true
            return .request(body: ByteBuffer(), moreBody: false)
        case .failed(let failure):
            self.failure = failure
            isDisconnected = true
            return .disconnect
        case .disconnected:
            isDisconnected = true
            return .disconnect
        }
    }
}
