import Gateway
import HTTP
import NIOCore
import Supervisor
import Telemetry

/// Answers on the admin listener.
final class AdminHandler: ExchangeHandler {
    /// What can be asked for.
    private enum Endpoint: String, CaseIterable {
        case live = "/livez"
        case ready = "/readyz"
        case metrics = "/metrics"
        case stats = "/stats"
        case status = "/status"
        case reload = "/reload"
        case stop = "/stop"
        case scale = "/scale"

        var isCommand: Bool {
            switch self {
            case .reload, .stop, .scale: true
            case .live, .ready, .metrics, .stats, .status: false
            }
        }
        var isHealth: Bool { self == .live || self == .ready }
    }

    private let source: ServerStatusSource
    private let commands: SupervisorCommands
    private let access: AdminAccess

    init(source: ServerStatusSource, commands: SupervisorCommands, access: AdminAccess) {
        self.source = source
        self.commands = commands
        self.access = access
    }

    func handle(_ exchange: any Exchange) {
        let request = exchange.request
        guard let endpoint = Endpoint(rawValue: request.string(request.rawPath)) else {
            let all = Endpoint.allCases.map { ($0.isCommand ? "POST " : "GET ") + $0.rawValue }
            return Self.answer(exchange, .notFound, "there is nothing here; there is:\n" + all.joined(separator: "\n"))
        }
        let address = exchange.connection.localAddress
        if let refusal = access.refusal(
            of: request, at: address, isCommand: endpoint.isCommand, isHealth: endpoint.isHealth)
        {
            return Self.answer(
                exchange, refusal.status, refusal.reason,
                refusal.status == 401 ? ["WWW-Authenticate": "Bearer"] : [:])
        }
        let isAllowed = endpoint.isCommand ? request.method == .post : request.method == .get || request.method == .head
        guard isAllowed else {
            let allowed: Fields = endpoint.isCommand ? ["Allow": "POST"] : ["Allow": "GET, HEAD"]
            return Self.answer(exchange, .methodNotAllowed, "try \(endpoint.isCommand ? "POST" : "GET")", allowed)
        }
        answer(exchange, endpoint)
    }

    private func answer(_ exchange: any Exchange, _ endpoint: Endpoint) {
        switch endpoint {
        case .live: Self.answer(exchange, .ok, "ok")
        case .ready:
            let status = source.read()
            Self.answer(
                exchange, status.isReady ? .ok : .serviceUnavailable,
                status.isReady ? "ok" : "not ready: \(status.phase)")
        case .metrics: send(exchange, PrometheusDocument.text(source.read()), PrometheusDocument.mediaType)
        case .stats: send(exchange, StatsDocument.json(source.read()).encoded, "application/json")
        case .status: send(exchange, StatusDocument.json(source.read()).encoded, "application/json")
        case .reload: reload(exchange)
        case .stop: command(.stop, exchange)
        case .scale: scale(exchange)
        }
    }

    // MARK: Commands

    /// With `?wait`, the answer is what came of it; without, that it was begun.
    private func reload(_ exchange: any Exchange) {
        let wait = query(exchange)["wait"]
        guard wait == nil || wait == "0" else { return command(.reload, exchange) }
        commands.send(.reload)
        Self.answer(exchange, 202, "reloading")
    }

    private func query(_ exchange: any Exchange) -> QueryValues {
        (try? QueryValues(parsing: exchange.request.query.utf8)) ?? QueryValues()
    }

    private func scale(_ exchange: any Exchange) {
        guard let number = query(exchange).int("workers"), (1...1024).contains(number) else {
            return Self.answer(exchange, .badRequest, "scale takes ?workers=N, a number from 1 to 1024")
        }
        command(.scale(to: number), exchange)
    }

    /// Sends a command and answers with what becomes of it.
    private func command(_ request: SupervisorCommands.Request, _ exchange: any Exchange) {
        let loop = exchange.eventLoop
        let waiting = NIOLoopBound(exchange, eventLoop: loop)
        commands.send(request) { outcome in
            loop.execute {
                switch outcome {
                case .done: Self.answer(waiting.value, .ok, "done")
                case .refused(let reason): Self.answer(waiting.value, 409, reason)
                case .failed(let reason): Self.answer(waiting.value, .internalServerError, reason)
                }
            }
        }
    }

    // MARK: Answers

    private static func answer(_ exchange: any Exchange, _ status: Status, _ text: String, _ more: Fields = [:]) {
        var fields = more
        fields.append("Content-Type", "text/plain; charset=utf-8")
        fields.append("Cache-Control", "no-store")
        exchange.respond(ResponseHead(status, fields), ByteBuffer(string: text + "\n"))
    }

    private func send(_ exchange: any Exchange, _ bytes: [UInt8], _ type: String) {
        var fields: Fields = ["Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"]
        fields.append("Content-Type", type)
        exchange.respond(ResponseHead(.ok, fields), ByteBuffer(bytes: bytes))
    }
}
