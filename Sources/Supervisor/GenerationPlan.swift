import Platform

/// What a generation of workers consists of, before anything is opened or started for it.
public struct GenerationPlan: Equatable, Sendable {
    public var options: SupervisorOptions
    /// Where its workers accept.
    public var listeners: [ListenAddress]
    /// Bytes for every worker (``WorkerControl/payload``).
    public var payload: [UInt8]
    /// Files whose change asks for a reload, absolute paths.
    public var watched: [String]

    public init(options: SupervisorOptions, listeners: [ListenAddress], payload: [UInt8], watched: [String] = []) {
        self.options = options
        self.listeners = listeners
        self.payload = payload
        self.watched = watched
    }

    /// For the program that asked for a plan, which may be of an earlier version.
    public var encoded: [UInt8] {
        var records = [Record("plan", ["version": "1"]), Record("options", encoding: options)]
        records += listeners.map { Record("listen", ["address": $0.description]) }
        records += watched.map { Record("watch", ["path": $0]) }
        return Array((records.map(\.line).joined(separator: "\n") + "\n\n").utf8) + payload
    }

    /// Nil when the bytes are not what ``encoded`` makes.
    public init?(_ bytes: [UInt8]) {
        guard let gap = bytes.indices.dropLast().first(where: { bytes[$0] == 10 && bytes[$0 + 1] == 10 }),
            let records = Record.document(String(decoding: bytes[...gap], as: UTF8.self)),
            records.first == Record("plan", ["version": "1"]),
            let options = records.first(where: { $0.word == "options" }).flatMap(SupervisorOptions.init)
        else { return nil }
        self.options = options
        payload = Array(bytes[(gap + 2)...])
        listeners = []
        watched = []
        for record in records {
            switch record.word {
            case "listen":
                guard let address = record["address"].flatMap({ ListenAddress($0) }) else { return nil }
                listeners.append(address)
            case "watch":
                guard let path = record["path"] else { return nil }
                watched.append(path)
            default: continue
            }
        }
    }
}

/// Makes the plan of the next generation from the configuration as it is now; given the payload of the present one. Called on a
/// thread of its own.
public typealias GenerationPlanner = @Sendable (_ payload: [UInt8]) throws(GenerationError) -> GenerationPlan

/// Why there is no new generation.
public struct GenerationError: Error, Equatable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}

extension Record {
    /// How a pool is kept.
    init(_ word: String, encoding options: SupervisorOptions) {
        self.init(word)
        set("workers", options.workers)
        set("fewest", options.bounds.lowerBound)
        set("most", options.bounds.upperBound)
        set("elastic", options.isElastic ? 1 : 0)
        set("surge", options.surge)
        set("max-requests", options.maxRequests)
        set("max-memory", options.maxMemory)
        set("jitter", options.jitter)
        set("boot-attempts", options.bootAttempts)
        for (name, path) in SupervisorOptions.durations { set(name, options[keyPath: path].wholeNanoseconds) }
        set("max-age", options.maxAge?.wholeNanoseconds)
        set("stuck", options.stuck?.wholeNanoseconds)
    }
}

extension SupervisorOptions {
    fileprivate static var durations: [(name: String, path: WritableKeyPath<SupervisorOptions, Duration>)] {
        [
            ("start", \.start), ("drain", \.drain), ("linger", \.linger),
            ("idle", \.idle), ("pre-drain", \.preDrain), ("ending", \.ending), ("backoff", \.backoff),
            ("backoff-cap", \.backoffCap), ("stable-after", \.stableAfter), ("kill-grace", \.killGrace),
        ]
    }

    /// Nil when something is missing that every version writes.
    init?(_ record: Record) {
        guard let workers = record.integer("workers", as: Int.self),
            let fewest = record.integer("fewest", as: Int.self), let most = record.integer("most", as: Int.self),
            (1...most).contains(fewest)
        else { return nil }
        self.init(workers: workers, start: .zero, drain: .zero)
        for (name, path) in Self.durations {
            if let value = record.integer(name, as: Int64.self) { self[keyPath: path] = .nanoseconds(value) }
        }
        bounds = fewest...most
        isElastic = record["elastic"] == "1"
        surge = record.integer("surge") ?? surge
        maxRequests = record.integer("max-requests")
        maxMemory = record.integer("max-memory")
        jitter = record.integer("jitter") ?? jitter
        bootAttempts = record.integer("boot-attempts") ?? bootAttempts
        maxAge = record.integer("max-age", as: Int64.self).map { .nanoseconds($0) }
        stuck = record.integer("stuck", as: Int64.self).map { .nanoseconds($0) }
    }
}
