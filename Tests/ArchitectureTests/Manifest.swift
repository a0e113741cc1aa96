/// The targets of `Package.swift`, read as text: asking the package manager would build the manifest for each test run.
struct Manifest {
    /// A target, and what it lists.
    struct Target {
        /// How it is declared: `module`, `tests`, `.target`, `.plugin` …
        let kind: String
        let name: String
        /// The names of targets of this package.
        let targets: Set<String>
        /// The names of products of other packages.
        let products: Set<String>

        /// The name that code imports it by.
        var module: String { Self.module(name) }

        static func module(_ target: String) -> String { String(target.map { $0 == "-" ? "_" : $0 }) }
    }

    let targets: [Target]

    subscript(name: String) -> Target? { targets.first { $0.name == name } }

    /// Reads the manifest in the style of ours: targets as calls in one list, products as constants of
    /// `Target.Dependency`.
    init(parsing text: String) {
        var products: [String: String] = [:]
        for match in text.matches(of: /static let (\w+) = product\(name: "([^"]+)"/) {
            products[String(match.1)] = String(match.2)
        }
        guard let list = text.firstRange(of: "\n    targets: [") else {
            targets = []
            return
        }
        targets = Self.elements(of: text[list.upperBound...]).compactMap { Self.target($0, products) }
    }

    private static func target(_ call: Substring, _ products: [String: String]) -> Target? {
        guard let open = call.firstIndex(of: "("), let name = call.firstMatch(of: /"([^"]+)"/) else { return nil }
        let kind = String(call[..<open])
        var listed = Substring()
        if let label = call.firstRange(of: "dependencies: [") {
            listed = call[label.upperBound...]
        } else if let list = call.firstMatch(of: /^\w+\(\s*"[^"]+",\s*\[/) {
            listed = call[list.range.upperBound...]
        }
        listed = listed.prefix { $0 != "]" }
        let names = listed.matches(of: /"([^"]+)"/).map { String($0.1) }
        // A product that is no constant of ours is kept under its expression, so that no rule allows it.
        let constants = listed.matches(of: /\.(\w+)/).map { products[String($0.1)] ?? String($0.0) }
        return Target(kind: kind, name: String(name.1), targets: Set(names), products: Set(constants))
    }

    /// The elements of a list whose opening bracket stands before `text`, comments left out.
    private static func elements(of text: Substring) -> [Substring] {
        var elements: [Substring] = []
        var element = ""
        var depth = 0
        scan: for line in text.split(separator: "\n") {
            let line = line.drop { $0 == " " }
            if line.hasPrefix("//") { continue }
            for character in line {
                switch character {
                case "(", "[": depth += 1
                case ")", "]": depth -= 1
                default: break
                }
                if depth < 0 { break scan }
                if depth == 0, character == "," {
                    elements.append(Substring(element))
                    element = ""
                } else {
                    element.append(character)
                }
            }
            element.append(" ")
        }
        elements.append(Substring(element))
        return elements.map { $0.drop { $0 == " " } }.filter { !$0.isEmpty }
    }
}
