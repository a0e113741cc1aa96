public import Gateway
public import HTTP

/// Told what happens on the connections of one event loop, on that loop. It must not block.
public protocol ServerObserver: AnyObject {
    /// Whether ``FinishedExchange/duration`` is wanted: two looks at the clock a request.
    var wantsDurations: Bool { get }
    func connectionOpened()
    func connectionClosed()
    func exchangeStarted()
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
    /// From the end of the request head to the end of the response; zero when nobody wanted it.
    var duration: Duration { get }
    /// False when the response was cut short.
    var isComplete: Bool { get }
    var requestID: String { get }
}

extension FinishedExchange {
    public var statusCode: Int { status?.code ?? 0 }
}

/// A request that was answered before it could be read.
struct RefusedExchange: FinishedExchange {
    var finishedRequest: RequestHead? { nil }
    let connection: ConnectionInfo
    let status: Status?
    let bodyBytes: Int
    var duration: Duration { .zero }
    var isComplete: Bool { true }
    let requestID: String
}
