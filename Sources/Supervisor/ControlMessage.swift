/// What supervisor and worker say to each other.
///
/// One message is one packet of a `SOCK_SEQPACKET` pair, so it needs no framing: a word, and for some words text after a
/// space. Readable on purpose: any program can be a worker, and `strace` shows what was said.
public enum ControlMessage: Equatable, Sendable {
    /// Worker → supervisor: sites are loaded, the listeners are being accepted from.
    case ready
    /// Worker → supervisor: alive, with these counters.
    case heartbeat(WorkerReport)
    /// Worker → supervisor: cannot start, and why; the end of the process follows.
    case failed(String)
    /// Worker → supervisor: start a successor, and tell me to drain when it is ready.
    case retire(RetireReason)
    /// Supervisor → worker: say that requests are not welcome any more, and go on serving them.
    case unready
    /// Supervisor → worker: open the log files anew.
    case reopenLogs
    /// Supervisor → worker: accept what is queued, close the listeners, finish what is in flight, exit with status 0.
    case drain(DrainPurpose)
    /// Either way: something that is none of theirs, from whoever set up the one for whoever set up the other.
    case tell(String)

    /// The longest packet either side sends or reads, in bytes.
    static let maximumLength = 64 << 10

    /// The packet.
    var encoded: [UInt8] {
        switch self {
        case .ready: Array("ready".utf8)
        case .unready: Array("unready".utf8)
        case .reopenLogs: Array("reopen-logs".utf8)
        case .drain(.stop): Array("drain".utf8)
        case .drain(.replace): Array("drain replace".utf8)
        case .tell(let text): Array("tell \(text)".utf8.prefix(Self.maximumLength))
        case .failed(let reason): Array("failed \(reason)".utf8.prefix(ControlMessage.maximumLength))
        case .retire(let reason):
            Array("retire \(reason.name)\(reason.detail.map { " \($0)" } ?? "")".utf8.prefix(Self.maximumLength))
        case .heartbeat(let report):
            Array(
                ("heartbeat"
                    + WorkerReport.fields.map { " \($0.name)=\(report[keyPath: $0.path])" }.joined()).utf8)
        }
    }

    /// Reads a packet; nil for one that this version does not know, which is to be ignored (the other side may be newer).
    init?(decoding packet: some Collection<UInt8>) {
        let text = String(decoding: packet, as: UTF8.self)
        let parts = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        switch (parts[0], parts.count > 1 ? parts[1] : nil) {
        case ("ready", nil): self = .ready
        case ("unready", nil): self = .unready
        case ("reopen-logs", nil): self = .reopenLogs
        case ("drain", nil): self = .drain(.stop)
        case ("drain", "replace"): self = .drain(.replace)
        case ("failed", let reason?): self = .failed(String(reason))
        case ("tell", let text?): self = .tell(String(text))
        case ("retire", let words?):
            let words = words.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
            guard let reason = RetireReason(name: words[0], detail: words.count > 1 ? words[1] : nil) else {
                return nil
            }
            self = .retire(reason)
        case ("heartbeat", let values):
            var report = WorkerReport()
            for value in (values ?? "").split(separator: " ") {
                let pair = value.split(separator: "=", maxSplits: 1)
                guard pair.count == 2, let number = UInt64(pair[1]) else { return nil }
                if let field = WorkerReport.fields.first(where: { $0.name == pair[0] }) {
                    report[keyPath: field.path] = number
                }
            }
            self = .heartbeat(report)
        default: return nil
        }
    }
}
