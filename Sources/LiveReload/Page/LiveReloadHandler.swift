import Gateway
import HTTP
import NIOCore

/// On one event loop: puts the script into pages, answers it, and keeps the streams of the pages that listen.
final class LiveReloadHandler: ExchangeHandler {
    private let inner: any ExchangeHandler
    private let live: LiveReload
    private let eventLoop: any EventLoop
    private var streams: [any Exchange] = []
    private var waiting: [any Exchange] = []
    private var isHolding = false
    private var isClosed = false
    private var isBeating = false

    private static let eventsPath = Array(LiveScript.eventsPath.utf8)
    private static let scriptPath = Array(LiveScript.scriptPath.utf8)
    /// A word now and then shows that the other side is still there.
    private static let heartbeat = TimeAmount.seconds(15)

    init(_ inner: any ExchangeHandler, _ live: LiveReload, on eventLoop: any EventLoop) {
        self.inner = inner
        self.live = live
        self.eventLoop = eventLoop
    }

    func handle(_ exchange: any Exchange) {
        // Those who kept their connection to this worker are to meet the next one.
        if isClosed, exchange.handOver() { return }
        let request = exchange.request
        switch (isPath(request, Self.eventsPath), isPath(request, Self.scriptPath)) {
        case (true, _): listen(exchange)
        case (_, true):
            respond(exchange, .ok, "text/javascript; charset=utf-8", LiveScript.source, cache: "max-age=31536000")
        case (false, false): if isHolding { waiting.append(exchange) } else { serve(exchange, request) }
        }
    }

    private func serve(_ exchange: any Exchange, _ request: RequestHead) {
        guard isNavigation(request) else { return inner.handle(exchange) }
        let (script, brokenPage) = live.present
        let page = InjectingExchange(exchange, script)
        if let broken = brokenPage {
            respond(page, .internalServerError, "text/html; charset=utf-8", broken, cache: "no-store")
        } else {
            inner.handle(page)
        }
    }

    func hold() { isHolding = !isClosed }

    func release() {
        isHolding = false
        let all = waiting
        waiting = []
        for exchange in all where exchange.isOpen { serve(exchange, exchange.request) }
    }

    private func isPath(_ request: RequestHead, _ path: [UInt8]) -> Bool {
        Int(request.rawPath.count) == path.count
            && request.withUnsafeBytes { head in
                head[Int(request.rawPath.start)..<Int(request.rawPath.start + request.rawPath.count)]
                    .elementsEqual(path)
            }
    }

    /// Whether the answer may become a page somebody looks at, rather than a part of one.
    private func isNavigation(_ request: RequestHead) -> Bool {
        guard !request.asksForUpgrade else { return false }
        if let destination = request.fields["Sec-Fetch-Dest"] {
            return ["document", "iframe", "frame"].contains(destination)
        }
        return request.fields["Accept"]?.contains("text/html") ?? false
    }

    private func respond(_ exchange: any Exchange, _ status: Status, _ type: String, _ text: String, cache: String) {
        let body = ByteBuffer(string: text)
        exchange.respond(
            ResponseHead(
                status, ["Content-Type": type, "Content-Length": String(body.readableBytes), "Cache-Control": cache]),
            body)
    }

    // MARK: - Streams

    private func listen(_ exchange: any Exchange) {
        // Other sites' pages have no business here.
        if let site = exchange.request.fields["Sec-Fetch-Site"], site != "same-origin" {
            return respond(exchange, .forbidden, "text/plain", "only for pages of this server\n", cache: "no-store")
        }
        exchange.start(ResponseHead(.ok, ["Content-Type": "text/event-stream", "Cache-Control": "no-store"]))
        let hello = live.greeting.map(\.text).joined()
        exchange.write(ByteBuffer(string: "retry: 200\n\n\(hello)"))
        exchange.flush()
        // The page knows whether it is of this worker; what comes later it asks somebody else.
        if isClosed { return exchange.finish() }
        streams.append(exchange)
        exchange.onClose { [weak self, weak exchange] in self?.streams.removeAll { $0 === exchange } }
        beat()
    }

    func send(_ events: [LiveEvent]) { sendAll(events.map(\.text).joined()) }

    private func sendAll(_ text: String) {
        for stream in streams where stream.isOpen {
            stream.write(ByteBuffer(string: text))
            stream.flush()
        }
    }

    func close() {
        isClosed = true
        let ending = streams
        streams = []
        for stream in ending where stream.isOpen { stream.finish() }
        isHolding = false
        let all = waiting
        waiting = []
        for exchange in all where exchange.isOpen && !exchange.handOver() { serve(exchange, exchange.request) }
    }

    private func beat() {
        guard !isBeating, !streams.isEmpty else { return }
        isBeating = true
        let me = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: Self.heartbeat) {
            me.value.isBeating = false
            me.value.sendAll(": still here\n\n")
            me.value.beat()
        }
    }
}
