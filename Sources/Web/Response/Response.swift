public import HTTP
public import NIOCore

/// What a view answers. Framing, `Date` and the like are the server's business, security fields and CSRF cookies the
/// site's.
public struct Response: Sendable {
    public var status: Status
    /// The media type; nil sends none.
    public var contentType: ContentType?
    /// Further fields. A security field set here replaces the site's.
    public var fields: Fields
    /// Cookies to set.
    public var cookies: [Cookie] = []
    public var body: ResponseBody

    /// A response of these parts.
    public init(
        _ status: Status = .ok, contentType: ContentType? = nil, fields: Fields = Fields(),
        body: ResponseBody = .bytes(ByteBuffer())
    ) {
        self.status = status
        self.contentType = contentType
        self.fields = fields
        self.body = body
    }

    /// An HTML page.
    public static func html(_ text: String, status: Status = .ok) -> Response {
        Response(status, contentType: .html, body: .bytes(ByteBuffer(string: text)))
    }

    /// Plain text.
    public static func text(_ text: String, status: Status = .ok) -> Response {
        Response(status, contentType: .text, body: .bytes(ByteBuffer(string: text)))
    }

    /// JSON.
    public static func json(_ value: JSONValue, status: Status = .ok) -> Response {
        Response(status, contentType: .json, body: .bytes(value.bytes))
    }

    /// Sends the client to `location`. By default 302, which after a POST every browser follows with a GET; 303 says
    /// exactly that, 301 and 308 are kept by browsers for good.
    public static func redirect(to location: String, status: Status = .found) -> Response {
        Response(status, fields: ["Location": location])
    }

    /// A body produced piece by piece by a synchronous sequence, each piece sent as it comes. The sequence may block.
    public static func stream(
        _ pieces: some Sequence<ByteBuffer> & Sendable, contentType: ContentType = .octets
    ) -> Response {
        Response(contentType: contentType, body: .pieces(pieces))
    }

    /// A body produced piece by piece by an asynchronous sequence, each piece sent as it comes.
    public static func stream<Pieces: AsyncSequence<ByteBuffer, any Error> & Sendable>(
        _ pieces: Pieces, contentType: ContentType = .octets
    ) -> Response {
        Response(contentType: contentType, body: .stream(pieces))
    }

    /// Sets a cookie: for the whole site, hidden from scripts, `SameSite=Lax`, and `Secure` when the request is.
    /// Throws when name or value cannot stand in the field.
    public mutating func setCookie(_ name: String, _ value: String, maxAge: Duration? = nil) throws(Cookie.Invalid) {
        cookies.append(try Cookie(name, value, maxAge: maxAge))
    }

    /// Tells the browser to forget a cookie.
    public mutating func deleteCookie(_ name: String, path: String = "/") throws(Cookie.Invalid) {
        cookies.append(try Cookie(name, "", path: path, maxAge: .zero))
    }
}

/// A response's body.
public enum ResponseBody: Sendable {
    /// All of it, sent in one write with the head.
    case bytes(ByteBuffer)
    /// Pieces that may block to be made.
    case pieces(any Sequence<ByteBuffer> & Sendable)
    /// Pieces that come by themselves.
    case stream(any AsyncSequence<ByteBuffer, any Error> & Sendable)
}

/// A media type for `Content-Type`. The common ones are known, so that their fields are put together once for all.
public enum ContentType: Sendable, Hashable {
    case html, text, json, octets
    case other(String)

    /// The field's value.
    public var value: String {
        switch self {
        case .html: "text/html; charset=utf-8"
        case .text: "text/plain; charset=utf-8"
        case .json: "application/json"
        case .octets: "application/octet-stream"
        case .other(let value): value
        }
    }
}
