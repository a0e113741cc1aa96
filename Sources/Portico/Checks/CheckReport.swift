import ArgumentParser
import Config
import Web

/// The findings of `app check`: which of them are shown, and which of them fail.
struct CheckReport {
    /// From which level on a finding is a failure.
    enum FailLevel: String, ExpressibleByArgument, CaseIterable {
        case info, warning, error

        var level: CheckMessage.Level {
            switch self {
            case .info: .info
            case .warning: .warning
            case .error: .error
            }
        }
    }

    /// What was found, by the site it concerns (or `configuration`).
    private(set) var findings: [(subject: String, message: CheckMessage)] = []
    private(set) var silenced = 0
    private let silencedIDs: Set<String>

    init(silencing ids: [String]) { silencedIDs = Set(ids) }

    mutating func add(_ messages: [CheckMessage], about subject: String) {
        let shown = messages.filter { !silencedIDs.contains($0.id) }
        silenced += messages.count - shown.count
        findings += shown.map { (subject, $0) }
    }

    /// A line for each, with its remedy below.
    var lines: [String] { findings.map { "\($0.subject): \($0.message.level): \($0.message)" } }

    func failures(_ limit: FailLevel) -> Int { findings.filter { $0.message.level >= limit.level }.count }

    /// What is said at the end of a check that did not fail.
    var summary: String {
        let others = findings.isEmpty ? "" : ", \(findings.count) other finding\(findings.count == 1 ? "" : "s")"
        return "no errors" + others + (silenced == 0 ? "" : ", \(silenced) silenced")
    }

    /// Ids of the deployment checks that none of them has: mistyped, so that nothing is silenced.
    static func unknown(_ ids: [String]) -> [String] {
        let known = Set(DeploymentChecks.catalogue.map(\.id))
        return ids.filter { $0.hasPrefix("deploy.") && !known.contains($0) }
    }
}
