import Config
import NIOCore
import Server
import Testing

@testable import Portico

@Suite struct ServerOptionsTests {
    private func options(_ yaml: String) throws -> ServerOptions { ServerOptions(try configuration(yaml).settings) }

    private static let route = "routes: [{path: /, respond: hello}]"

    @Test func limitsAndTimeouts() throws {
        let options = try options(
            """
            base:
              \(Self.route)
              limits: {header-size: 32KiB, headers: 50, target-size: 1KiB, body-size: 2MiB}
              timeouts: {header: 1s, body: 2s, write: 3s, keep-alive: 1500ms}
            """)
        #expect(options.limits.headerSize == 32 << 10)
        #expect(options.limits.fieldCount == 50)
        #expect(options.limits.targetSize == 1 << 10)
        #expect(options.limits.bodySize == 2 << 20)
        #expect(options.timeouts.header == .seconds(1))
        #expect(options.timeouts.body == .seconds(2))
        #expect(options.timeouts.write == .seconds(3))
        #expect(options.timeouts.keepAlive == .milliseconds(1500))
    }

    /// The limit is a process's; its event loops share it.
    @Test(arguments: [
        ("{mode: process, count: 4}", 1000, 1000), ("{mode: thread, count: 4}", 1000, 250),
        ("{mode: thread, count: 4}", 2, 1),
    ])
    func connections(_ workers: String, _ limit: Int, _ each: Int) throws {
        let options = try options("base: {\(Self.route), workers: \(workers), limits: {connections: \(limit)}}")
        #expect(options.connectionLimit == each)
    }

    @Test func connectionsByDescriptors() throws {
        let options = try options("base: {\(Self.route), limits: {connections: auto}}")
        #expect(options.connectionLimit >= 64)
    }

    @Test(arguments: [("true", "portico"), ("false", nil), ("shop", "shop")])
    func serverField(_ text: String, _ field: String?) throws {
        #expect(try options("base: {\(Self.route), server-header: \(text)}").serverField == field)
    }
}
