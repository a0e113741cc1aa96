/// Lines of Prometheus' text format.
struct PrometheusText {
    enum Kind: String { case counter, gauge, histogram, summary }

    private(set) var bytes: [UInt8] = []
    /// Families that are there already: none may come twice.
    private(set) var names: Set<String> = []

    mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        names.insert(name)
        line("# HELP \(name) \(Self.escaped(help, quotes: false))")
        line("# TYPE \(name) \(kind.rawValue)")
    }

    mutating func sample(_ name: String, _ labels: [(String, String)], _ value: UInt64) {
        line("\(name)\(Self.text(labels)) \(value)")
    }

    mutating func sample(_ name: String, _ labels: [(String, String)], _ value: Double) {
        line("\(name)\(Self.text(labels)) \(Self.number(value))")
    }

    /// A histogram of seconds with these bounds, each of which must be one of ``DurationBuckets``' or lie between two.
    mutating func histogram(
        _ name: String, _ labels: [(String, String)], _ histogram: DurationHistogram, _ bounds: [UInt64]
    ) {
        var below: UInt64 = 0
        var index = 0
        for bound in bounds {
            while index < DurationBuckets.bounds.count, DurationBuckets.bounds[index] <= bound {
                below &+= histogram.buckets[index]
                index += 1
            }
            sample(name + "_bucket", labels + [("le", Self.number(Double(bound) / 1e9))], below)
        }
        sample(name + "_bucket", labels + [("le", "+Inf")], histogram.count)
        sample(name + "_sum", labels, Double(histogram.sum) / 1e9)
        sample(name + "_count", labels, histogram.count)
    }

    private mutating func line(_ text: String) {
        bytes += text.utf8
        bytes.append(0x0A)
    }

    private static func text(_ labels: [(String, String)]) -> String {
        guard !labels.isEmpty else { return "" }
        return "{" + labels.map { "\($0)=\"\(escaped($1, quotes: true))\"" }.joined(separator: ",") + "}"
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if value == value.rounded(), value.magnitude < 9e15 { return String(Int64(value)) }
        return "\(value)"
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
