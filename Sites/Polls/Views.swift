import Portico

/// The questions published last: five, unless the setting `latest` says another number.
struct IndexView: ListView {
    let template = "polls/index.html"
    let listName = "latest_question_list"

    func query(for request: Request) -> QuerySet<Question> {
        Question.visible.ordered(by: Question.published.descending).limited(to: request[Polls.latest])
    }
}

/// One question, with the form to vote.
struct QuestionView: DetailView {
    let template = "polls/detail.html"
    let objectName = "question"

    func query(for request: Request) -> QuerySet<Question> { Question.visible }

    func context(for question: Question, request: Request) throws -> TemplateMap {
        ["choices": TemplateValue(try question.choices.all(in: request.database))]
    }
}

/// How people voted.
struct ResultsView: DetailView {
    let template = "polls/results.html"
    let objectName = "question"

    func query(for request: Request) -> QuerySet<Question> { Question.visible }

    func context(for question: Question, request: Request) throws -> TemplateMap {
        try question.tally(in: request.database)
    }
}

/// The results while others vote: sends the list of results anew whenever it has changed.
struct LiveResults: WebSocketView {
    func serve(_ socket: WebSocketSession) async throws {
        let request = socket.request
        let id = try request.parameters.int("id")
        let changes = try await request.onThread {
            _ = try Question.visible.getOr404(id, in: request.database)
            return try request.database.changes
        }
        try await socket.whileOpen {
            var shown = ""
            for await _ in changes {
                let results = try await request.onThread {
                    let question = try Question.visible.getOr404(id, in: request.database)
                    let context = TemplateContext(try question.tally(in: request.database))
                    return try request.renderText("polls/tally.html", context: context)
                }
                guard results != shown else { continue }
                shown = results
                try await socket.send(results)
            }
        }
    }
}

/// Counts a vote, and shows the results; without a choice, shows the form again.
func vote(_ request: Request, id: Int) throws -> Response {
    try request.require(.post)
    let database = try request.database
    let question = try Question.visible.getOr404(id, in: database)
    let chosen = question.choices.filter(Choice.id == (try request.form.int("choice") ?? 0))
    // The database adds, so that two people who vote at the same time both count.
    guard try chosen.update(Choice.votes.increment(), in: database) == 1 else {
        return try request.render(
            "polls/detail.html",
            [
                "question": question,
                "choices": try question.choices.all(in: database),
                "error_message": "You didn’t select a choice.",
            ])
    }
    // A redirect after a POST keeps a reload from voting twice.
    return .redirect(to: try request.url(for: "polls:results", question.id))
}
