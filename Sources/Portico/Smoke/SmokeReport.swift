/// What became of the steps, in the forms people and machines read.
struct SmokeReport {
    enum Outcome: Equatable {
        case passed
        /// Everything that was not as expected.
        case failed([String])
        /// Why it was not tried.
        case skipped(String)
    }

    struct Entry {
        /// `POST /1/vote/`, or the step's name.
        let title: String
        /// Where the step is written: `app.yaml:12:7`.
        let place: String
        let outcome: Outcome
        /// Nil when there was no answer.
        let status: Int?
        let elapsed: Duration
        /// The beginning of the answer's body, for those that failed.
        var excerpt: String?
    }

    var entries: [Entry] = []

    var failures: Int { entries.filter { if case .failed = $0.outcome { true } else { false } }.count }
    var skipped: Int { entries.filter { if case .skipped = $0.outcome { true } else { false } }.count }

    /// For people: one line a step, then what failed and why.
    func table(_ style: TerminalStyle) -> String {
        let rows = entries.enumerated().map { index, entry in
            [
                String(index + 1), entry.title, entry.status.map(String.init) ?? "-", entry.elapsed.shortText,
                Self.word(entry.outcome),
            ]
        }
        var lines = TextTable.render(["STEP", "REQUEST", "STATUS", "TIME", "RESULT"], rows)
            .split(separator: "\n").map(String.init)
        for (index, entry) in entries.enumerated() {
            lines[index + 1] = Self.coloured(lines[index + 1], entry.outcome, style)
        }
        for (index, entry) in entries.enumerated() { lines += Self.failure(entry, number: index + 1) }
        lines.append("")
        lines.append(summary)
        return lines.joined(separator: "\n")
    }

    /// The word is the last of its line: colouring it moves no column.
    private static func coloured(_ line: String, _ outcome: Outcome, _ style: TerminalStyle) -> String {
        let word = word(outcome)
        return line.dropLast(word.count) + style.text(word, colour(outcome))
    }

    /// What failed and why; nothing of a step that did not.
    private static func failure(_ entry: Entry, number: Int) -> [String] {
        guard case .failed(let problems) = entry.outcome else { return [] }
        let excerpt = entry.excerpt.map { ["  the body begins: \($0)"] } ?? []
        return ["", "\(entry.place): step \(number), \(entry.title):"] + problems.map { "  \($0)" } + excerpt
    }

    private var summary: String {
        let steps = "\(entries.count) step\(entries.count == 1 ? "" : "s")"
        let rest = [failures > 0 ? "\(failures) failed" : "none failed", skipped > 0 ? "\(skipped) skipped" : nil]
        return ([steps] + rest.compactMap { $0 }).joined(separator: ", ")
    }

    private static func word(_ outcome: Outcome) -> String {
        switch outcome {
        case .passed: "ok"
        case .failed: "FAILED"
        case .skipped: "skipped"
        }
    }

    private static func colour(_ outcome: Outcome) -> TerminalStyle.Colour {
        switch outcome {
        case .passed: .green
        case .failed: .red
        case .skipped: .yellow
        }
    }

    /// The Test Anything Protocol, version 13, with a YAML block for each failure.
    var tap: String {
        var lines = ["TAP version 13", "1..\(entries.count)"]
        for (index, entry) in entries.enumerated() {
            // '#' would begin a directive.
            let title = "\(index + 1) - \(entry.title.replacing("#", with: "\\#"))"
            switch entry.outcome {
            case .passed: lines.append("ok \(title)")
            case .skipped(let reason): lines.append("ok \(title) # SKIP \(reason)")
            case .failed(let problems):
                lines.append("not ok \(title)")
                lines.append("  ---")
                lines.append("  at: \(Self.yaml(entry.place))")
                lines.append("  problems:")
                lines += problems.map { "    - \(Self.yaml($0))" }
                if let excerpt = entry.excerpt { lines.append("  body: \(Self.yaml(excerpt))") }
                lines.append("  ...")
            }
        }
        return lines.joined(separator: "\n")
    }

    private static func yaml(_ text: String) -> String {
        "'\(SmokeCheck.excerpt(text, limit: 1000).replacing("'", with: "''"))'"
    }

    /// JUnit's XML, as CI systems read it.
    var junit: String {
        let total = entries.reduce(Duration.zero) { $0 + $1.elapsed }
        var lines = [
            #"<?xml version="1.0" encoding="UTF-8"?>"#,
            #"<testsuites><testsuite name="app smoke" tests="\#(entries.count)" failures="\#(failures)" errors="0" "#
                + #"skipped="\#(skipped)" time="\#(Self.seconds(total))">"#,
        ]
        for entry in entries {
            let open =
                "<testcase classname=\"smoke\" name=\(Self.xml(entry.title)) time=\"\(Self.seconds(entry.elapsed))\""
            switch entry.outcome {
            case .passed: lines.append("  \(open)/>")
            case .skipped(let reason):
                lines.append("  \(open)><skipped message=\(Self.xml(reason))/></testcase>")
            case .failed(let problems):
                let text = ([entry.place] + problems + (entry.excerpt.map { ["the body begins: \($0)"] } ?? []))
                    .joined(separator: "\n")
                lines.append(
                    "  \(open)><failure message=\(Self.xml(problems.first ?? ""))>\(Self.escaped(text))</failure></testcase>"
                )
            }
        }
        lines.append("</testsuite></testsuites>")
        return lines.joined(separator: "\n")
    }

    private static func seconds(_ duration: Duration) -> String {
        let milliseconds = duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
        let fraction = String(1000 + milliseconds % 1000).dropFirst()
        return "\(milliseconds / 1000).\(fraction)"
    }

    private static func xml(_ text: String) -> String { "\"\(escaped(text))\"" }

    /// Text for XML 1.0, which has no way to write most control characters.
    private static func escaped(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { result, scalar in
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\n": result += "\n"
            case _ where scalar.value < 0x20 || scalar.value == 0xFFFE || scalar.value == 0xFFFF: result += " "
            default: result.unicodeScalars.append(scalar)
            }
        }
    }
}
