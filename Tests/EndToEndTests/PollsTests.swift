import TestSupport
import Testing

extension EndToEnd {
    /// Polls over a socket, in both modes and through both gateways.
    @Suite struct PollsPages {
        static func configuration(_ mode: String, _ gateway: String) -> String {
            """
            base:
              listen: 127.0.0.1:0
              workers: {mode: \(mode), count: 2}
              timeouts: {header: 1h, keep-alive: 1h}
              secret-key: a-key-of-the-tests-that-is-long-enough-0123456789-abcdef
              sites: {polls: {swift: polls, gateway: \(gateway), database: polls.sqlite3}}
            """
        }

        @Test(arguments: ["process", "thread"], ["wsgi", "asgi"])
        func votes(mode: String, gateway: String) throws {
            let server = try AppServer(Self.configuration(mode, gateway))
            let visitor = try PollsVisitor(server)

            let index = try visitor.get("/")
            #expect(index.status == 200)
            #expect(index["content-type"] == "text/html; charset=utf-8")
            #expect(index["x-content-type-options"] == "nosniff")
            #expect(index.text.contains("How should a server restart?"))

            let detail = try visitor.get("/1/")
            #expect(detail.status == 200)
            #expect(detail.text.contains("The sky"))

            let empty = try visitor.vote(1, choice: nil)
            #expect(empty.status == 200)
            #expect(empty.text.contains("You didn’t select a choice."))

            let vote = try visitor.vote(1, choice: "2")
            #expect([302, 303].contains(vote.status))
            let results = try #require(vote["location"])
            #expect(results == "/1/results/")
            let page = try visitor.get(results)
            #expect(page.status == 200)
            #expect(page.text.contains("1 vote, 100"))

            #expect(try visitor.post("/1/vote/", form: "choice=2").status == 403, "a vote without token")
            #expect(try server.get("/1/vote/").status == 405)
            #expect(try server.get("/99/").status == 404)
            #expect(try server.get("/1/results/").text.contains("1 vote in all"), "the refused vote did not count")
            try server.stop()
        }

        @Test(arguments: ["process", "thread"])
        func gatewaysGiveTheSamePages(mode: String) throws {
            let transcripts = try ["wsgi", "asgi"].map { gateway in
                let server = try AppServer(Self.configuration(mode, gateway))
                let visitor = try PollsVisitor(server)
                for path in ["/", "/1/", "/99/", "/static/polls/style.css"] { _ = try visitor.get(path) }
                _ = try visitor.vote(2, choice: nil)
                _ = try visitor.vote(2, choice: "4")
                _ = try visitor.get("/2/results/")
                _ = try visitor.post("/2/vote/", form: "")
                try server.stop()
                return visitor.transcript
            }
            for (wsgi, asgi) in zip(transcripts[0], transcripts[1]) { #expect(wsgi == asgi) }
            #expect(transcripts[0].count == transcripts[1].count)
        }

        @Test func everyVoteCounts() throws {
            let server = try AppServer(Self.configuration("process", "wsgi"))
            let visitors = try (0..<8).map { _ in try PollsVisitor(server) }
            for _ in 0..<5 {
                for visitor in visitors { #expect([302, 303].contains(try visitor.vote(3, choice: "7").status)) }
            }
            #expect(try server.get("/3/results/").text.contains("40 votes in all"))
            try server.stop()
        }
    }
}
