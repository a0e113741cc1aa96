public import CoreMetrics
import Logging
import Synchronization

/// Where swift-metrics' counters, gauges and timers go: into the status memory of this process, and from there to
/// `/metrics`, added up over all workers.
public final class StatusMetrics: MetricsFactory, Sendable {
    private let table: MetricTable
    private let logger: Logger
    private let hasComplained = Atomic(false)

    public init(_ region: StatusRegion, logger: Logger) {
        table = region.metrics
        self.logger = logger
    }

    /// Without room, a metric's numbers go nowhere, and the log says so once.
    private func place(_ kind: MetricTable.Kind, _ label: String, _ dimensions: [(String, String)]) -> StatusWord? {
        if let place = table.place(kind, label, dimensions) { return place }
        if !hasComplained.exchange(true, ordering: .relaxed) {
            logger.warning(
                "there is no room for more metrics of the sites; a label with too many values?",
                metadata: ["metric": "\(label)"])
        }
        return nil
    }

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        StatusCounter(place(.counter, label, dimensions))
    }

    public func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        StatusFloatingCounter(place(.floatingCounter, label, dimensions))
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        StatusGauge(place(.gauge, label, dimensions))
    }

    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        aggregate
            ? StatusSummary(place(.summary, label, dimensions)) : StatusGauge(place(.gauge, label, dimensions))
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        StatusTimer(place(.timer, label, dimensions))
    }

    // A metric that is made again goes on where it was.
    public func destroyCounter(_ handler: any CounterHandler) {}
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    public func destroyMeter(_ handler: any MeterHandler) {}
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    public func destroyTimer(_ handler: any TimerHandler) {}
}

private final class StatusCounter: CounterHandler {
    private let word: StatusWord?
    init(_ word: StatusWord?) { self.word = word }
    func increment(by amount: Int64) { if amount > 0 { word?.addShared(UInt64(amount)) } }
    func reset() { word?.set(0) }
}

private final class StatusFloatingCounter: FloatingPointCounterHandler {
    private let word: StatusWord?
    init(_ word: StatusWord?) { self.word = word }
    func increment(by amount: Double) { if amount > 0, amount.isFinite { word?.addSharedNumber(amount) } }
    func reset() { word?.set(0) }
}

private final class StatusGauge: MeterHandler, RecorderHandler {
    private let word: StatusWord?
    init(_ word: StatusWord?) { self.word = word }
    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { word?.set(value.bitPattern) }
    func increment(by amount: Double) { word?.addSharedNumber(amount) }
    func decrement(by amount: Double) { word?.addSharedNumber(-amount) }
    func record(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }
}

private final class StatusSummary: RecorderHandler {
    private let word: StatusWord?
    init(_ word: StatusWord?) { self.word = word }
    func record(_ value: Int64) { record(Double(value)) }
    func record(_ value: Double) {
        guard let word, value.isFinite else { return }
        word.advanced(by: 1).addSharedNumber(value)
        word.addShared(1)
    }
}

private final class StatusTimer: TimerHandler {
    private let cells: HistogramCells?
    init(_ word: StatusWord?) { cells = word.map { HistogramCells(UnsafeMutableRawPointer($0.address), 0) } }
    func recordNanoseconds(_ duration: Int64) { cells?.recordShared(UInt64(max(0, duration))) }
}
