public import Diagnosis
public import Gateway
public import NIOCore
import Synchronization

/// The development server's line to the pages that are open, in one worker.
///
/// What a page was made by is its version: the worker's code, and the number of changes that have reached it. A page that finds
/// another version when it connects (again) has missed something and loads itself anew, so that nothing depends on a
/// connection that lasts.
public final class LiveReload: Sendable {
    private let token: String
    private let editor: EditorLink?
    private let directory: String?
    private let state = Mutex(LiveState())
    private let handlers = Mutex<[NIOLoopBound<LiveReloadHandler>]>([])

    /// - Parameters:
    ///   - token: names this worker's code and configuration: others with the same make the same pages.
    ///   - editor: opens places in files.
    ///   - directory: what relative names in reports are relative to.
    public init(token: String, editor: EditorLink? = nil, directory: String? = nil) {
        self.token = token
        self.editor = editor
        self.directory = directory
    }

    /// A handler around `inner` that puts the script into pages and answers it. On `loop`.
    public func handler(around inner: any ExchangeHandler, on loop: any EventLoop) -> any ExchangeHandler {
        let handler = LiveReloadHandler(inner, self, on: loop)
        handlers.withLock { $0.append(NIOLoopBound(handler, eventLoop: loop)) }
        return handler
    }

    /// How things stand now: pages hear of what is new. From any thread.
    public func take(_ new: LiveState) {
        let old = state.withLock { state in
            defer { state = new }
            return state
        }
        let version = version(new)
        var events: [LiveEvent] = []
        if new.number != old.number {
            // Who has missed the one before is better off with the whole page.
            let style = new.number == old.number + 1 ? new.style : nil
            events.append(LiveEvent(style == nil ? "page" : "style", style ?? "", version: version))
        }
        if new.busy != old.busy { events.append(LiveEvent("busy", new.busy, version: version)) }
        tell(events)
    }

    private func tell(_ events: [LiveEvent]) {
        if !events.isEmpty { eachHandler { $0.send(events) } }
    }

    /// From now on requests wait, until ``release()`` or ``close()``. From any thread.
    public func hold() { eachHandler { $0.hold() } }

    /// The requests that wait are answered here after all. From any thread.
    public func release() { eachHandler { $0.release() } }

    /// Sends everybody to the worker that follows: pages connect anew, and requests go over to it, where the server has a
    /// way (``Exchange/handOver()``). From any thread.
    public func close() {
        tell([LiveEvent("moved", "", version: state.withLock { version($0) })])
        eachHandler { $0.close() }
    }

    private func eachHandler(_ body: @escaping @Sendable (LiveReloadHandler) -> Void) {
        for handler in handlers.withLock({ $0 }) {
            handler.eventLoop.execute { body(handler.value) }
        }
    }

    private func version(_ state: LiveState) -> String { "\(token).\(state.number)" }

    /// What goes into pages made now, and the page that stands for all of them while the new code does not work.
    var present: (script: LiveScript, brokenPage: String?) {
        let state = state.withLock { $0 }
        let page = state.report.map { ErrorReportPage($0, editor: editor, directory: directory).html }
        return (LiveScript(version: version(state)), page)
    }

    /// What a page that connects is told first.
    var greeting: [LiveEvent] {
        let state = state.withLock { $0 }
        let version = version(state)
        return [LiveEvent("hello", version, version: version), LiveEvent("busy", state.busy, version: version)]
    }
}

/// A server-sent event (HTML Standard §9.2).
struct LiveEvent: Sendable {
    private let name: String
    private let data: String
    private let version: String

    init(_ name: String, _ data: String, version: String) {
        self.name = name
        self.data = data
        self.version = version
    }

    /// As it goes into the stream. The data is one line.
    var text: String {
        let line = data.split(whereSeparator: \.isNewline).joined(separator: " ")
        return "id: \(version)\nevent: \(name)\ndata: \(line)\n\n"
    }
}
