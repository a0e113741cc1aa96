import Gateway
import HTTP
import Server
import Telemetry

/// Counts and logs what happens on one event loop.
final class LoopObserver: ServerObserver {
    private let status: LoopStatus
    private let log: RequestLog
    private let (get, head, post) = (
        InFlightTable.pack("GET"), InFlightTable.pack("HEAD"), InFlightTable.pack("POST")
    )

    init(status: LoopStatus, log: RequestLog) {
        self.status = status
        self.log = log
    }

    func turnBegan(at now: UInt64) { status.turnBegan(at: now) }

    func turnEnded(at now: UInt64, began: UInt64, received: UInt64, sent: UInt64) {
        status.turnEnded(at: now, began: began, received: received, sent: sent)
    }

    func connectionOpened() { status.connectionOpened() }

    func connectionClosed() { status.connectionClosed() }

    func exchangeStarted(waited: UInt64) { status.requestStarted(waited: waited) }

    func exchangeRouted(_ request: RequestHead, id: RequestID, began: UInt64, route: Int) -> Int32 {
        let method =
            switch request.method {
            case .get: get
            case .head: head
            case .post: post
            case let other: InFlightTable.pack(other.name)
            }
        let number = if case .number(let number) = id { number } else { 0 as UInt64 }
        let path = request.rawPath
        return request.withUnsafeBytes { bytes in
            let start = Int(path.start)
            return status.inFlight.insert(
                began: began, route: route, id: number, method: method,
                path: UnsafeRawBufferPointer(rebasing: bytes[start..<start + Int(path.count)]))
        }
    }

    func exchangeOverdue() { status.requestOverdue() }

    func exchangeFinished(_ exchange: any FinishedExchange) {
        status.inFlight.remove(exchange.ticket)
        let code = exchange.statusCode
        status.requestFinished(
            route: exchange.route, status: code, isComplete: exchange.isComplete, bytes: exchange.bodyBytes,
            nanoseconds: exchange.nanoseconds)
        if !exchange.isHandedOver { log.note(exchange) }
    }
}
