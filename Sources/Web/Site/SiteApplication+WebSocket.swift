import Gateway
import HTTP
import Logging
import NIOCore
import Synchronization

extension SiteApplication {
    /// Speaks with one WebSocket. The handshake goes the way of every request, middleware included: where that comes to
    /// 101, the view takes over; everything else refuses it.
    nonisolated(nonsending) func serve(_ scope: WebSocketScope, _ receive: Receive, _ send: Send) async throws {
        guard case .webSocketConnect = try await receive() else { return }
        let request = Request(
            self, head: scope.request, connection: scope.connection, scriptName: scope.rootPath, pathInfo: scope.path,
            id: .text(scope.requestID), body: ByteBuffer(), isOnWorkerThread: false, isHandshake: true)
        let response = await respond(to: request)
        guard response.status == .switchingProtocols, let view = request.lazy.withLock({ $0.webSocketView }) else {
            return try await refuse(request, response, send)
        }
        let session = WebSocketSession(request, fields: handshakeFields(response, request), receive, send)
        do {
            try await view.serve(session)
            if session.closeCode == nil { try await session.close() }
        } catch  where !session.isAccepted && error as? ASGIError != .disconnected {
            try await refuse(request, errorPages.response(to: request, error: error), send)
        }
    }

    /// The handshake of `view`: 101 when it may go on (see ``serve(_:_:_:)``).
    func handshake(_ view: any WebSocketView, _ request: Request) throws -> Response {
        guard request.isHandshake else { throw UpgradeRequired(request) }
        if !view.allowsAnyOrigin, let origin = request.fields["Origin"],
            !Self.isOwn(origin, request.host, settings.trustedOrigins)
        {
            request.logger.warning("WebSocket \(request.path) refused: it is opened by a page of \(origin)")
            throw PermissionDenied(settings.isDebug ? "The origin '\(origin)' is not this site's." : "")
        }
        request.lazy.withLock { $0.webSocketView = view }
        return Response(.switchingProtocols)
    }

    /// Whether a page of `origin` belongs to `host`. The scheme does not matter: TLS may end in front of this server.
    private static func isOwn(_ origin: String, _ host: String, _ trusted: [String]) -> Bool {
        let origin = origin.lowercased()
        if let separator = origin.firstRange(of: "://"), origin[separator.upperBound...] == host { return true }
        return trusted.contains { AllowedHosts.matches(origin, pattern: $0) }
    }

    private nonisolated(nonsending) func refuse(_ request: Request, _ response: Response, _ send: Send) async throws {
        try await send(.webSocketResponseStart(head(of: response, to: request)))
        switch response.body {
        case .bytes(let bytes): try await send(.webSocketResponseBody(bytes, moreBody: false))
        case .pieces(let pieces):
            let iterator = PieceIterator(pieces)
            while let piece = try await onThread({ iterator.next() }) {
                try await send(.webSocketResponseBody(piece, moreBody: true))
            }
            try await send(.webSocketResponseBody(ByteBuffer(), moreBody: false))
        case .stream(let pieces):
            for try await piece in pieces { try await send(.webSocketResponseBody(piece, moreBody: true)) }
            try await send(.webSocketResponseBody(ByteBuffer(), moreBody: false))
        }
    }

    /// What goes with the 101: the fields and cookies of middleware.
    private func handshakeFields(_ response: Response, _ request: Request) -> Fields {
        var fields = response.fields
        for cookie in response.cookies {
            fields.append("Set-Cookie", cookie.fieldValue(isRequestSecure: request.isSecure || settings.securesCookies))
        }
        return fields
    }
}
