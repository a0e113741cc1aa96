import Gateway
import HTTP
import Logging
import NIOCore
import NIOPosix
import Synchronization

#if canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// The loops that all tests share.
private let loops = MultiThreadedEventLoopGroup(numberOfThreads: 2)

/// One of the loops that all tests share.
func anyLoop() -> any EventLoop { loops.next() }

/// A WSGI application out of a function.
struct WSGIFunction: WSGIApplication {
    let body: @Sendable (Environ, StartResponse) throws -> any WSGIBody

    init(_ body: @escaping @Sendable (Environ, StartResponse) throws -> any WSGIBody) { self.body = body }

    func callAsFunction(_ environ: Environ, _ startResponse: StartResponse) throws -> any WSGIBody {
        try body(environ, startResponse)
    }
}

/// An ASGI application out of a function.
struct ASGIFunction: ASGIApplication {
    let body: @Sendable (Scope, Receive, Send) async throws -> Void

    init(_ body: @escaping @Sendable (Scope, Receive, Send) async throws -> Void) { self.body = body }

    func callAsFunction(_ scope: Scope, _ receive: Receive, _ send: Send) async throws {
        try await body(scope, receive, send)
    }
}

/// What an application of a test fails with.
struct Failure: Error, Equatable {}

/// A number that tests count in.
final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    var value: Int { count.load(ordering: .sequentiallyConsistent) }

    @discardableResult
    func increment() -> Int { count.add(1, ordering: .sequentiallyConsistent).newValue }
}

/// Whether it is open: threads wait before it, tests open it.
final class Gate: Sendable {
    private let promise: EventLoopPromise<Void>

    init() { promise = anyLoop().makePromise() }

    func open() { promise.succeed() }

    /// Blocks the calling thread.
    func wait() { try? promise.futureResult.wait() }

    func opened() async { try? await promise.futureResult.get() }
}

/// Keeps what is logged.
final class LogRecorder: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    var logger: Logger { Logger(label: "test") { _ in Handler(recorder: self) } }

    private struct Handler: LogHandler {
        let recorder: LogRecorder
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let fields = (event.metadata ?? [:]).map { "\($0)=\($1)" }.sorted().joined(separator: " ")
            recorder.lines.withLock { $0.append("\(event.level) \(event.message) \(fields)") }
        }
    }
}

/// A body of given pieces, that counts how often it was asked and closed.
struct PiecesBody: WSGIBody {
    var pieces: [Result<String, Failure>]
    let asked: Counter
    let closed: Counter

    init(_ pieces: [Result<String, Failure>], asked: Counter = Counter(), closed: Counter = Counter()) {
        self.pieces = pieces
        self.asked = asked
        self.closed = closed
    }

    init(_ pieces: String..., closed: Counter = Counter()) { self.init(pieces.map { .success($0) }, closed: closed) }

    mutating func next() throws -> ByteBuffer? {
        asked.increment()
        return pieces.isEmpty ? nil : ByteBuffer(string: try pieces.removeFirst().get())
    }

    mutating func close() { closed.increment() }
}

/// One request to a synchronous application: what came out, and what was logged.
struct WSGIOutcome {
    var events: [FakeExchange.Event]
    var log: [String]
}

/// Serves one request by `application` on a pool of its own, or inline, and waits until everything has come to rest.
func serve(
    _ request: RequestHead = RequestHead(.get, "/"), body: [BodyPart] = [.end], inline: Bool = false,
    application: @escaping @Sendable (Environ, StartResponse) throws -> any WSGIBody
) async throws -> WSGIOutcome {
    let pool = try ThreadPool(threads: 1, queueLimit: 8)
    let log = LogRecorder()
    let exchange = FakeExchange(request, on: anyLoop(), body: body)
    start(exchange, application, pool: pool, inline: inline, log: log)
    let events = await exchange.done()
    await drain(pool)
    return WSGIOutcome(events: events.filter { $0 != .flush }, log: log.all)
}

/// Hands `exchange` to a handler on its loop.
func start(
    _ exchange: FakeExchange, _ application: @escaping @Sendable (Environ, StartResponse) throws -> any WSGIBody,
    pool: ThreadPool, inline: Bool = false, bodyMemory: Int = 64 * 1024, directory: String = "/tmp",
    log: LogRecorder = LogRecorder()
) {
    exchange.eventLoop.execute {
        var options = WSGIHandler.Options()
        options.runsInline = inline
        options.bodyMemory = bodyMemory
        options.temporaryDirectory = directory
        let handler = WSGIHandler(
            WSGIFunction(application), on: exchange.eventLoop, pool: pool, options: options, logger: log.logger)
        handler.handle(exchange, scriptName: "/app", path: "/page")
    }
}

/// Hands `exchange` to an asynchronous application on its loop.
func start(
    _ exchange: FakeExchange, log: LogRecorder = LogRecorder(),
    _ application: @escaping @Sendable (Scope, Receive, Send) async throws -> Void
) {
    exchange.eventLoop.execute {
        let handler = ASGIHandler(ASGIFunction(application), on: exchange.eventLoop, logger: log.logger)
        handler.handle(exchange, scriptName: "/app", path: "/page")
    }
}

/// Waits, off the loops, until every job of `pool` has run.
func drain(_ pool: ThreadPool) async {
    await withUnsafeContinuation { continuation in
        NIOThreadPool.singleton.submit { _ in
            pool.shutdown()
            continuation.resume()
        }
    }
}

extension ResponseHead {
    static var plain: ResponseHead { ResponseHead(.ok, ["Content-Type": "text/plain"]) }
}

let plain: Fields = ["Content-Type": "text/plain"]

/// A descriptor to read `path` by.
func openForReading(_ path: String) throws -> Int32 {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure() }
    return descriptor
}
