import Glibc
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// Portico with the programs people put before it: a browser, nginx.
    @Suite struct Neighbours {
        private static let configuration = """
            base:
              listen: 127.0.0.1:0
              workers: {mode: process, count: 2}
              secret-key: a-key-of-the-tests-that-is-long-enough-0123456789-abcdef
              sites: {polls: {swift: polls, database: polls.sqlite3}}
            """

        @Test(.enabled(if: Machine.has("chromium"), "Debian's chromium is not installed"), arguments: ["wsgi", "asgi"])
        func chromiumVotes(gateway: String) throws {
            let server = try AppServer(Self.configuration, ["--set", "sites.polls.gateway=\(gateway)"])
            // Through ASGI the results follow the votes, whichever of the workers counts them.
            let live = gateway == "asgi" ? ["--live"] : []
            let result = try Command.run(
                ["python3", "\(Command.package)/Tests/EndToEndTests/Browser/polls", server.endpoint.url + "/"] + live,
                in: server.folder.path, environment: ["HOME": server.folder.path, "PYTHONDONTWRITEBYTECODE": "1"])
            #expect(result.status == .exited(0), "\(result.errors)")
            #expect(result.output.contains("voted twice"), "\(result.output)")
            #expect(result.output.contains("by itself") == !live.isEmpty, "\(result.output)")
            try server.stop()
        }

        @Test(.enabled(if: Machine.has("nginx"), "Debian's nginx is not installed"))
        func nginxInFront() throws {
            let server = try AppServer(Self.configuration, ["--listen", "unix:app.sock"])
            let folder = server.folder
            let socket = folder["nginx.sock"]
            try folder.write(
                """
                daemon off;
                worker_processes 1;
                pid \(folder["nginx.pid"]);
                error_log stderr notice;
                events { worker_connections 64; }
                http {
                    access_log off;
                    client_body_temp_path \(folder["nginx-body"]);
                    proxy_temp_path \(folder["nginx-proxy"]);
                    fastcgi_temp_path \(folder["nginx-fastcgi"]);
                    uwsgi_temp_path \(folder["nginx-uwsgi"]);
                    scgi_temp_path \(folder["nginx-scgi"]);
                    upstream portico {
                        server unix:\(folder["app.sock"]);
                        keepalive 4;
                    }
                    server {
                        listen unix:\(socket);
                        location / {
                            proxy_pass http://portico;
                            proxy_http_version 1.1;
                            proxy_set_header Connection "";
                            proxy_set_header Host $http_host;
                        }
                    }
                }

                """, to: "nginx.conf")
            chmod(folder["app.sock"], 0o777)
            let user = Machine.isRoot ? ["-g", "user root;"] : []
            let nginx = try RunningProcess(
                ["nginx", "-e", "stderr", "-c", folder["nginx.conf"]] + user, in: folder.path, environment: [:])
            defer { kill(nginx.pid, SIGKILL) }
            try eventually("nginx listens; \(nginx.errors)") { (try? Endpoint.unix(socket).connected()) != nil }

            let visitor = try PollsVisitor(at: .unix(socket))
            for _ in 0..<10 { #expect(try visitor.get("/").status == 200) }
            for _ in 0..<3 { #expect([302, 303].contains(try visitor.vote(1, choice: "3").status)) }
            #expect(try visitor.get("/1/results/").text.contains("3 votes in all"))
            kill(nginx.pid, SIGTERM)
            #expect(try nginx.waitForEnd() == .exited(0), "\(nginx.errors)")
            try server.stop()
        }
    }
}
