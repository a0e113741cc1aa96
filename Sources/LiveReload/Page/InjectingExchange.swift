import Diagnosis
import Gateway
import HTTP
import NIOCore

/// An exchange whose answer, when it is a page, gets the script of the development server at its end.
///
/// The application is not told what would make the answer something else than a whole, plain page: what encodings the client
/// takes, what it has already, which part it wants.
final class InjectingExchange: ExchangeFilter {
    private static let hidden: [StaticString] = [
        "Accept-Encoding", "If-None-Match", "If-Modified-Since", "If-Range", "Range",
    ]

    private let plainRequest: RequestHead
    private let script: LiveScript
    /// What is to follow the body that is being sent; nil when it is no page.
    private var ending: ByteBuffer?
    /// Bytes of the body that were promised and have not come yet; nil where none were.
    private var missing: Int?

    init(_ inner: any Exchange, _ script: LiveScript) {
        plainRequest = inner.request.without(Self.hidden)
        self.script = script
        super.init(inner)
    }

    override var request: RequestHead { plainRequest }

    override func respond(_ head: ResponseHead, _ body: ByteBuffer) {
        guard isPage(head) else { return inner.respond(head, body) }
        let (head, ending) = extended(head)
        var body = body
        body.writeImmutableBuffer(ending)
        inner.respond(head, body)
    }

    override func start(_ head: ResponseHead) {
        guard isPage(head) else { return inner.start(head) }
        missing = head.fields["Content-Length"].flatMap { Int($0) }
        let (head, ending) = extended(head)
        self.ending = ending
        inner.start(head)
    }

    override func write(_ bytes: ByteBuffer) {
        if let missing { self.missing = missing - bytes.readableBytes }
        inner.write(bytes)
    }

    override func write(_ file: FileRegion, keeping owner: AnyObject) {
        if let missing { self.missing = missing - file.readableBytes }
        inner.write(file, keeping: owner)
    }

    override func write(lent bytes: UnsafeRawBufferPointer) {
        if let missing { self.missing = missing - bytes.count }
        inner.write(lent: bytes)
    }

    override func finish() {
        writeEnding()
        inner.finish()
    }

    override func finish(trailers: Fields) {
        writeEnding()
        inner.finish(trailers: trailers)
    }

    /// Not after a body that is too short, which the client must see.
    private func writeEnding() {
        guard let ending, missing ?? 0 <= 0 else { return }
        self.ending = nil
        inner.write(ending)
    }

    private func isPage(_ head: ResponseHead) -> Bool {
        guard inner.request.method != .head, !head.status.isBodiless, head.status.code != 206,
            head.fields["Content-Encoding"] == nil, let type = head.fields["Content-Type"]
        else { return false }
        return type.lowercased().hasPrefix("text/html")
    }

    private func extended(_ head: ResponseHead) -> (ResponseHead, ByteBuffer) {
        var head = head
        let policies = head.fields.values("Content-Security-Policy").map(ContentPolicy.init)
        if !policies.isEmpty {
            head.fields.remove("Content-Security-Policy")
            for policy in policies { head.fields.append("Content-Security-Policy", policy.widened) }
        }
        let ending = ByteBuffer(string: script.element(nonce: policies.lazy.compactMap(\.nonce).first))
        if let length = head.fields["Content-Length"].flatMap({ Int($0) }) {
            head.fields.set("Content-Length", String(length + ending.readableBytes))
        }
        if head.fields["Cache-Control"] == nil { head.fields.append("Cache-Control", "no-cache") }
        return (head, ending)
    }
}
