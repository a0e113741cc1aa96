import Glibc
import Platform
import TestSupport
import Testing

/// The checks of `Tests/Conformance`, which are written in Python so that peers can be measured by the same yardstick:
/// an application for each line of a specification, and what a client must see of it.
enum Conformance {
    /// One line of a checklist, by its id and what it is about.
    struct Line: Sendable, CustomTestStringConvertible {
        let id: String
        let title: String

        var testDescription: String { "\(id) \(title)" }
    }

    /// Debian's own interpreter, not one that a shell put in front.
    static let interpreter = "/usr/bin/python3"
    static let folder = "\(Command.package)/Tests/Conformance"

    /// The Python of a virtual environment with the frameworks and clients; made on its first use.
    static let frameworks: String = {
        let made = try? Command.run(
            ["\(folder)/environment", "requirements.txt", interpreter], environment: environment)
        return made?.output.split(separator: "\n").last.map(String.init) ?? interpreter
    }()

    /// Further interpreters that this machine has, by `PORTICO_TEST_PYTHONS`: a list with colons between.
    static let otherInterpreters = (environment["PORTICO_TEST_PYTHONS"] ?? "").split(separator: ":").map(String.init)

    /// What the checks' processes are told of the tests' own environment.
    static let environment: [String: String] = {
        let names = ["HOME", "XDG_CACHE_HOME", "TMPDIR", "PORTICO_TEST_PYTHONS"]
        return Dictionary(
            uniqueKeysWithValues: names.compactMap { name in getenv(name).map { (name, String(cString: $0)) } })
    }()

    /// The lines of a checklist.
    static func lines(_ checklist: String) -> [Line] {
        checklists[checklist, default: [Line(id: checklist, title: "is no checklist")]]
    }

    private static let checklists: [String: [Line]] = {
        let lists = try? Command.run([interpreter, "-B", "-m", "conformance", "lists"], in: folder)
        let lines = (lists?.output ?? "").split(separator: "\n").map { $0.split(separator: " ", maxSplits: 2) }
        return Dictionary(grouping: lines.filter { $0.count == 3 }) { String($0[0]) }.mapValues { lines in
            lines.map { Line(id: String($0[1]), title: String($0[2])) }
        }
    }()

    /// Expects that what was checked of one line of a checklist came out right, and that something was checked.
    static func expect(_ line: Line, of run: ConformanceRun, sourceLocation: SourceLocation = #_sourceLocation) {
        let outcomes = run.outcomes(of: line.id)
        #expect(!outcomes.isEmpty, "nothing checked \(line.id); \(run.end)", sourceLocation: sourceLocation)
        for outcome in outcomes where !outcome.isPass {
            Issue.record("\(outcome.text)", sourceLocation: sourceLocation)
        }
    }
}
