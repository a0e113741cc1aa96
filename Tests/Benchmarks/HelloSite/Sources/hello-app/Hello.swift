import FoundationEssentials
import Portico

/// A site without models or templates: what it costs to get to a view and back.
struct Hello: Site {
    let name = "hello"

    var urls: URLs {
        path("", Immediate(hello), name: "hello")
        path("waiting", waiting, name: "waiting")
        path("document", Immediate(document), name: "document")
    }
}

/// Thirteen bytes, as every peer answers them.
@Sendable
private func hello(_ request: Request) throws -> Response {
    .text("Hello, World!")
}

/// The same, as a view that might wait.
@Sendable
private func waiting(_ request: Request) async throws -> Response {
    .text("Hello, World!")
}

/// The JSON document that `$HELLO_DOCUMENT` names: the comparison has nginx compress the very same bytes.
@Sendable
private func document(_ request: Request) throws -> Response {
    guard let text = documentText else { throw Http404("$HELLO_DOCUMENT names no readable file") }
    var response = Response.text(text)
    response.contentType = .json
    return response
}

private let documentText: String? = ProcessInfo.processInfo.environment["HELLO_DOCUMENT"].flatMap { path in
    (try? Data(contentsOf: URL(filePath: path))).map { String(decoding: $0, as: UTF8.self) }
}
