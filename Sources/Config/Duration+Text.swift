extension Duration {
    /// Reads a whole number with its unit: `500ms`, `30s`, `5m`, `12h`, `7d`, `1y` (365 days). Nil for anything else,
    /// also without a unit (except `0`), and beyond 10 000 years.
    public init?(configurationText text: String) {
        guard let (number, unit) = splitQuantity(text) else { return nil }
        if unit == "ms" {
            self = .milliseconds(number)
            return
        }
        guard
            let factor = Self.units.first(where: { $0.name == unit })?.seconds
                ?? (number == 0 && unit.isEmpty ? 1 : nil)
        else { return nil }
        let (seconds, overflow) = number.multipliedReportingOverflow(by: factor)
        guard !overflow, seconds <= 10_000 * 31_536_000 else { return nil }
        self = .seconds(seconds)
    }

    /// In the largest unit that leaves no remainder: `1h`, `90s`, `1500ms`.
    public var configurationText: String {
        let (seconds, attoseconds) = components
        if attoseconds != 0 { return "\(seconds * 1000 + attoseconds / 1_000_000_000_000_000)ms" }
        let unit = Self.units.first { seconds != 0 && seconds % Int64($0.seconds) == 0 } ?? ("s", 1)
        return "\(seconds / Int64(unit.seconds))\(unit.name)"
    }

    private static let units: [(name: String, seconds: Int)] = [
        ("y", 31_536_000), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1),
    ]
}
