import Portico

/// A question people can vote on, from the moment it is published.
struct Question: Model {
    static let table = "polls_question"
    static let text = Field("question_text", \.text, label: "question", maxLength: 200)
    static let published = Field("pub_date", \.published, label: "date published")
    static let columns = Columns(id, text, published)

    var id = 0
    var text: String
    var published: Date

    /// The questions that visitors may see.
    static var visible: QuerySet<Question> { objects.filter(published <= .now) }

    /// What can be answered, in the order it was written down.
    var choices: QuerySet<Choice> {
        Choice.objects.filter(Choice.question == id).ordered(by: Choice.id.ascending)
    }

    /// What the list of results shows.
    func tally(in database: Database) throws -> TemplateMap {
        let choices = try choices.all(in: database)
        return ["choices": TemplateValue(choices), "total": .int(choices.map(\.votes).reduce(0, +))]
    }
}

extension Question {
    init(row: Row) throws(DatabaseError) {
        id = try row[Self.id]
        text = try row[Self.text]
        published = try row[Self.published]
    }
}
