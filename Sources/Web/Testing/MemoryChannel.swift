import Gateway
import HTTP
import NIOCore
import Synchronization

/// ASGI's two directions in memory: hands out one body, keeps what is sent.
final class MemoryChannel: ASGIChannel {
    private struct State {
        var body: ByteBuffer?
        var head: ResponseHead?
        var sent = ByteBuffer()
        var isComplete = false
    }

    private let state: Mutex<State>

    init(_ body: ByteBuffer) { state = Mutex(State(body: body)) }

    func receive() async throws -> ReceiveEvent {
        state.withLock { state in
            guard let body = state.body else { return .disconnect }
            state.body = nil
            return .request(body: body, moreBody: false)
        }
    }

    func send(_ event: SendEvent) async throws {
        try state.withLock { state in
            switch event {
            case .responseStart(let head, _) where state.head == nil: state.head = head
            case .responseBody(let piece, let isMore) where state.head != nil && !state.isComplete:
                state.sent.writeImmutableBuffer(piece)
                state.isComplete = !isMore
            default: throw ASGIError.unexpectedEvent("\(event)")
            }
        }
    }

    func respond(_ head: ResponseHead, _ body: ByteBuffer) async throws {
        try await send(.responseStart(head))
        try await send(.responseBody(body, moreBody: false))
    }

    /// The complete response.
    func response() throws -> TestResponse {
        try state.withLock { state in
            guard let head = state.head, state.isComplete else {
                throw ASGIError.unexpectedEvent("the application returned without a complete response")
            }
            return TestResponse(head: head, body: state.sent)
        }
    }
}

/// A request body in memory as `wsgi.input`.
final class MemoryInput: WSGIInput {
    let count: Int
    private let rest: Mutex<ByteBuffer>

    init(_ body: ByteBuffer) {
        count = body.readableBytes
        rest = Mutex(body)
    }

    func read(_ size: Int?) -> ByteBuffer {
        rest.withLock { $0.readSlice(length: min(size ?? .max, $0.readableBytes)) ?? ByteBuffer() }
    }

    func readLine() -> ByteBuffer {
        rest.withLock { rest in
            let length = rest.readableBytesView.firstIndex(of: 0x0A).map { $0 + 1 - rest.readerIndex }
            return rest.readSlice(length: length ?? rest.readableBytes) ?? ByteBuffer()
        }
    }
}
