import Gateway
import HTTP
import NIOCore

extension HTTP1Exchange {
    var isWebSocketHandshake: Bool {
        if case .valid = WebSocketHandshake(request) { true } else { false }
    }

    func acceptWebSocket(subprotocol: String?, fields: Fields) -> (any WebSocket)? { nil }
}
