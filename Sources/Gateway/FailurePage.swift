/// What a client is answered in place of an application that has failed before its response began: for development, as
/// others are told nothing but that it failed.
public struct FailurePage: Sendable {
    private let respond: @Sendable (any Error, any Exchange) -> Void

    /// `respond` answers the exchange, on its event loop.
    public init(_ respond: @escaping @Sendable (_ error: any Error, _ exchange: any Exchange) -> Void) {
        self.respond = respond
    }

    /// Answers `exchange`, on its event loop.
    public func callAsFunction(_ error: any Error, _ exchange: any Exchange) { respond(error, exchange) }

    /// The answer to this error.
    func answer(to error: any Error) -> AnsweredFailure { { respond(error, $0) } }
}

/// Answers an exchange in place of an application that has failed.
typealias AnsweredFailure = @Sendable (any Exchange) -> Void
