/// Where a worker says that it lives and whether it takes requests; answered before any route.
public struct HealthEndpoints: Sendable {
    /// Answers 200 while the event loop runs; nil switches it off.
    public var livez: String?
    /// Answers 200 when ``isReady``, else 503; nil switches it off.
    public var readyz: String?
    /// Whether the worker takes requests. Called on event loops.
    public var isReady: @Sendable () -> Bool

    /// The endpoints; always ready unless `isReady` says otherwise.
    public init(
        livez: String? = "/livez", readyz: String? = "/readyz", isReady: @escaping @Sendable () -> Bool = { true }
    ) {
        self.livez = livez
        self.readyz = readyz
        self.isReady = isReady
    }
}
