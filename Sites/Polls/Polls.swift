import Portico

/// The polls of Django's tutorial: people read questions, vote, and see the results.
public struct Polls: Site {
    public let name = "polls"

    /// How many questions the index shows.
    static let latest = Setting("latest", default: 5)

    public init() {}

    public var urls: URLs {
        path("", IndexView(), name: "index")
        path("<int:id>/", QuestionView(), name: "detail")
        path("<int:id>/results/", ResultsView(), name: "results")
        path("<int:id>/live/", LiveResults(), name: "live")
        path("<int:id>/vote/", vote, name: "vote")
    }

    public var templates: EmbeddedFileSet { EmbeddedFiles.templates }
    public var staticFiles: EmbeddedFileSet { EmbeddedFiles.staticFiles }
    public var models: [any Model.Type] { [Question.self, Choice.self] }
    public var settings: [any DeclaredSetting] { [Self.latest] }
    public var migrations: [Migration] { [.initial, .firstQuestions] }
}
