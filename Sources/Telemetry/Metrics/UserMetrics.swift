/// What the code of sites has counted, of one worker or several together.
public struct UserMetrics: Equatable, Sendable {
    struct Key: Hashable, Sendable {
        let kind: MetricTable.Kind
        let name: String
        let labels: String
    }

    enum Value: Equatable, Sendable {
        case count(UInt64)
        case number(Double)
        case sum(count: UInt64, sum: Double)
        case durations(DurationHistogram)
    }

    var values: [Key: Value] = [:]
    /// Metrics that found no room.
    public var dropped: UInt64 = 0

    public init() {}

    /// Adds another's; gauges too, which are then what all workers have together.
    mutating func merge(_ other: UserMetrics) {
        dropped &+= other.dropped
        for (key, value) in other.values {
            values[key] =
                switch (values[key], value) {
                case (.count(let a)?, .count(let b)): .count(a &+ b)
                case (.number(let a)?, .number(let b)): .number(a + b)
                case (.sum(let count, let sum)?, .sum(let others, let otherSum)):
                    .sum(count: count &+ others, sum: sum + otherSum)
                case (.durations(var a)?, .durations(let b)):
                    {
                        a.merge(b)
                        return .durations(a)
                    }()
                case (_, let value): value
                }
        }
    }

    /// Without what was only true while the worker lived.
    var past: UserMetrics {
        var past = self
        past.values = past.values.filter { $0.key.kind != .gauge }
        return past
    }
}

extension PrometheusText {
    /// The bounds of user code's timers, in nanoseconds.
    private static let timerBounds: [UInt64] = [
        100_000, 500_000, 1_000_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000,
        500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000, 30_000_000_000,
    ]

    /// What user code has counted. A name that is taken already, by the server or by a metric of another kind, is left out.
    mutating func append(_ metrics: UserMetrics) {
        let families = Dictionary(grouping: metrics.values, by: { Self.name($0.key) })
        for name in families.keys.sorted() where !names.contains(name) {
            let members = (families[name] ?? []).sorted {
                ($0.key.kind.rawValue, $0.key.labels) < ($1.key.kind.rawValue, $1.key.labels)
            }
            guard let kind = members.first?.key.kind else { continue }
            family(name, Self.kind(kind), "Counted by the sites.")
            for (key, value) in members where key.kind == kind {
                let labels = Self.labels(key.labels)
                switch value {
                case .count(let count): sample(name, labels, count)
                case .number(let number): sample(name, labels, number)
                case .sum(let count, let sum):
                    sample(name + "_sum", labels, sum)
                    sample(name + "_count", labels, count)
                case .durations(let durations): histogram(name, labels, durations, Self.timerBounds)
                }
            }
        }
        family("portico_metrics_dropped_total", .counter, "Metrics of the sites that found no room.")
        sample("portico_metrics_dropped_total", [], metrics.dropped)
    }

    private static func kind(_ kind: MetricTable.Kind) -> Kind {
        switch kind {
        case .counter, .floatingCounter: .counter
        case .gauge: .gauge
        case .summary: .summary
        case .timer: .histogram
        }
    }

    /// A name as Prometheus allows it: what it does not becomes `_`; a timer's says that it is in seconds.
    private static func name(_ key: UserMetrics.Key) -> String {
        let name = identifier(key.name, colons: true)
        switch key.kind {
        case .timer: return name.hasSuffix("_seconds") ? name : name + "_seconds"
        default: return name
        }
    }

    private static func labels(_ text: String) -> [(String, String)] {
        guard !text.isEmpty else { return [] }
        let parts = text.components(separatedBy: MetricTable.separator)
        return stride(from: 0, to: parts.count - 1, by: 2).map { (identifier(parts[$0], colons: false), parts[$0 + 1]) }
    }

    private static func identifier(_ text: String, colons: Bool) -> String {
        var result = String(
            text.unicodeScalars.map { scalar -> Character in
                switch scalar {
                case "a"..."z", "A"..."Z", "0"..."9", "_": Character(scalar)
                case ":" where colons: ":"
                default: "_"
                }
            })
        if let first = result.unicodeScalars.first, ("0"..."9").contains(first) { result = "_" + result }
        return result
    }
}

extension String {
    fileprivate func components(separatedBy separator: String) -> [String] {
        split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    }
}
