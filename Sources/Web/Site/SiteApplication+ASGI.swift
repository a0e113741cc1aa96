public import Gateway
import HTTP
import NIOCore

extension SiteApplication: ASGIApplication {
    /// Answers one HTTP request on the event loop, or starts and stops with the worker (lifespan).
    public func callAsFunction(_ scope: Scope, _ receive: Receive, _ send: Send) async throws {
        switch scope {
        case .http(let scope): try await respond(to: scope, receive, send)
        case .webSocket(let scope): try await serve(scope, receive, send)
        case .lifespan: try await lifespan(receive, send)
        }
    }

    @inline(__always)
    private nonisolated(nonsending) func respond(to scope: HTTPScope, _ receive: Receive, _ send: Send) async throws {
        let request: Request
        let response: Response
        if let begun = scope.prepared as? Request {
            request = begun
            response = await answer(to: begun)
        } else if let answered = scope.prepared as? AnsweredRequest {
            request = answered.request
            response = answered.response
        } else {
            (request, response) = try await answer(scope, receive)
        }
        try await self.send(response, to: request, send)
    }

    /// The answer to a request with a body.
    private nonisolated(nonsending) func answer(
        _ scope: HTTPScope, _ receive: Receive
    ) async throws -> (Request, Response) {
        var body = ByteBuffer()
        var form: Form?
        var failure: (any Error)?
        if scope.request.framing != .none {
            do {
                if let reader = multipartReader(scope.request) {
                    form = try await self.form(scope.request, reader, receive)
                } else {
                    body = try await self.body(scope.request, receive)
                }
            } catch  where !(error is ASGIError) {
                // Who has left needs no page.
                failure = error
            }
        }
        let request = Request(
            self, head: scope.request, connection: scope.connection, scriptName: scope.rootPath, pathInfo: scope.path,
            id: scope.id, body: body, isOnWorkerThread: false)
        if let form { request.take(form) }
        if let failure { return (request, errorPages.response(to: request, error: failure)) }
        return (request, await answer(to: request))
    }

    /// The answer to a request, by the shortest way.
    @inline(__always)
    private nonisolated(nonsending) func answer(to request: Request) async -> Response {
        guard case .asynchronous(let view)? = plainView(of: request) else { return await respond(to: request) }
        do { return try await view(request) } catch { return errorPages.response(to: request, error: error) }
    }

    @inline(__always)
    private nonisolated(nonsending) func send(_ response: Response, to request: Request, _ send: Send) async throws {
        let head = head(of: response, to: request)
        switch response.body {
        case .bytes(let bytes): try await send.respond(head, bytes)
        case .pieces(let pieces):
            try await send(.responseStart(head))
            let iterator = PieceIterator(pieces)
            while let piece = try await next(iterator) { try await send(.responseBody(piece, moreBody: true)) }
            try await send(.responseBody(ByteBuffer(), moreBody: false))
        case .stream(let pieces):
            try await send(.responseStart(head))
            for try await piece in pieces { try await send(.responseBody(piece, moreBody: true)) }
            try await send(.responseBody(ByteBuffer(), moreBody: false))
        }
    }

    private nonisolated(nonsending) func body(_ head: RequestHead, _ receive: Receive) async throws -> ByteBuffer {
        if case .length(let length) = head.framing, length > settings.bodyLimit { throw BadRequest.tooLarge }
        var body = ByteBuffer()
        while true {
            guard case .request(var part, let isMore) = try await receive() else { throw ASGIError.disconnected }
            guard body.readableBytes + part.readableBytes <= settings.bodyLimit else { throw BadRequest.tooLarge }
            if body.readableBytes == 0 { body = part } else { body.writeBuffer(&part) }
            if !isMore { return body }
        }
    }

    /// A form with files: pieces go to disk on a thread, and the client waits meanwhile.
    private nonisolated(nonsending) func form(
        _ head: RequestHead, _ reader: MultipartReader, _ receive: Receive
    ) async throws -> Form {
        if case .length(let length) = head.framing, length > settings.bodyLimit { throw BadRequest.tooLarge }
        var reader = reader
        while true {
            guard case .request(let piece, let isMore) = try await receive() else { throw ASGIError.disconnected }
            try reader.read(piece)
            if reader.wantsToStore {
                let full = reader
                reader = try await onThread {
                    var reader = full
                    try reader.store()
                    return reader
                }
            }
            if !isMore { return try reader.form() }
        }
    }

    private func lifespan(_ receive: Receive, _ send: Send) async throws {
        while true {
            switch try await receive() {
            case .startup:
                do {
                    try await onThread { try self.start() }
                    try await send(.startupComplete)
                } catch let error as DatabaseError {
                    try await send(.startupFailed(message: error.description))
                    return
                }
            case .shutdown:
                try await onThread { self.stop() }
                try await send(.shutdownComplete)
                return
            default: return
            }
        }
    }

    private func next(_ iterator: PieceIterator) async throws -> ByteBuffer? {
        try await onThread { iterator.next() }
    }
}

/// Views that are immediate answer without being called through a scope.
extension SiteApplication: DirectASGIApplication {
    package func begin(
        _ head: consuming RequestHead, _ connection: consuming ConnectionInfo, rootPath: consuming String,
        path: consuming String, id: consuming RequestID
    ) -> DirectAnswer {
        let request = Request(
            self, head: head, connection: connection, scriptName: rootPath, pathInfo: path, id: id,
            body: ByteBuffer(), isOnWorkerThread: false)
        guard case .immediate(let view)? = plainView(of: request) else { return .call(request) }
        let response: Response
        do { response = try view(request) } catch { response = errorPages.response(to: request, error: error) }
        guard case .bytes(let bytes) = response.body else {
            return .call(AnsweredRequest(request: request, response: response))
        }
        return .response(self.head(of: response, to: request), bytes)
    }
}

/// A request whose response streams.
private final class AnsweredRequest: Sendable {
    let request: Request
    let response: Response

    init(request: Request, response: Response) {
        self.request = request
        self.response = response
    }
}

extension BadRequest {
    static let tooLarge = BadRequest("The body is larger than this site takes.", status: .contentTooLarge)
}
