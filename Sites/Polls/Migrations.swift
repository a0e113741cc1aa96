import Portico

extension Migration {
    /// The tables.
    static let initial = Migration(
        "0001_initial",
        sql: """
            CREATE TABLE polls_question (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                question_text VARCHAR(200) NOT NULL,
                pub_date DATETIME NOT NULL
            );
            CREATE INDEX polls_question_pub_date ON polls_question (pub_date);
            CREATE TABLE polls_choice (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                question_id INTEGER NOT NULL REFERENCES polls_question (id) ON DELETE CASCADE,
                choice_text VARCHAR(200) NOT NULL,
                votes INTEGER NOT NULL DEFAULT 0
            );
            CREATE INDEX polls_choice_question_id ON polls_choice (question_id);
            """)

    /// Something to vote on, so that the first page is worth looking at.
    static let firstQuestions = Migration("0002_first_questions") { database in
        let questions = [
            ("What’s new?", ["Not much", "The sky", "Just hacking again"]),
            ("Tabs or spaces?", ["Tabs", "Spaces", "Whatever the formatter says"]),
            ("When do you write the tests?", ["Before the code", "With the code", "After the bug report"]),
            ("Which hour is your best?", ["Early morning", "Late morning", "Afternoon", "After midnight"]),
            ("How should a server restart?", ["Without anyone noticing", "Quickly", "Never"]),
        ]
        let day = 86_400.0
        for (index, (text, answers)) in questions.enumerated() {
            let published = Date.now.addingTimeInterval(-day * Double(questions.count - index))
            let question = try Question(text: text, published: published).created(in: database)
            for answer in answers { _ = try Choice(question: question.id, text: answer).created(in: database) }
        }
    }
}
