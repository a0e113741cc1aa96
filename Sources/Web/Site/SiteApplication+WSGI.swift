import Dispatch
public import Gateway
import HTTP
import NIOCore
import Synchronization

extension SiteApplication: WSGIApplication {
    /// Answers one request on the calling thread, which waits while an asynchronous view does.
    public func callAsFunction(_ environ: Environ, _ startResponse: StartResponse) throws -> any WSGIBody {
        var body = ByteBuffer()
        let isTooLarge = environ.input.count > settings.bodyLimit
        if !isTooLarge, environ.request.framing != .none { body = try environ.input.read(nil) }
        let request = Request(
            self, head: environ.request, connection: environ.connection, scriptName: environ.scriptName,
            pathInfo: environ.pathInfo, id: environ.id, body: body, isOnWorkerThread: true)
        let response =
            isTooLarge
            ? errorPages.response(to: request, error: BadRequest.tooLarge)
            : try Blocking.run { await self.respond(to: request) }
        let head = head(of: response, to: request)
        try startResponse(head.status, head.fields)
        return switch response.body {
        case .bytes(let bytes): WholeBody(bytes)
        case .pieces(let pieces): PieceBody(iterator: PieceIterator(pieces))
        case .stream(let pieces): StreamBody(iterator: StreamIterator(pieces))
        }
    }
}

/// A body out of a synchronous sequence.
private struct PieceBody: WSGIBody {
    let iterator: PieceIterator

    mutating func next() -> ByteBuffer? { iterator.next() }
}

/// A body out of an asynchronous sequence: the thread waits for each piece.
private struct StreamBody: WSGIBody {
    let iterator: StreamIterator

    mutating func next() throws -> ByteBuffer? { try Blocking.run { [iterator] in try await iterator.next() } }
}

/// An iterator that is used by one task at a time, on whatever thread that task runs.
final class PieceIterator: @unchecked Sendable {
    private var iterator: any IteratorProtocol<ByteBuffer>

    init(_ pieces: any Sequence<ByteBuffer> & Sendable) { iterator = pieces.makeIterator() }

    func next() -> ByteBuffer? { iterator.next() }
}

/// An asynchronous iterator that is used by one task at a time.
final class StreamIterator: @unchecked Sendable {
    private var iterator: any AsyncIteratorProtocol<ByteBuffer, any Error>

    init(_ pieces: any AsyncSequence<ByteBuffer, any Error> & Sendable) { iterator = pieces.makeAsyncIterator() }

    func next() async throws -> ByteBuffer? { try await iterator.next(isolation: nil) }
}

/// Waits on a thread for asynchronous work.
enum Blocking {
    /// Runs `body` on the calling thread until it first suspends, and waits for its end. Work that never suspends costs
    /// no change of thread.
    static func run<Success: Sendable>(_ body: @escaping @Sendable () async throws -> Success) throws -> Success {
        let outcome = Outcome<Success>()
        Task.immediate {
            let result: Result<Success, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            outcome.set(result)
        }
        return try outcome.wait().get()
    }

    private final class Outcome<Success: Sendable>: Sendable {
        private let result = Mutex<Result<Success, any Error>?>(nil)
        private let isDone = DispatchSemaphore(value: 0)

        func set(_ value: Result<Success, any Error>) {
            result.withLock { $0 = value }
            isDone.signal()
        }

        func wait() -> Result<Success, any Error> {
            isDone.wait()
            return result.withLock { $0 } ?? .failure(CancellationError())
        }
    }
}
