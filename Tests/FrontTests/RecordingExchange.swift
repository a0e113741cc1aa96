import Foundation
import Gateway
import HTTP
import NIOCore
import NIOEmbedded

/// An exchange that keeps what it is told, and treats a response as the server would: no body for HEAD, 204 and 304, and
/// not more of it than `Content-Length` says.
final class RecordingExchange: Exchange {
    let request: RequestHead
    let connection = ConnectionInfo(remoteAddress: nil, localAddress: nil)
    let embeddedLoop: EmbeddedEventLoop
    let requestID = "request<1>"

    var timeLimit: TimeAmount? = .seconds(60)
    var call: (any ExchangeCall)?
    private(set) var head: ResponseHead?
    private(set) var body: [UInt8] = []
    /// The body as it stood at each flush.
    private(set) var flushed: [[UInt8]] = []
    private(set) var calls: [String] = []
    private(set) var isFinished = false
    private(set) var isAborted = false
    var isOpen = true
    var isWritable = true {
        didSet {
            guard isWritable else { return }
            let ready = waiting
            waiting = []
            for call in ready { call() }
        }
    }
    private var waiting: [() -> Void] = []

    init(_ request: RequestHead, loop: EmbeddedEventLoop = EmbeddedEventLoop()) {
        self.request = request
        embeddedLoop = loop
    }

    var eventLoop: any EventLoop { embeddedLoop }
    var hasStarted: Bool { head != nil }

    func receive(_ deliver: @escaping (BodyPart) -> Void) { deliver(.end) }
    func whenWritable(_ ready: @escaping () -> Void) {
        if isWritable { ready() } else { waiting.append(ready) }
    }
    func onClose(_ closed: @escaping () -> Void) {}

    func respond(_ head: ResponseHead, _ body: ByteBuffer) {
        calls.append("respond")
        self.head = head
        take(Array(body.readableBytesView))
        isFinished = true
    }
    func start(_ head: ResponseHead) {
        calls.append("start")
        self.head = head
    }
    func write(_ bytes: ByteBuffer) {
        calls.append("write")
        take(Array(bytes.readableBytesView))
    }
    func write(_ file: FileRegion, keeping owner: AnyObject) {
        calls.append("file")
        var bytes = [UInt8](repeating: 0, count: file.readableBytes)
        let count = try? file.fileHandle.withUnsafeFileDescriptor {
            pread($0, &bytes, bytes.count, off_t(file.readerIndex))
        }
        take(Array(bytes.prefix(count ?? 0)))
    }
    func flush() {
        calls.append("flush")
        flushed.append(body)
    }
    func finish() {
        calls.append("finish")
        isFinished = true
    }
    func abort() {
        calls.append("abort")
        isAborted = true
    }

    private(set) var trailers: Fields?
    private(set) var informed: [Int] = []
    func inform(_ status: Status, _ fields: Fields) { informed.append(status.code) }
    func finish(trailers: Fields) {
        calls.append("finish")
        self.trailers = trailers
        isFinished = true
    }
    let isWebSocketHandshake = false
    private(set) var accepted: (subprotocol: String?, fields: Fields)?
    func acceptWebSocket(subprotocol: String?, fields: Fields) -> (any WebSocket)? {
        accepted = (subprotocol, fields)
        return nil
    }

    private func take(_ bytes: [UInt8]) {
        guard let head, request.method != .head, !head.status.isBodiless else { return }
        body += bytes
        if let length = head.fields["Content-Length"].flatMap(Int.init) { body = Array(body.prefix(length)) }
    }

    var status: Int { head?.status.code ?? 0 }
    var text: String { String(decoding: body, as: UTF8.self) }
    subscript(name: String) -> String? { head?.fields[name] }
}

/// A site that answers with where it is mounted, or as it is told to.
final class EchoSite: SiteHandler {
    private let answer: ((any Exchange) -> Void)?

    init(_ answer: ((any Exchange) -> Void)? = nil) { self.answer = answer }

    func handle(_ exchange: any Exchange, scriptName: String, path: String) {
        if let answer { return answer(exchange) }
        exchange.respond(.ok, text: "[\(scriptName)][\(path)]")
    }
}
