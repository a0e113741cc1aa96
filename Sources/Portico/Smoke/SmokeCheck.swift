import Config
import Front
import Web

/// Whether an answer is what a step expects.
struct SmokeCheck {
    let step: SmokeStep

    init(_ step: SmokeStep) { self.step = step }

    /// Everything about the answer that is not as expected.
    func problems(of response: ClientResponse, after elapsed: Duration) -> [String] {
        var problems = status(response.status).map { [$0] } ?? []
        problems += headers(response)
        problems += body(response.body)
        if let limit = step.within, elapsed > limit {
            problems.append("it took \(elapsed.shortText), longer than \(limit.configurationText)")
        }
        return problems
    }

    private func status(_ status: Int) -> String? {
        if step.status.isEmpty {
            return (200..<300).contains(status) ? nil : "expected a status from 200 to 299, got \(status)"
        }
        if step.status.contains(status) { return nil }
        return "expected status \(step.status.map(String.init).joined(separator: " or ")), got \(status)"
    }

    private func headers(_ response: ClientResponse) -> [String] {
        var problems: [String] = []
        for expected in step.header {
            let values = response.values(expected.name)
            if values.contains(where: { Self.isValue($0, expected.value.text) }) { continue }
            let got = values.isEmpty ? "there is none" : "got \(values.map(Self.quoted).joined(separator: " and "))"
            problems.append("header \(expected.name): expected \(Self.quoted(expected.value.shown)), \(got)")
        }
        for name in step.notHeader {
            for value in response.values(name) { problems.append("header \(name) is there: \(Self.quoted(value))") }
        }
        return problems
    }

    private func body(_ body: [UInt8]) -> [String] {
        var problems: [String] = []
        let text = String(decoding: body, as: UTF8.self)
        for expected in step.contains where !Self.isFound(expected.text, in: body) {
            problems.append("the body does not contain \(Self.quoted(expected.shown))")
        }
        for unwanted in step.notContains where Self.isFound(unwanted.text, in: body) {
            problems.append("the body contains \(Self.quoted(unwanted.shown))")
        }
        for pattern in step.matches where !Self.matches(text, pattern.text) {
            problems.append("the body does not match \(Self.quoted(pattern.shown))")
        }
        return problems + (step.jsonEquals.isEmpty ? [] : json(body))
    }

    private func json(_ body: [UInt8]) -> [String] {
        let document: JSONValue
        do throws(JSONError) { document = try JSONValue(parsing: body) } catch {
            return ["the body is not JSON: \(error)"]
        }
        return step.jsonEquals.compactMap { expectation in
            guard let expected = try? JSONValue(parsing: expectation.value.text) else { return nil }
            let found = document.value(at: expectation.path)
            if found?.equals(expected) == true { return nil }
            let got = found.map { "got " + Self.excerpt($0.text) } ?? "there is none"
            return "JSON \(expectation.path): expected \(Self.excerpt(expectation.value.shown)), \(got)"
        }
    }

    private static func isValue(_ value: String, _ expected: String) -> Bool {
        expected.hasPrefix("~") ? matches(value, String(expected.dropFirst())) : value == expected
    }

    private static func isFound(_ text: String, in body: [UInt8]) -> Bool {
        text.isEmpty || body.firstRange(of: Array(text.utf8)) != nil
    }

    private static func matches(_ text: String, _ pattern: String) -> Bool {
        (try? PathExpression(pattern))?.isFound(in: text) ?? false
    }

    private static func quoted(_ text: String) -> String { "'\(excerpt(text))'" }

    /// On one line, and not longer than a message may be.
    static func excerpt(_ text: String, limit: Int = 120) -> String {
        let line = text.unicodeScalars.prefix(limit).reduce(into: "") { line, scalar in
            line.unicodeScalars.append(scalar.properties.generalCategory == .control ? " " : scalar)
        }
        return text.unicodeScalars.count > limit ? line + "…" : line
    }
}

extension Duration {
    /// For people: `3 ms`, `1.25 s`.
    var shortText: String {
        let milliseconds = components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
        return milliseconds < 1000
            ? "\(milliseconds) ms"
            : "\(milliseconds / 1000).\(milliseconds % 1000 / 100)\(milliseconds % 100 / 10) s"
    }
}

extension JSONValue {
    /// The value at a path of keys and indices; nil where there is none.
    func value(at path: ConfigPath) -> JSONValue? {
        path.steps.reduce(Optional(self)) { value, step in
            switch step {
            case .key(let key): value?[key]
            case .index(let index): value?[index] ?? value?[String(index)]
            }
        }
    }

    /// Equality in the sense of JSON: members in any order, 1 as good as 1.0.
    func equals(_ other: JSONValue) -> Bool {
        switch (self, other) {
        case (.array(let left), .array(let right)):
            return left.count == right.count && zip(left, right).allSatisfy { $0.equals($1) }
        case (.object(let left), .object(let right)):
            return left.count == right.count
                && left.allSatisfy { member in other[member.name].map { member.value.equals($0) } ?? false }
        default:
            if let left = double, let right = other.double { return left == right }
            return self == other
        }
    }
}
