public import Gateway
public import HTTP

/// Told what happens on one event loop and its connections, on that loop. It must not block.
public protocol ServerObserver: TurnObserver {
    func connectionOpened()
    func connectionClosed()
    /// A request's head has arrived; it waited so many nanoseconds for the loop to be done with others.
    func exchangeStarted(waited: UInt64)
    /// The request leads to the route of this number. `began` is nanoseconds of the monotonic clock. The result is handed
    /// back as ``FinishedExchange/ticket``.
    func exchangeRouted(_ request: RequestHead, id: RequestID, began: UInt64, route: Int) -> Int32
    /// The time of a request's application is over, before it has answered; the request finishes as any other.
    func exchangeOverdue()
    func exchangeFinished(_ exchange: any FinishedExchange)
}

/// What became of a request. Valid during the call that hands it over.
public protocol FinishedExchange {
    /// Nil when the request could not be read.
    var finishedRequest: RequestHead? { get }
    var connection: ConnectionInfo { get }
    /// Nil when no response was begun.
    var status: Status? { get }
    /// The status's code; 0 when no response was begun.
    var statusCode: Int { get }
    /// Bytes of the response body, without framing.
    var bodyBytes: Int { get }
    /// From the end of the request head to the end of the response, in nanoseconds.
    var nanoseconds: UInt64 { get }
    /// False when the response was cut short.
    var isComplete: Bool { get }
    /// Whether another server answers it: here nothing became of it.
    var isHandedOver: Bool { get }
    var requestID: String { get }
    /// As ``nanoseconds``, without what the client took: from the end of the request to the beginning of the response.
    var responseNanoseconds: UInt64 { get }
    /// What of it the request has waited for the event loop, and for a thread.
    var queueNanoseconds: UInt64 { get }
    /// The number of the route that was found; negative when none was.
    var route: Int { get }
    /// What ``ServerObserver/exchangeRouted(_:id:began:route:)`` answered; negative when it was not called.
    var ticket: Int32 { get }
}

extension FinishedExchange {
    public var statusCode: Int { status?.code ?? 0 }
    public var isHandedOver: Bool { false }
}

/// A request that was answered before it could be read.
struct RefusedExchange: FinishedExchange {
    var finishedRequest: RequestHead? { nil }
    let connection: ConnectionInfo
    let status: Status?
    let bodyBytes: Int
    var nanoseconds: UInt64 { 0 }
    var responseNanoseconds: UInt64 { 0 }
    var queueNanoseconds: UInt64 { 0 }
    var isComplete: Bool { true }
    let requestID: String
    var route: Int { -1 }
    var ticket: Int32 { -1 }
}
