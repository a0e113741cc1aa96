import Glibc
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// The ways to listen, and how many may come.
    @Suite struct Listeners {
        private func folder(_ extra: String = "") throws -> Folder {
            let folder = try Folder()
            try folder.write(
                """
                base:
                  workers: {count: 1}
                  timeouts: {header: 1h, keep-alive: 1h}
                  routes: [{path: /, respond: pong}]
                \(extra)
                """, to: "app.yaml")
            return folder
        }

        @Test(arguments: ["process", "thread"])
        func severalAtOnce(mode: String) throws {
            let folder = try folder()
            var addresses = ["127.0.0.1:0", "unix:app.sock"]
            if Machine.hasIPv6 { addresses.append("[::1]:0") }
            let server = try AppServer(
                in: folder, ["--mode", mode, "--ready-file", "ready"] + addresses.flatMap { ["--listen", $0] },
                listeners: addresses.count)
            for endpoint in server.endpoints {
                #expect(try WireConnection(endpoint).get("/").text == "pong", "\(endpoint)")
            }
            try eventually("the ready file") { folder.has("ready") }
            #expect(try folder.text(of: "ready") == server.endpoints.map { $0.url + "\n" }.joined())
            try server.stop()
            #expect(!folder.has("app.sock"), "the socket's file goes with the server")
        }

        @Test(arguments: ["process", "thread"])
        func anInheritedDescriptor(mode: String) throws {
            let socket = try Endpoint.ipv4(0).listening()
            let server = try AppServer(
                in: try folder(), ["--mode", mode, "--listen", "fd:3"], descriptors: [(socket.rawValue, 3)])
            #expect(try server.get("/").text == "pong")
            try server.stop()
        }

        @Test func socketActivation() throws {
            let socket = try Endpoint.ipv4(0).listening()
            let second = try Endpoint.ipv4(0).listening()
            // As systemd does: the variables name the very process that is started.
            let server = try AppServer(
                in: try folder(), prefix: ["sh", "-c", "LISTEN_FDS=2 LISTEN_PID=$$ exec \"$@\"", "sh"],
                descriptors: [(socket.rawValue, 3), (second.rawValue, 4)], listeners: 2)
            for endpoint in server.endpoints { #expect(try WireConnection(endpoint).get("/").text == "pong") }
            try server.stop()
        }

        @Test func theConnectionLimitMakesOthersWait() throws {
            let server = try AppServer(
                in: try folder("  limits: {connections: 5}"), ["--mode", "thread", "--listen", "127.0.0.1:0"])
            // Five that are in the middle of a request, so that none of them is idle.
            let busy = try (0..<5).map { _ in try server.connect() }
            for (index, connection) in busy.enumerated() {
                #expect(try connection.get("/warm\(index)").text == "pong")
                try connection.send("GET /busy\(index) HTTP/1.1\r\n")
            }
            let sixth = try server.connect()
            try sixth.send("GET /sixth HTTP/1.1\r\nHost: a\r\n\r\n")
            try busy[0].send("Host: a\r\nConnection: close\r\n\r\n")
            #expect(try busy[0].receive().text == "pong")
            #expect(try sixth.receive().text == "pong")
            try eventually("the access log") { server.log.contains("/sixth") && server.log.contains("/busy0") }
            let log = server.log
            let first = try #require(log.split(separator: "\n").firstIndex { $0.contains("/busy0") })
            let last = try #require(log.split(separator: "\n").firstIndex { $0.contains("/sixth") })
            #expect(first < last, "the sixth was let in when one had gone")
            for connection in busy.dropFirst() {
                try connection.send("Host: a\r\n\r\n")
                #expect(try connection.receive().text == "pong", "the others were left alone")
            }
            try server.stop()
        }

        @Test(arguments: ["process", "thread"])
        func runningOutOfDescriptorsIsSurvived(mode: String) throws {
            let server = try AppServer(
                in: try folder(), ["--mode", mode, "--listen", "127.0.0.1:0"],
                prefix: ["sh", "-c", "ulimit -n 40 && exec \"$@\"", "sh"])
            var crowd: [WireConnection] = []
            for _ in 0..<60 {
                let connection = try server.connect()
                try connection.send("GET / HTTP/1.1\r\n")
                crowd.append(connection)
            }
            try eventually("descriptors run out") { server.errors.contains("cannot accept: ") }
            try crowd[0].send("Host: a\r\n\r\n")
            #expect(try crowd[0].receive().text == "pong", "who is connected is served")
            crowd = []
            #expect(try server.get("/").text == "pong", "and others, once there is room")
            try server.stop()
        }
    }
}
