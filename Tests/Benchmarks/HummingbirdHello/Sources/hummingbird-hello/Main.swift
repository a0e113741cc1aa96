import Hummingbird

/// The peer: Hummingbird's own getting-started program, answering the 13 bytes every peer answers.
/// The port is the first argument.
@main
struct Main {
    static func main() async throws {
        let port = CommandLine.arguments.dropFirst().first.flatMap(Int.init) ?? 8080
        let router = Router()
        router.get("/") { _, _ in "Hello, World!" }
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)))
        try await application.runService()
    }
}
