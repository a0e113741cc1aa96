import Config
import Diagnosis
import Gateway
import HTTP
import Platform
import Python

/// With `debug`: what is shown of an exception that a Python application has let out, in place of the answer it did not
/// begin. Frameworks that catch their exceptions have pages of their own, which are answers like any other.
struct ApplicationFailure: Sendable {
    private let configuration: Configuration
    private let site: String
    private let directory: String
    private let editor: EditorLink?

    init(_ entry: PythonSites.Entry, _ configuration: Configuration) {
        self.configuration = configuration
        site = entry.site.name
        directory = entry.directory
        editor = configuration.settings.editor.map { EditorLink($0) }
    }

    /// Nil where `debug` is off.
    static func page(_ entry: PythonSites.Entry, _ configuration: Configuration) -> FailurePage? {
        guard configuration.settings.debug else { return nil }
        let failure = Self(entry, configuration)
        return FailurePage { error, exchange in
            let page = failure.page(error, exchange)
            let (head, body) = page.response(to: exchange.request, .internalServerError)
            exchange.respond(head, body)
        }
    }

    private func page(_ error: any Error, _ exchange: any Exchange) -> DiagnosisPage {
        let python = error as? PythonError
        let path = PercentCoding.decodeLeniently(exchange.request.string(exchange.request.rawPath).utf8)
        let request = DiagnosisPage.Section.request(
            exchange.request,
            [
                ("Host", exchange.request.authority.map(exchange.request.string) ?? ""), ("Site", site),
                ("Client", exchange.connection.remoteHost),
            ])
        return DiagnosisPage(
            title: "\(python?.type ?? "No answer") at \(path)", message: python?.description ?? "\(error)",
            sections: (python.map(traceback) ?? []) + request + [.table("Settings", settings)]
                + (python.map { [.text("Traceback as Python writes it", $0.traceback)] } ?? []),
            footer: "Shown because debug is on. Request \(exchange.requestID).")
    }

    // MARK: - Where it was raised

    private func traceback(_ error: PythonError) -> [DiagnosisPage.Section] {
        var sections: [DiagnosisPage.Section] = []
        var relation: PythonError.Relation?
        for link in error.chain {
            switch relation {
            case .cause: sections.append(.heading("Caused by \(link.description)"))
            case .context: sections.append(.heading("While this was being handled: \(link.description)"))
            case nil: sections.append(.heading("Traceback, the last call first"))
            }
            sections += link.frames.map(excerpt)
            relation = link.relation
        }
        return sections
    }

    private func excerpt(_ frame: PythonError.Frame) -> DiagnosisPage.Section {
        .excerpt(
            SourceExcerpt(
                file: frame.file, line: frame.line, note: frame.function.isEmpty ? "" : "in \(frame.function)",
                editor: editor, directory: directory))
    }

    // MARK: - Settings

    /// What the configuration says about the site, and about all of them.
    private var settings: [(String, String)] {
        let shared = [
            "debug", "secret-key", "allowed-hosts", "temp-directory", "workers.mode", "workers.count",
            "workers.threads", "timeouts.request", "limits.body-size",
        ]
        let own = configuration.tree["sites"]?[site].map { $0.rows(named: "sites.\(site)") } ?? []
        let others = shared.flatMap { name -> [(String, String)] in
            let path = ConfigPath(name.split(separator: ".").map { .key(String($0)) })
            return configuration.tree[path].map { $0.rows(named: name) } ?? []
        }
        return SecretMask.applied(
            to: [("environment", configuration.environmentName), ("file", configuration.filePath ?? "none")] + own
                + others)
    }
}

extension ConfigTree {
    /// Its values, each with the names that lead to it; secrets as printers show them.
    fileprivate func rows(named name: String) -> [(String, String)] {
        switch value {
        case .scalar(let scalar): [(name, scalar.masked)]
        case .list(let elements):
            elements.contains { $0.scalar == nil }
                ? elements.enumerated().flatMap { $1.rows(named: "\(name)[\($0)]") }
                : [(name, elements.compactMap(\.scalar?.masked).joined(separator: ", "))]
        case .mapping(let entries): entries.flatMap { $0.value.rows(named: "\(name).\($0.key)") }
        }
    }
}
