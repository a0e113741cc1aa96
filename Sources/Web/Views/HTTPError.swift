public import HTTP

/// An error that is an answer: thrown by a view, it becomes the page of its status.
public protocol HTTPError: Error, Sendable {
    var status: Status { get }
    /// One line for the error page; shown to users.
    var message: String { get }
    /// Fields the answer carries, such as `Allow`.
    var fields: Fields { get }
}

extension HTTPError {
    public var message: String { "" }
    public var fields: Fields { Fields() }
}

/// There is no such page (404).
public struct Http404: HTTPError {
    public let message: String

    /// A 404 page that says `message`.
    public init(_ message: String = "") { self.message = message }

    public var status: Status { .notFound }
}

/// The client may not do this (403).
public struct PermissionDenied: HTTPError {
    public let message: String

    /// A 403 page that says `message`.
    public init(_ message: String = "") { self.message = message }

    public var status: Status { .forbidden }
}

/// The request makes no sense to this site: by default 400.
public struct BadRequest: HTTPError {
    public let status: Status
    public let message: String

    /// A page of this status that says `message`.
    public init(_ message: String = "", status: Status = .badRequest) {
        self.status = status
        self.message = message
    }
}

/// The view does not take this method (405).
public struct MethodNotAllowed: HTTPError {
    /// The methods it takes, in upper case.
    public let allowed: [String]

    /// A 405 page with an `Allow` field of these methods.
    public init(allowed: [String]) { self.allowed = allowed }

    public var status: Status { .methodNotAllowed }
    public var fields: Fields { ["Allow": allowed.joined(separator: ", ")] }
}
