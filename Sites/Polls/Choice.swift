import Portico

/// One answer to a question, and how often it was chosen.
struct Choice: Model {
    static let table = "polls_choice"
    static let question = Field("question_id", \.question, label: "question")
    static let text = Field("choice_text", \.text, label: "choice", maxLength: 200)
    static let votes = Field("votes", \.votes)
    static let columns = Columns(id, question, text, votes)

    var id = 0
    var question: Int
    var text: String
    var votes = 0
}

extension Choice {
    init(row: Row) throws(DatabaseError) {
        id = try row[Self.id]
        question = try row[Self.question]
        text = try row[Self.text]
        votes = try row[Self.votes]
    }
}
