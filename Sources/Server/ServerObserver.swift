public import Gateway
public import HTTP

/// Told what happens on the connections of one event loop, on that loop. It must not block.
public protocol ServerObserver: AnyObject {
    func connectionOpened()
    func connectionClosed()
    func exchangeStarted()
    func exchangeFinished(_ summary: ExchangeSummary)
}

/// What became of a request.
public struct ExchangeSummary {
    /// Nil when the request could not be read.
    public let request: RequestHead?
    public let connection: ConnectionInfo
    /// Nil when no response was begun.
    public let status: Status?
    /// Bytes of the response body, without framing.
    public let bodyBytes: Int
    /// From the end of the request head to the end of the response.
    public let duration: Duration
    /// False when the response was cut short.
    public let isComplete: Bool
    public let requestID: String
}
