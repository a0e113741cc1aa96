import Dispatch
public import Gateway
import HTTP
import NIOCore
import Synchronization

extension SiteApplication: WSGIApplication {
    /// Answers one request on the calling thread, which waits while an asynchronous view does.
    public func callAsFunction(_ environ: Environ, _ startResponse: StartResponse) throws -> any WSGIBody {
        var body = ByteBuffer()
        var form: Form?
        var failure: (any Error)?
        if environ.request.framing != .none {
            do {
                if environ.input.count > settings.bodyLimit { throw BadRequest.tooLarge }
                if let reader = multipartReader(environ.request) {
                    form = try self.form(reader, environ.input)
                } else {
                    body = try environ.input.read(nil)
                }
            } catch let error as BadRequest {
                failure = error
            }
        }
        let request = Request(
            self, head: environ.request, connection: environ.connection, scriptName: environ.scriptName,
            pathInfo: environ.pathInfo, id: environ.id, body: body, isOnWorkerThread: true)
        if let form { request.take(form) }
        let response: Response
        if let failure {
            response = errorPages.response(to: request, error: failure)
        } else {
            response = try Blocking.run { await self.respond(to: request) }
        }
        let head = head(of: response, to: request)
        try startResponse(head.status, head.fields)
        return switch response.body {
        case .bytes(let bytes): WholeBody(bytes)
        case .pieces(let pieces): PieceBody(iterator: PieceIterator(pieces))
        case .stream(let pieces): StreamBody(iterator: StreamIterator(pieces))
        }
    }
}

extension SiteApplication {
    typealias Form = (values: QueryValues, files: UploadedFiles)

    /// What reads the body of a form with files; nil for any other body.
    func multipartReader(_ head: RequestHead) -> MultipartReader? {
        guard let type = head.fields["Content-Type"], let boundary = MultipartParser.boundary(of: type) else {
            return nil
        }
        return MultipartReader(
            boundary: boundary, limits: .init(body: settings.bodyLimit), directory: settings.temporaryDirectory)
    }

    private func form(_ reader: MultipartReader, _ input: any WSGIInput) throws -> Form {
        var reader = reader
        while true {
            let piece = try input.readAvailable(upTo: 65_536)
            guard piece.readableBytes > 0 else { return try reader.form() }
            try reader.read(piece)
            if reader.wantsToStore { try reader.store() }
        }
    }
}

extension Request {
    /// A form that was read as it arrived.
    func take(_ form: SiteApplication.Form) {
        lazy.withLock {
            $0.form = .success(form.values)
            $0.files = form.files
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
