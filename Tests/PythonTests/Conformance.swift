import Glibc
import Platform
import TestSupport
import Testing

/// The checks of `Tests/Conformance`, which are written in Python so that peers can be measured by the same yardstick:
/// an application for each line of a specification, and what a client must see of it.
enum Conformance {
    /// What the checks and their server run with: Debian's own interpreter, not one that a shell put in front.
    static let interpreter = "/usr/bin/python3"
    static let folder = "\(Command.package)/Tests/Conformance"

    /// The ids of a checklist's lines.
    static func ids(_ checklist: String) -> [String] { checklists[checklist, default: ["there is no \(checklist)"]] }

    private static let checklists: [String: [String]] = {
        let lists = try? Command.run([interpreter, "-B", "-m", "conformance", "lists"], in: folder)
        let lines = (lists?.output ?? "").split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        return Dictionary(lines.map { ($0[0], Array($0.dropFirst())) }) { first, _ in first }
    }()

    /// Expects that what was checked of one line of a checklist came out right, and that something was checked.
    static func expect(
        _ id: String, of run: ConformanceRun, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let outcomes = run.outcomes(of: id)
        #expect(!outcomes.isEmpty, "nothing checks \(id); \(run.end)", sourceLocation: sourceLocation)
        for outcome in outcomes where !outcome.isPass {
            Issue.record("\(outcome.text)", sourceLocation: sourceLocation)
        }
    }
}

/// One run of a checklist against one server, which answers for all its lines.
struct ConformanceRun: Sendable {
    struct Outcome: Sendable {
        let id: String
        let isPass: Bool
        let text: String
    }

    private let outcomes: [Outcome]
    /// How the run ended, for when lines are missing.
    let end: String

    /// Runs the checks of `checklist` to their end.
    /// - Parameters:
    ///   - mode: of the server: `process` or `thread`.
    ///   - interpreter: the Python that the server is to use.
    ///   - ids: these lines alone; all of them without.
    init(
        _ checklist: String, mode: String = "process", interpreter: String = Conformance.interpreter, ids: [String] = []
    ) {
        let arguments = [
            Conformance.interpreter, "-B", "-m", "conformance", checklist, "--app", Command.app, "--mode", mode,
            "--python", interpreter,
        ]
        do {
            let run = try Command.run(
                arguments + (ids.isEmpty ? [] : ["--only"] + ids), in: Conformance.folder,
                environment: ["HOME": "/tmp"])
            outcomes = run.output.split(separator: "\n").compactMap { Outcome($0) }
            end = "the run ended with \(run.status): \(run.errors)"
        } catch {
            outcomes = []
            end = "the run failed: \(error)"
        }
    }

    func outcomes(of id: String) -> [Outcome] { outcomes.filter { $0.id == id } }
}

extension ConformanceRun.Outcome {
    /// From `W17 ok readline keeps newlines`, or `W17 FAIL …: expected …, got …`.
    init?(_ line: Substring) {
        let words = line.split(separator: " ", maxSplits: 2)
        guard words.count == 3, words[1] == "ok" || words[1] == "FAIL" else { return nil }
        self.init(id: String(words[0]), isPass: words[1] == "ok", text: String(line))
    }
}
