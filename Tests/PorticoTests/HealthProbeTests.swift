import ArgumentParser
import Config
import Foundation
import Platform
import Supervisor
import TestSupport
import Testing

@testable import Portico

@Suite struct HealthProbeAddressTests {
    @Test(arguments: [
        ("http://127.0.0.1:8000/readyz", "127.0.0.1", 8000, "/readyz"),
        ("http://127.0.0.1:8000", "127.0.0.1", 8000, "/livez"),
        ("http://example.org/", "example.org", 80, "/"),
        ("http://example.org", "example.org", 80, "/livez"),
        ("http://[::1]:8080/a/b?c=d", "::1", 8080, "/a/b?c=d"),
        ("http://[::1]", "::1", 80, "/livez"),
    ])
    func urls(_ url: String, _ host: String, _ port: Int, _ path: String) throws {
        let probe = try HealthProbe(url: url, path: "/livez")
        #expect(probe.host == host)
        #expect(probe.port.map(Int.init) == port)
        #expect(probe.path == path)
        #expect(probe.socketPath == nil)
    }

    @Test func unixSocket() throws {
        let probe = try HealthProbe(url: "unix:/run/app.sock", path: "/livez")
        #expect(probe.socketPath == "/run/app.sock")
        #expect(probe.path == "/livez")
        #expect(probe.description == "unix:/run/app.sock")
    }

    @Test(arguments: [
        "", "127.0.0.1:8000", "https://127.0.0.1/", "http://", "http:///livez", "http://:8000/", "http://host:port/",
        "http://host:65536/", "http://user@host/", "http://[::1/",
    ])
    func refused(_ url: String) {
        #expect(throws: ValidationError.self) { try HealthProbe(url: url, path: "/livez") }
    }

    @Test(arguments: [
        ("127.0.0.1:8000", "http://127.0.0.1:8000/livez"),
        ("0.0.0.0:8000", "http://127.0.0.1:8000/livez"),
        (":8000", "http://127.0.0.1:8000/livez"),
        ("[::]:8000", "http://[::1]:8000/livez"),
        ("[::1]:81", "http://[::1]:81/livez"),
        ("localhost:81", "http://localhost:81/livez"),
        ("unix:/run/app.sock", "unix:/run/app.sock"),
    ])
    func listeners(_ listener: String, _ description: String) throws {
        let parsed = Config.ListenAddress(parsing: listener)
        let address = try #require(parsed)
        #expect(try HealthProbe(address, path: "/livez").description == description)
    }

    @Test func anInheritedSocketCannotBeAsked() {
        #expect(throws: ValidationError.self) { try HealthProbe(.inherited(descriptor: 3), path: "/livez") }
    }
}

/// Answers one connection with `answer` whatever was asked, then closes it; what was asked is kept.
private final class OneAnswer: Sendable {
    let socket: ListeningSocket
    private let question = Blocker()

    init(_ answer: String, on address: Platform.ListenAddress = .tcp(host: "127.0.0.1", port: 0)) throws {
        let socket = try ListeningSocket.bind(address)
        self.socket = socket
        let question = question
        Thread.detachNewThread {
            var waiting = pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, 60_000) == 1, let raw = try? ListeningSocket.accept(from: socket.descriptor) else {
                return question.open("")
            }
            let connection = Descriptor(adopting: raw)
            try? connection.setNonBlocking(false)
            var text = ""
            var buffer = [UInt8](repeating: 0, count: 1024)
            while !text.hasSuffix("\r\n\r\n") {
                let count = read(connection.rawValue, &buffer, buffer.count)
                guard count > 0 else { break }
                text += String(decoding: buffer[..<count], as: UTF8.self)
            }
            try? connection.writeAll(Array(answer.utf8))
            question.open(text)
        }
    }

    /// What was asked.
    var request: String { question.value() }

    func probe(path: String = "/livez") throws -> HealthProbe {
        let url = socket.address.url()
        return try HealthProbe(url: url.hasSuffix("/") ? String(url.dropLast()) : url, path: path)
    }
}

/// A text that another thread brings.
private final class Blocker: @unchecked Sendable {
    private let condition = NSCondition()
    private var text: String?

    func open(_ text: String) {
        condition.withLock {
            self.text = text
            condition.broadcast()
        }
    }

    func value() -> String {
        condition.withLock {
            while true {
                if let text { return text }
                condition.wait()
            }
        }
    }
}

@Suite struct HealthProbeAskingTests {
    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200), ("HTTP/1.1 503 Service Unavailable\r\n\r\n", 503),
        ("HTTP/1.0 204\r\n\r\n", 204), ("HTTP/1.1 404 Not Found\n\n", 404),
    ])
    func status(_ answer: String, _ status: Int) throws {
        let server = try OneAnswer(answer)
        #expect(try server.probe().ask(within: .seconds(60)) == status)
    }

    @Test func theRequestIsWhole() throws {
        let server = try OneAnswer("HTTP/1.1 200 OK\r\n\r\n")
        let probe = try server.probe(path: "/readyz")
        _ = try probe.ask(within: .seconds(60))
        let port = try #require(probe.port)
        #expect(
            server.request
                == "GET /readyz HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\nUser-Agent: app-health\r\n\r\n"
        )
    }

    @Test func overAUnixSocket() throws {
        let directory = try Folder()
        let path = directory["s"]
        let server = try OneAnswer("HTTP/1.1 200 OK\r\n\r\n", on: .unix(path: path))
        #expect(try HealthProbe(url: "unix:\(path)", path: "/livez").ask(within: .seconds(60)) == 200)
        #expect(server.request.contains("Host: localhost\r\n"))
    }

    @Test(arguments: ["", "\r\n", "hello\r\n", "HTTP/2 200\r\n", "HTTP/1.1 fine\r\n", "HTTP/1.1 200"])
    func notHTTP(_ answer: String) throws {
        let probe = try OneAnswer(answer).probe()
        #expect {
            try probe.ask(within: .seconds(60))
        } throws: { error in
            error as? StatusRequest.Failure == .noHTTP
        }
    }

    /// The kernel accepts for a listener that nobody serves; the answer never comes.
    @Test func silence() throws {
        let socket = try ListeningSocket.bind(.tcp(host: "127.0.0.1", port: 0))
        let probe = try HealthProbe(url: socket.address.url(), path: "/livez")
        #expect {
            try probe.ask(within: .milliseconds(50))
        } throws: { error in
            error as? StatusRequest.Failure == .socket(.timedOut)
        }
    }

    @Test func nobodyListens() throws {
        // Bound, so that nobody else has the port, and not listening.
        let socket = Descriptor(adopting: socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        withUnsafeBytes(of: &address) { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) {
                _ = bind(socket.rawValue, $0.baseAddress, socklen_t(bytes.count))
            }
        }
        let probe = try HealthProbe(url: SocketAddress.local(of: socket.rawValue).url(), path: "/livez")
        #expect {
            try probe.ask(within: .seconds(60))
        } throws: { error in
            "\(error)" == "Connection refused"
        }
    }

    @Test func aPathTooLongForASocket() throws {
        let probe = try HealthProbe(url: "unix:/" + String(repeating: "x", count: 200), path: "/livez")
        #expect {
            try probe.ask(within: .seconds(1))
        } throws: { error in
            "\(error)" == "the socket's path is too long"
        }
    }
}
