import Platform
import TestSupport
import Testing

/// An ASGI application with everything that outlives a request: an event stream at `/events`, a WebSocket that echoes, work
/// after a response at `/background`. It prints what it is told, and takes its time to put things away.
let lastingApplication = """
    import asyncio

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            print("lifespan shutdown")
            await send({"type": "lifespan.shutdown.complete"})
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            while (event := await receive())["type"] == "websocket.receive":
                await send({"type": "websocket.send", "text": event["text"]})
            print("told", event["type"], event["code"])
            await asyncio.sleep(0.2)
            print("socket put away")
        elif scope["path"] == "/events":
            await events(receive, send)
        else:
            body = b"ok"
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
            await send({"type": "http.response.body", "body": body})
            if scope["path"] == "/background":
                print("begun")
                await asyncio.sleep(0.5)
                print("background done")

    async def events(receive, send):
        async def tick():
            await send({
                "type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")],
            })
            count = 0
            while True:
                await send({"type": "http.response.body", "body": b"data: %d\\n\\n" % count, "more_body": True})
                count += 1
                await asyncio.sleep(0.01)

        ticking = asyncio.ensure_future(tick())
        try:
            while (event := await receive())["type"] != "http.disconnect":
                pass
            print("told", event["type"])
        finally:
            ticking.cancel()
            await asyncio.sleep(0.2)
            print("stream put away")

    """

extension EndToEnd {
    /// How a server takes leave of those who would stay for ever.
    @Suite struct Goodbyes {
        @Test(arguments: bothModes)
        func streamsEndInOrderAndApplicationsPutThingsAway(_ mode: [String]) throws {
            let server = try Folder.pythonServer(lastingApplication, arguments: mode)
            let stream = try server.connect()
            try stream.send("GET /events HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n")
            let head = try stream.receive(toHead: true)
            // A compressed stream has an end of its own.
            #expect(head["content-encoding"] == "gzip")
            var compressed = try #require(try stream.receiveChunk())
            let socket = try server.connect()
            #expect(try socket.openSocket("/socket").status == 101)
            try socket.sendFrame(0x81, Array("hello".utf8))
            #expect(try socket.receiveFrame().payload == Array("hello".utf8))

            try server.startStopping()
            while let chunk = try stream.receiveChunk() { compressed += chunk }
            #expect(try stream.isAtEnd())
            #expect(Self.isWholeGzip(compressed, in: server.folder))
            let frame = try socket.receiveFrame()
            #expect(frame.first == 0x88 && frame.payload.prefix(2) == [0x03, 0xF4])
            #expect(try server.process.waitForEnd() == .exited(0), "\(server.errors)")
            for text in [
                "told http.disconnect", "stream put away", "told websocket.disconnect 1012", "socket put away",
            ] {
                #expect(server.errors.contains(text), "\(text): \(server.errors)")
            }
            #expect(!server.errors.contains("cut off") && !server.errors.contains("Error"), "\(server.errors)")
            // Only when everybody has gone.
            let end = try #require(server.errors.ranges(of: "lifespan shutdown").first)
            #expect(!server.errors[end.upperBound...].contains("put away"))
        }

        private static func isWholeGzip(_ bytes: [UInt8], in folder: Folder) -> Bool {
            do {
                try folder.write(bytes, to: "stream.gz")
                return try Command.run(["gzip", "--test", folder["stream.gz"]]).status == .exited(0)
            } catch {
                Issue.record(error)
                return false
            }
        }

        @Test func workAfterTheResponseIsWaitedFor() throws {
            let server = try Folder.pythonServer(lastingApplication)
            #expect(try server.get("/background").text == "ok")
            try eventually("it has begun") { server.errors.contains("begun") }
            try server.stop()
            #expect(server.errors.contains("background done"), "\(server.errors)")
        }
    }
}
