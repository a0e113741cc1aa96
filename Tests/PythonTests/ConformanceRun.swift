import TestSupport

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
    ///   - client: the Python that the checks run in.
    ///   - interpreter: the Python that the server is to use.
    ///   - settings: of the server, as `--set` takes them.
    ///   - ids: these lines alone; all of them without.
    init(
        _ checklist: String, mode: String = "process", client: String = Conformance.interpreter,
        interpreter: String = Conformance.interpreter, settings: [String] = [], ids: [String] = []
    ) {
        let arguments = [
            client, "-B", "-m", "conformance", checklist, "--app", Command.app, "--mode", mode, "--python", interpreter,
        ]
        do {
            let run = try Command.run(
                arguments + settings.flatMap { ["--set", $0] } + (ids.isEmpty ? [] : ["--only"] + ids),
                in: Conformance.folder,
                environment: Conformance.environment)
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
