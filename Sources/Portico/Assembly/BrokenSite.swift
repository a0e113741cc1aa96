import Diagnosis
import Gateway
import HTTP
import LiveReload
import Logging
import NIOCore

/// In place of a site that could not be set up: every request gets to know why, when `debug` is on.
final class BrokenSite: ServedSite, SiteHandler {
    let name: String
    private let page: DiagnosisPage

    /// `reason` is shown to whoever asks, with links that open `editor`; nil keeps it for the log.
    init(_ name: String, reason: String?, editor: EditorLink? = nil) {
        self.name = name
        let report = ErrorReport(title: "Site ‘\(name)’ did not start", text: reason ?? "The reason is in the log.")
        page = ErrorReportPage(report, editor: editor).page
    }

    func makeHandler(on loop: any EventLoop) -> any SiteHandler { self }

    func start(on loops: [any EventLoop]) {}

    func stop() {}

    func handle(_ exchange: any Exchange, scriptName: String, path: String) {
        let (head, body) = page.response(to: exchange.request, .internalServerError)
        exchange.respond(head, body)
    }
}
