/// What must hold within a step of `smoke`, beyond what the declarations say.
enum SmokeRules {
    /// Everything wrong with the steps of a normalized tree.
    static func check(_ tree: ConfigTree, patternProblem: (String) -> String?) -> [ConfigError] {
        var errors: [ConfigError] = []
        for (index, step) in (tree["smoke"]?.elements ?? []).enumerated() {
            let path = ConfigPath([.key("smoke"), .index(index)])
            errors += bodies(of: step, path)
            errors += expressions(of: step, path, patternProblem)
            for entry in step["json-equals"]?.entries ?? [] where ConfigPath(parsing: entry.key) == nil {
                errors.append(
                    ConfigError(
                        .unexpected(
                            expected: "a path such as items[0].name", got: "'\(entry.key)'", nearest: nil),
                        at: entry.keyOrigin, path: path.appending("json-equals")))
            }
        }
        return errors
    }

    private static func bodies(of step: ConfigTree, _ path: ConfigPath) -> [ConfigError] {
        let present = step.entries.filter { SmokeDeclarations.bodies.contains($0.key) }
        var errors = present.dropFirst().map { surplus in
            ConfigError(
                .conflict("'\(surplus.key)' and '\(present[0].key)' exclude each other"), at: surplus.keyOrigin,
                path: path.appending(surplus.key))
        }
        if step["head"] != nil {
            for entry in step.entries
            where ["contains", "not-contains", "matches", "json-equals"].contains(entry.key) {
                errors.append(
                    ConfigError(
                        .conflict("the answer to HEAD has no body"), at: entry.keyOrigin,
                        path: path.appending(entry.key)))
            }
        }
        return errors
    }

    private static func expressions(
        of step: ConfigTree, _ path: ConfigPath, _ patternProblem: (String) -> String?
    ) -> [ConfigError] {
        var errors: [ConfigError] = []
        func check(_ pattern: String, _ node: ConfigTree, _ path: ConfigPath) {
            guard let scalar = node.scalar, !scalar.isUnresolved, let problem = patternProblem(pattern) else { return }
            let reason = scalar.isSecret ? "it does not compile" : problem
            errors.append(ConfigError(.syntax("not a regular expression: \(reason)"), at: node.origin, path: path))
        }
        for (index, node) in (step["matches"]?.elements ?? []).enumerated() {
            check(node.scalar?.text ?? "", node, path.appending("matches").appending(index))
        }
        for entry in step["header"]?.entries ?? [] {
            guard let text = entry.value.scalar?.text, text.hasPrefix("~") else { continue }
            check(String(text.dropFirst()), entry.value, path.appending("header").appending(entry.key))
        }
        return errors
    }
}
