public import Diagnosis
public import Gateway
public import NIOCore
import Synchronization

/// The development server's line to the pages that are open, in one worker.
///
/// What a page was made by is its version: the worker's, and the number of changes that have reached it. A page that finds
/// another version when it connects (again) has missed something and loads itself anew, so that nothing depends on a
/// connection that lasts.
public final class LiveReload: Sendable {
    struct State {
        /// Counts the changes.
        var number = 0
        var report: ErrorReport?
        var busy = ""
    }

    private let token: String
    private let editor: EditorLink?
    private let directory: String?
    private let state = Mutex(State())
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

    /// Tells every page. From any thread.
    public func tell(_ message: LiveMessage) {
        let event = state.withLock { state -> LiveEvent in
            switch message {
            case .busy(let line): state.busy = line
            case .broken(let report):
                state.report = report
                state.busy = ""
                state.number += 1
            case .mended:
                state.report = nil
                state.number += 1
            case .page, .style: state.number += 1
            }
            return LiveEvent(message, version: version(state))
        }
        eachHandler { $0.send(event) }
    }

    /// From now on requests wait, until ``release()`` or ``close()``. From any thread.
    public func hold() { eachHandler { $0.hold() } }

    /// The requests that wait are answered here after all. From any thread.
    public func release() { eachHandler { $0.release() } }

    /// Sends everybody to the worker that follows: streams end, for their pages connect anew, and requests that wait are
    /// told to ask again. From any thread.
    public func close() { eachHandler { $0.close() } }

    private func eachHandler(_ body: @escaping @Sendable (LiveReloadHandler) -> Void) {
        for handler in handlers.withLock({ $0 }) {
            handler.eventLoop.execute { body(handler.value) }
        }
    }

    private func version(_ state: State) -> String { "\(token).\(state.number)" }

    /// What pages made now are made by.
    var script: LiveScript { LiveScript(version: state.withLock { version($0) }) }

    /// What a page that connects is told first.
    var greeting: [LiveEvent] {
        state.withLock { state in
            let version = version(state)
            let hello = LiveEvent(name: "hello", data: version, version: version)
            return state.busy.isEmpty ? [hello] : [hello, LiveEvent(.busy(state.busy), version: version)]
        }
    }

    /// The page that stands for all others while the new code does not work.
    var brokenPage: String? {
        state.withLock(\.report).map { ErrorReportPage($0, editor: editor, directory: directory).html }
    }
}

/// A server-sent event (HTML Standard §9.2).
struct LiveEvent: Sendable {
    let name: String
    let data: String
    let version: String

    init(name: String, data: String, version: String) {
        self.name = name
        self.data = data
        self.version = version
    }

    init(_ message: LiveMessage, version: String) {
        switch message {
        case .style(let path): self.init(name: "style", data: path, version: version)
        case .busy(let line): self.init(name: "busy", data: line, version: version)
        case .page, .broken, .mended: self.init(name: "page", data: "", version: version)
        }
    }

    /// As it goes into the stream. The data is one line.
    var text: String {
        let line = data.split(whereSeparator: \.isNewline).joined(separator: " ")
        return "id: \(version)\nevent: \(name)\ndata: \(line)\n\n"
    }
}
