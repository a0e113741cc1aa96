import Platform
import Synchronization

/// What the code of sites counts by itself, in the status memory, so that it adds up over all workers.
///
/// A metric gets its place when it is first made and keeps it; the numbers are changed by any thread, with atomic
/// instructions. The table is bounded: what finds no room is counted as dropped, and serves its caller without effect.
public final class MetricTable: Sendable {
    /// What a metric is, and how many words its numbers take.
    enum Kind: UInt64, Sendable {
        /// A whole number that grows.
        case counter = 1
        /// A number that grows.
        case floatingCounter
        /// A number.
        case gauge
        /// How many numbers came, and their sum.
        case summary
        /// Durations.
        case timer

        var words: Int {
            switch self {
            case .counter, .floatingCounter, .gauge: 1
            case .summary: 2
            case .timer: HistogramCells.words
            }
        }
    }

    /// Bytes of a name, and of all labels together.
    private static let textLimit = 512
    /// Between a label's name and its value, and between two labels.
    static let separator = "\u{1F}"

    private let memory: SharedMemory
    private let start: Int
    private let places = Mutex<[UserMetrics.Key: Int]>([:])

    init(_ memory: SharedMemory, at start: Int) {
        self.memory = memory
        self.start = start
        // Memory that was handed over has metrics in it.
        let known = records
        places.withLock { places in
            for (key, place) in known { places[key] = place }
        }
    }

    func word(_ index: Int) -> StatusWord { StatusWord(memory.address, start + index) }

    /// The first word of a metric's numbers; nil when there is no room for one more.
    func place(_ kind: Kind, _ name: String, _ labels: [(String, String)]) -> StatusWord? {
        let text = labels.sorted { $0.0 < $1.0 }.flatMap { [$0.0, $0.1] }.joined(separator: Self.separator)
        return place(kind, name, labels: text)
    }

    /// As ``place(_:_:_:)``, with the labels as they stand in the table.
    func place(_ kind: Kind, _ name: String, labels: String) -> StatusWord? {
        let key = UserMetrics.Key(kind: kind, name: name, labels: labels)
        return places.withLock { places in
            if let place = places[key] { return word(place) }
            guard let place = append(key) else {
                word(1).addShared(1)
                return nil
            }
            places[key] = place
            return word(place)
        }
    }

    /// Word 0 says how many words are in use, word 1 how many metrics found no room. Records follow: length and kind, lengths of
    /// name and labels in bytes, name, labels, numbers.
    private func append(_ key: UserMetrics.Key) -> Int? {
        let (name, labels) = (Array(key.name.utf8), Array(key.labels.utf8))
        guard !name.isEmpty, name.count + labels.count <= Self.textLimit else { return nil }
        let used = max(2, Int(word(0).value))
        let numbers = used + 3 + (name.count + 7) / 8 + (labels.count + 7) / 8
        let end = numbers + key.kind.words
        guard end <= StatusLayout.metricWords else { return nil }
        word(used).set(UInt64(end - used) << 8 | key.kind.rawValue)
        word(used + 1).set(UInt64(name.count))
        word(used + 2).set(UInt64(labels.count))
        StatusText.write(name, memory.address, start + used + 3)
        StatusText.write(labels, memory.address, start + used + 3 + (name.count + 7) / 8)
        word(0).publish(UInt64(end))
        return numbers
    }

    /// The metrics now.
    var snapshot: UserMetrics {
        var metrics = UserMetrics()
        metrics.dropped = word(1).value
        for (key, place) in records { metrics.values[key] = value(key.kind, place) }
        return metrics
    }

    /// Which metrics there are, and where their numbers stand.
    private var records: [(key: UserMetrics.Key, place: Int)] {
        var records: [(key: UserMetrics.Key, place: Int)] = []
        let used = min(Int(clamping: word(0).acquired), StatusLayout.metricWords)
        var index = 2
        while index + 3 < used {
            let head = word(index).value
            let (length, nameCount, labelCount) = (
                Int(clamping: head >> 8), Int(clamping: word(index + 1).value), Int(clamping: word(index + 2).value)
            )
            guard let kind = Kind(rawValue: head & 0xFF), length > 3,
                nameCount <= Self.textLimit, labelCount <= Self.textLimit
            else { break }
            let labels = index + 3 + (nameCount + 7) / 8
            let numbers = labels + (labelCount + 7) / 8
            // A worker may have written anything: nothing beyond the table is read.
            guard numbers + kind.words <= index + length, length <= used - index else { break }
            let key = UserMetrics.Key(
                kind: kind, name: StatusText.bytes(memory.address, start + index + 3, count: nameCount),
                labels: StatusText.bytes(memory.address, start + labels, count: labelCount))
            records.append((key, numbers))
            index += length
        }
        return records
    }

    private func value(_ kind: Kind, _ index: Int) -> UserMetrics.Value {
        switch kind {
        case .counter: .count(word(index).value)
        case .floatingCounter, .gauge: .number(Double(bitPattern: word(index).value))
        case .summary: .sum(count: word(index).value, sum: Double(bitPattern: word(index + 1).value))
        case .timer: .durations(HistogramCells(memory.address, start + index).value)
        }
    }
}
