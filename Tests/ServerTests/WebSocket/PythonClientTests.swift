import Glibc
import Platform
import Testing

@testable import Server

/// The library `websockets` of Python as the client: somebody else's reading of RFC 6455 and RFC 7692.
@Suite(.serialized) struct PythonClientTests {
    /// Where Tests/run has put the library.
    private static let python: String = {
        func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
        let cache = variable("XDG_CACHE_HOME") ?? (variable("HOME") ?? "") + "/.cache"
        return cache + "/portico-tests/websockets-17.4/bin/python"
    }()

    @Test(.enabled(if: access(python, X_OK) == 0, "Tests/run installs the library websockets"))
    func talks() throws {
        var options = ServerOptions()
        options.webSocket.maxSize = 4 << 20
        let server = try TestServer(options: options, echoSocket())
        defer { server.stop() }
        let folder = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(
            separator: "/")
        var pipe: [Int32] = [0, 0]
        try #require(Glibc.pipe(&pipe) == 0)
        let client = try ChildProcess.spawn(
            executable: Self.python,
            arguments: [Self.python, "\(folder)/Clients/websockets_client.py", "ws://127.0.0.1:\(server.port)/"],
            environment: ["PYTHONDONTWRITEBYTECODE": "1"], descriptors: [(pipe[1], 1), (pipe[1], 2)])
        close(pipe[1])
        var output: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while case let count = read(pipe[0], &piece, piece.count), count > 0 { output += piece[..<count] }
        close(pipe[0])
        #expect(try ChildProcess.wait(client) == .exited(0), "\(String(decoding: output, as: UTF8.self))")
        #expect(String(decoding: output, as: UTF8.self).hasSuffix("all went well\n"))
        #expect(eventually { server.openConnections == 0 })
    }
}
