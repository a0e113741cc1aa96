import HTTP
public import NIOCore

/// The call of an application that answers an exchange, as the deadline of that sees it. On the exchange's loop.
public protocol ExchangeCall: AnyObject {
    /// Whether the application is still at it.
    var isRunning: Bool { get }
    /// The exchange's limit has passed and its response is not complete: answers in the application's place, if the client
    /// is still there, and makes the application leave. Called once at most.
    func limitPassed(_ limit: TimeAmount)
}

/// What the client of a call got whose deadline has passed.
enum OverdueAnswer {
    case gatewayTimeout
    /// The response had begun.
    case cutOff
    case clientGone
}

extension Exchange {
    /// Answers in place of an application that has had its time: 504, or a truncation that the client sees.
    package func giveUpWaiting() { _ = answerOverdue() }

    func answerOverdue() -> OverdueAnswer {
        noteOverdue()
        guard isOpen else { return .clientGone }
        guard !hasStarted else {
            abort()
            return .cutOff
        }
        ErrorPage.respond(self, request, .gatewayTimeout)
        return .gatewayTimeout
    }

    /// `GET /path`: the request without its query, which may hold what logs must not.
    package var requestLine: String {
        let path = request.string(request.rawPath)
        return "\(request.method.name) \(path.isEmpty ? "*" : path)"
    }
}

extension RequestHead {
    /// ``Exchange/requestLine`` where it stands in memory, as long as the head is held.
    package var lineBytes: UnsafeRawBufferPointer {
        withUnsafeBytes { bytes in
            UnsafeRawBufferPointer(rebasing: bytes[..<min(bytes.count, Int(rawPath.start + rawPath.count))])
        }
    }
}
