public import Diagnosis

/// The page about an ``ErrorReport``: each place with the lines around it, then all that was said.
public struct ErrorReportPage {
    let report: ErrorReport
    let editor: EditorLink?
    /// What relative file names are relative to.
    let directory: String?

    public init(_ report: ErrorReport, editor: EditorLink? = nil, directory: String? = nil) {
        self.report = report
        self.editor = editor
        self.directory = directory
    }

    public var html: String { page.html }

    /// The same for every kind of client.
    public var page: DiagnosisPage {
        let places = report.places.map { place in
            DiagnosisPage.Section.excerpt(
                SourceExcerpt(
                    file: place.file, line: place.line, column: place.column, note: place.message, editor: editor,
                    directory: directory))
        }
        return DiagnosisPage(
            title: report.title, sections: places + [.text("All that was said", report.text)],
            footer: "This page comes back to what it was when the mistake is mended.")
    }
}
