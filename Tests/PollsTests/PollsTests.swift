import Portico
import Testing

@testable import Polls

/// A client of a fresh site, with the questions the migrations bring and further ones.
private func client(_ gateway: TestClient.GatewayKind = .asgi, isDebug: Bool = false) throws -> TestClient {
    let client = TestClient(Polls(), gateway: gateway, settings: SiteSettings(database: .memory, isDebug: isDebug))
    try client.application.start()
    return client
}

extension TestClient {
    fileprivate func database() throws -> Database { try application.database() }

    /// A question published so many days from now.
    fileprivate func question(_ text: String, days: Double, choices: [String] = []) throws -> Question {
        let database = try database()
        let question = try Question(text: text, published: .now.addingTimeInterval(days * 86_400))
            .created(in: database)
        for choice in choices { _ = try Choice(question: question.id, text: choice).created(in: database) }
        return question
    }
}

@Suite struct IndexPage {
    @Test func noQuestions() async throws {
        let client = try client()
        try Question.objects.delete(in: client.database())
        let page = try await client.get("/")
        #expect(page.status == 200)
        #expect(page.text.contains("No polls are available."))
    }

    @Test func showsTheFirstQuestions() async throws {
        let page = try await client().get("/")
        #expect(page.text.contains("What’s new?"))
        #expect(page.text.contains(#"<a href="/1/">"#))
    }

    @Test func latestFiveFirst() async throws {
        let client = try client()
        for number in 1...6 { _ = try client.question("Number \(number).", days: Double(number - 7) / 1000) }
        let text = try await client.get("/").text
        let shown = (1...6).compactMap { number in
            text.firstRange(of: "Number \(number).").map { ($0.lowerBound, number) }
        }
        #expect(shown.sorted { $0.0 < $1.0 }.map(\.1) == [6, 5, 4, 3, 2])
        #expect(!text.contains("What’s new?"))
    }

    @Test func futureQuestionsAreHidden() async throws {
        let client = try client()
        _ = try client.question("From the future", days: 30)
        _ = try client.question("From the past", days: -0.5)
        let text = try await client.get("/").text
        #expect(!text.contains("From the future"))
        #expect(text.contains("From the past"))
    }

    @Test func textIsEscaped() async throws {
        let client = try client()
        _ = try client.question("<script>alert('x')</script>", days: -0.5)
        let text = try await client.get("/").text
        #expect(!text.contains("<script>"))
        #expect(text.contains("&lt;script&gt;"))
    }
}

@Suite struct QuestionPages {
    @Test(arguments: ["/%d/", "/%d/results/"])
    func futureQuestionsAreNotFound(_ pattern: String) async throws {
        let client = try client()
        let past = try client.question("Past", days: -5)
        let future = try client.question("Future", days: 5)
        #expect(try await client.get(pattern.replacing("%d", with: "\(past.id)")).status == 200)
        #expect(try await client.get(pattern.replacing("%d", with: "\(future.id)")).status == 404)
        #expect(try await client.post("/\(future.id)/vote/", ["choice": "1"]).status == 404)
    }

    @Test func formHasATokenAndEveryChoice() async throws {
        let page = try await client().get("/1/")
        #expect(page.text.contains(#"name="csrfmiddlewaretoken""#))
        for choice in ["Not much", "The sky", "Just hacking again"] { #expect(page.text.contains(choice)) }
        #expect(page.head.fields.values("Set-Cookie").contains { $0.hasPrefix("csrftoken=") })
        #expect(page.head.fields.values("Vary") == ["Cookie"])
    }

    @Test func pageWithoutFormSetsNoCookie() async throws {
        #expect(try await client().get("/").head.fields.values("Set-Cookie").isEmpty)
    }

    @Test func notFoundPageIsTheSitesOwn() async throws {
        let page = try await client().get("/999/")
        #expect(page.status == 404)
        #expect(page.text.contains("There is no such page"))
    }
}

@Suite struct Voting {
    @Test(arguments: TestClient.GatewayKind.allCases)
    func countsAndRedirects(_ gateway: TestClient.GatewayKind) async throws {
        let client = try client(gateway)
        let answer = try await client.post("/1/vote/", ["choice": "2"])
        #expect(answer.status == 302)
        #expect(answer.location == "/1/results/")
        let results = try await client.get("/1/results/").text
        #expect(results.contains("1 vote, 100&nbsp;%"))
        #expect(results.contains("1 vote in all."))
    }

    @Test(arguments: [[:], ["choice": ""], ["choice": "x"], ["choice": "4"], ["choice": "-1"]] as [QueryValues])
    func withoutAChoice(_ form: QueryValues) async throws {
        let client = try client()
        let answer = try await client.post("/1/vote/", form)
        #expect(answer.status == 200)
        #expect(answer.text.contains("You didn’t select a choice."))
        #expect(try Choice.objects.filter(Choice.votes > 0).count(in: client.database()) == 0)
    }

    @Test func onlyByPost() async throws {
        let answer = try await client().get("/1/vote/")
        #expect(answer.status == 405)
        #expect(answer.head.fields["Allow"] == "POST")
    }

    @Test func withoutATokenIsRefused() async throws {
        let application = SiteApplication(Polls(), settings: SiteSettings(database: .memory))
        let client = TestClient(application, enforcesCSRF: true)
        #expect(try await client.post("/1/vote/", ["choice": "1"]).status == 403)
        // As a browser does: fetch the form, send it with what it holds.
        let form = try await client.get("/1/").text
        let marker = #"name="csrfmiddlewaretoken" value=""#
        let start = try #require(form.firstRange(of: marker)).upperBound
        let token = String(form[start...].prefix { $0 != "\"" })
        #expect(try await client.post("/1/vote/", ["choice": "1", "csrfmiddlewaretoken": token]).status == 302)
    }

    @Test func atTheSameTime() async throws {
        let application = SiteApplication(Polls(), settings: SiteSettings(database: .memory))
        try await withThrowingTaskGroup(of: Int.self) { group in
            for voter in 0..<40 {
                group.addTask {
                    let client = TestClient(application, gateway: voter % 2 == 0 ? .wsgi : .asgi)
                    return try await client.post("/1/vote/", ["choice": "3"]).status.code
                }
            }
            for try await status in group { #expect(status == 302) }
        }
        #expect(try Choice.objects.get(3, in: application.database()).votes == 40)
    }
}

@Suite struct WholeSite {
    @Test(arguments: ["/", "/1/", "/1/results/", "/2", "/nothing/", "/static/polls/style.css"])
    func bothGatewaysGiveTheSame(_ path: String) async throws {
        let application = SiteApplication(Polls(), settings: SiteSettings(database: .memory))
        let wsgi = try await TestClient(application, gateway: .wsgi).get(path)
        let asgi = try await TestClient(application, gateway: .asgi).get(path)
        #expect(wsgi.status == asgi.status)
        #expect(masked(wsgi.text) == masked(asgi.text))
    }

    /// Without the tokens, which differ each time, and without the name of the gateway, which the script wants to know.
    private func masked(_ text: String) -> String {
        text.split(separator: "\n").filter { !$0.contains("csrfmiddlewaretoken") }.joined(separator: "\n")
            .replacing(#"data-gateway="wsgi""#, with: #"data-gateway="asgi""#)
    }

    @Test func mountedElsewhere() async throws {
        let application = SiteApplication(Polls(), settings: SiteSettings(database: .memory))
        let client = TestClient(application, scriptName: "/polls")
        let page = try await client.get("/polls/").text
        #expect(page.contains(#"<a href="/polls/1/">"#))
        #expect(page.contains(#"href="/polls/static/polls/style.css?v="#))
        #expect(try await client.post("/polls/1/vote/", ["choice": "1"]).location == "/polls/1/results/")
    }

    @Test func styleSheet() async throws {
        let client = try client()
        let page = try await client.get("/").text
        let start = try #require(page.firstRange(of: "/static/polls/style.css?v="))
        let url = String(page[start.lowerBound...].prefix { $0 != "\"" })
        let sheet = try await client.get(url)
        #expect(sheet.status == 200)
        #expect(sheet.head.fields["Content-Type"] == "text/css; charset=utf-8")
        #expect(sheet.head.fields["Cache-Control"] == "public, max-age=31536000, immutable")
        let tag = try #require(sheet.head.fields["ETag"])
        #expect(try await client.get(url, fields: [("If-None-Match", tag)]).status == 304)
        #expect(try await client.get("/static/polls/style.css").head.fields["Cache-Control"] == "no-cache")
        #expect(try await client.get("/static/../Polls.swift").status == 404)
    }

    @Test func checksFindNothing() {
        let application = SiteApplication(Polls(), settings: SiteSettings(database: .memory))
        #expect(application.check().isEmpty)
    }

    @Test func routes() {
        let routes = SiteApplication(Polls()).routes
        #expect(
            routes.map(\.pattern) == [
                "/", "/<int:id>/", "/<int:id>/results/", "/<int:id>/live/", "/<int:id>/vote/", "/static/<path:path>",
            ])
        #expect(routes.map(\.name) == ["index", "detail", "results", "live", "vote", nil])
        #expect(routes[0].view == "IndexView")
    }
}

@Suite(.timeLimit(.minutes(10))) struct LiveResultsTests {
    @Test func followTheVotes() async throws {
        let client = try client()
        let question = try client.question("Live?", days: -1, choices: ["Yes", "No"])
        let choices = try question.choices.all(in: client.database())
        let page = try await client.get("/\(question.id)/results/")
        #expect(page.text.contains(#"data-live="/\#(question.id)/live/""#) && page.text.contains("polls/live.js"))
        let socket = try await client.webSocket("/\(question.id)/live/")
        let before = try #require(await socket.receiveText())
        // What comes over the socket is what stands in the page.
        #expect(page.text.contains(before) && before.contains("0 votes in all."))
        _ = try await client.post("/\(question.id)/vote/", ["choice": "\(choices[0].id)"])
        let after = try #require(await socket.receiveText())
        #expect(after.contains("1 vote, 100&nbsp;%") && after.contains("1 vote in all."))
        await socket.close()
        #expect(socket.failure == nil)
    }

    @Test(arguments: ["/999/live/", "/x/live/"])
    func ofNothing(_ path: String) async throws {
        let socket = try await client().webSocket(path)
        #expect(socket.refusal?.status == 404)
    }

    @Test func ofTheFuture() async throws {
        let client = try client()
        let question = try client.question("Not yet", days: 1)
        let socket = try await client.webSocket("/\(question.id)/live/")
        #expect(socket.refusal?.status == 404)
    }

    /// Through WSGI the page is there, and the socket is not.
    @Test func withoutWebSockets() async throws {
        let client = try client(.wsgi)
        #expect(try await client.get("/1/results/").text.contains("0 votes in all."))
        #expect(try await client.get("/1/live/").status == 501)
    }
}
