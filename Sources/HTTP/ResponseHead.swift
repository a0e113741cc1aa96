/// A response's status and fields; framing, `Date`, `Server` and `Connection` are added by the server.
public struct ResponseHead: Sendable {
    public var status: Status
    public var fields: Fields

    /// A head as the application wants it.
    public init(_ status: Status = .ok, _ fields: Fields = Fields()) {
        self.status = status
        self.fields = fields
    }
}
