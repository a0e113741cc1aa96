import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// The live results of polls over real sockets, in both modes.
    @Suite struct WebSockets {
        /// Whoever watches sees the votes that other workers count.
        @Test(arguments: ["process", "thread"])
        func resultsFollowTheVotes(mode: String) throws {
            let server = try AppServer(PollsPages.configuration(mode, "asgi"))
            let watchers = try (0..<4).map { _ in try server.connect() }
            for watcher in watchers {
                #expect(try watcher.openSocket("/1/live/").status == 101)
                #expect(try text(watcher, containing: "in all").contains("0 votes in all."))
            }
            let visitors = try (0..<4).map { _ in try PollsVisitor(server) }
            for (count, visitor) in visitors.enumerated() {
                #expect([302, 303].contains(try visitor.vote(1, choice: "2").status))
                for watcher in watchers { _ = try text(watcher, containing: "\(count + 1) vote") }
            }
            try server.stop()
            #expect(server.log.contains("\"GET /1/live/ HTTP/1.1\" 101"), "\(server.log)")
        }

        /// S10: a server that stops says so, and does not wait for clients that are slow to answer.
        @Test(arguments: ["process", "thread"])
        func stopsWith1012(mode: String) throws {
            let server = try AppServer(PollsPages.configuration(mode, "asgi"))
            let polite = try server.connect()
            let silent = try server.connect()
            for client in [polite, silent] {
                #expect(try client.openSocket("/1/live/").status == 101)
                _ = try text(client, containing: "in all")
            }
            try server.startStopping()
            for client in [polite, silent] {
                let frame = try client.receiveFrame()
                #expect(frame.first == 0x88 && frame.payload.prefix(2) == [0x03, 0xF4], "\(frame)")
            }
            try polite.sendFrame(0x88, [0x03, 0xF4])
            #expect(try polite.isAtEnd())
            #expect(try server.process.waitForEnd() == .exited(0), "\(server.errors)")
            #expect(!server.errors.contains("cut off"), "\(server.errors)")
            #expect(try silent.isAtEnd())
        }

        /// A page of another site is not let in; a plain request is told what the address is for.
        @Test func refusals() throws {
            let server = try AppServer(PollsPages.configuration("thread", "asgi"))
            let foreign = try server.connect().openSocket("/1/live/", ["Origin: https://evil.example"])
            #expect(foreign.status == 403 && foreign["connection"] == "close")
            #expect(try server.connect().openSocket("/999/live/").status == 404)
            let plain = try server.get("/1/live/")
            #expect(plain.status == 426 && plain["upgrade"] == "websocket")
            let old = try server.get(
                "/1/live/", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 7")
            #expect(old.status == 426 && old["sec-websocket-version"] == "13")
            // A file at whose path nobody speaks WebSocket is served as ever.
            let file = try server.connect().openSocket("/static/polls/style.css")
            #expect(file.status == 200)
            try server.stop()
        }

        @Test func limitsAreConfigured() throws {
            let server = try AppServer(
                PollsPages.configuration("thread", "asgi"),
                ["--set", "websocket.max-size=10B", "--set", "websocket.ping-interval=50ms"])
            let client = try server.connect()
            #expect(try client.openSocket("/1/live/").status == 101)
            var frame = try client.receiveFrame()
            while frame.first != 0x89 { frame = try client.receiveFrame() }
            try client.sendFrame(0x81, Array("eleven char".utf8))
            while frame.first != 0x88 { frame = try client.receiveFrame() }
            #expect(frame.payload.prefix(2) == [0x03, 0xF1])
            try server.stop()
        }

        /// The next text that has `part` in it.
        private func text(_ client: WireConnection, containing part: String) throws -> String {
            while true {
                let frame = try client.receiveFrame()
                try #require(frame.first == 0x81)
                let text = String(decoding: frame.payload, as: UTF8.self)
                if text.contains(part) { return text }
            }
        }
    }
}
