import Diagnosis
import Gateway
import HTTP
import NIOCore
import Templates

/// What a developer is shown of a failure, with `debug` on: the error and where it stands, the request, and the site's
/// settings, without what is secret.
struct DebugPage {
    let request: Request
    let error: any Error

    /// The answer, in the form that the client asks for.
    var response: Response {
        let (head, body) = page.response(to: request.head, .internalServerError)
        return Response(head.status, fields: head.fields, body: .bytes(body))
    }

    private var page: DiagnosisPage {
        var sections: [DiagnosisPage.Section] = []
        if let excerpt { sections.append(.excerpt(excerpt)) }
        // Finding the names of a stack takes a moment, and a mistake in a template is not in the view.
        let places =
            error is TemplateError
            ? []
            : ThrowTrace.excerpts(
                of: error, request.profile?.notes.thrown ?? [], editor: request.application.settings.editor)
        if !places.isEmpty { sections.append(.heading("Thrown, the last call first")) }
        sections += places.map { .excerpt($0) }
        sections += DiagnosisPage.Section.request(request.head, requestRows)
        if !form.isEmpty { sections.append(.table("Form", SecretMask.applied(to: form))) }
        sections.append(.table("Settings", SecretMask.applied(to: settingRows)))
        return DiagnosisPage(
            title: "\(type(of: error)) at \(request.path)", message: "\(error)", sections: sections,
            footer: "Shown because debug is on. Request \(request.requestID).")
    }

    /// The lines of the template around the mistake.
    private var excerpt: SourceExcerpt? {
        guard let error = error as? TemplateError, error.line > 0 else { return nil }
        let pages = request.application.pages
        let link = pages.file(of: error.template).flatMap { path in
            request.application.settings.editor?.url(file: path, line: error.line, column: error.column)
        }
        return SourceExcerpt(
            error.template, line: error.line, column: error.column, note: error.message,
            source: pages.source(of: error.template), link: link)
    }

    private var form: [(String, String)] { ((try? request.form)?.pairs ?? []).map { ($0.name, $0.value) } }

    private var requestRows: [(String, String)] {
        let route = request.parameters.route
        return [
            ("Host", request.host), ("Site", request.application.site.name), ("Route", route?.name ?? "–"),
            ("Pattern", route.map { "/\($0.pattern.source)" } ?? "–"), ("View", route?.viewName ?? "–"),
            ("Client", request.connection.remoteHost),
        ]
    }

    private var settingRows: [(String, String)] {
        let settings = request.application.settings
        return [
            ("database", settings.database.map { "\($0)" } ?? "none"), ("secret-key", SecretMask.text),
            ("debug", "true"), ("allowed-hosts", settings.allowedHosts.joined(separator: ", ")),
            ("body limit", "\(settings.bodyLimit) B"),
            ("template directories", settings.templateDirectories.joined(separator: ", ")),
            ("static directories", settings.staticDirectories.joined(separator: ", ")),
            ("middleware", request.application.site.middleware.map { "\(type(of: $0))" }.joined(separator: ", ")),
        ] + settings.values.sorted { $0.key < $1.key }.map { ("settings.\($0.key)", $0.value.shown) }
    }
}

extension SettingText {
    /// For a developer's eyes.
    fileprivate var shown: String {
        switch self {
        case .boolean(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .text(let value): value
        case .secret: SecretMask.text
        }
    }
}
