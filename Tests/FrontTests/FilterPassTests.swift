import Gateway
import HTTP
import NIOCore
import Testing

@testable import Front

/// What passes through filters beside responses: trailers, hints, handshakes.
@Suite struct FilterPassTests {
    private let text = String((0..<500).map { "entry \($0)\n" }.joined())

    /// Trailers follow a compressed stream as they follow a plain one, and only for clients that take them.
    @Test(arguments: [true, false])
    func trailers(areAccepted: Bool) {
        let request = RequestHead(
            .get, "/", fields: [("Accept-Encoding", "gzip")] + (areAccepted ? [("TE", "trailers")] : []))
        let exchange = RecordingExchange(request)
        let filter = GzipFilter(exchange, GzipPolicy(minSize: 100), GzipStreamPool(), accepts: true)
        filter.start(ResponseHead(.ok, ["Content-Type": "text/plain"]))
        filter.write(ByteBuffer(string: text))
        filter.finish(trailers: ["X-Sum": "1"])
        #expect(exchange.isFinished && exchange["Content-Encoding"] == "gzip")
        #expect(exchange.trailers == (areAccepted ? ["X-Sum": "1"] : nil))
        #expect(exchange["Content-Length"] == (areAccepted ? nil : "\(exchange.body.count)"))
        #expect(gunzip(exchange.body).map { String(decoding: $0, as: UTF8.self) } == text)
    }

    /// What is no response body passes filters untouched.
    @Test func handshakesAndHintsPass() throws {
        let exchange = RecordingExchange(RequestHead(.get, "/"))
        let edits = try FieldEdits(HeaderEdits(set: [("X-Added", "1")], remove: ["X-App"]))
        let filter = GzipFilter(HeaderFilter(exchange, edits), GzipPolicy(minSize: 0), GzipStreamPool(), accepts: true)
        filter.inform(.earlyHints, ["Link": "</a>"])
        _ = filter.acceptWebSocket(subprotocol: "chat", fields: ["X-App": "1"])
        #expect(exchange.informed == [103] && exchange.head == nil)
        #expect(exchange.accepted?.subprotocol == "chat" && exchange.accepted?.fields == ["X-App": "1"])
    }
}
