/// What must hold between programs, and between them and the workers.
struct ProgramRules {
    private(set) var errors: [ConfigError] = []
    private let programs: [ConfigTree.Entry]

    /// Everything wrong with the programs of a normalized tree. What the declarations forbid is not looked for again.
    static func check(_ tree: ConfigTree) -> [ConfigError] {
        var rules = ProgramRules(programs: tree["programs"]?.entries ?? [])
        rules.check(tree)
        return rules.errors
    }

    private init(programs: [ConfigTree.Entry]) { self.programs = programs }

    private mutating func check(_ tree: ConfigTree) {
        checkNeeds(tree["workers"]?["needs"], "workers.needs")
        for program in programs {
            let path = ConfigPath([.key("programs"), .key(program.key)])
            checkNeeds(program.value["needs"], path.appending("needs"))
            checkCommand(program.value["command"], path.appending("command"))
            checkEnd(program.value, path)
            checkUser(program.value, tree, path)
        }
        checkCircles()
    }

    private mutating func checkNeeds(_ node: ConfigTree?, _ path: ConfigPath) {
        for (index, element) in (node?.elements ?? []).enumerated() {
            guard let scalar = element.scalar, !scalar.isUnresolved else { continue }
            let known = programs.map(\.key)
            guard !known.contains(scalar.text) else { continue }
            fail(
                .unknownName(
                    what: "program", name: scalar.masked, nearest: nearest(to: scalar.text, among: known), known: known),
                element.origin, path.appending(index))
        }
    }

    private mutating func checkCommand(_ node: ConfigTree?, _ path: ConfigPath) {
        guard let node else { return }
        if let scalar = node.scalar, !scalar.isUnresolved, !scalar.isNull {
            do throws(CommandText.Problem) { _ = try CommandText.words(scalar.text) } catch {
                fail(.syntax(error.text), node.origin, path)
            }
        } else if case .list(let words) = node.value, words.first?.scalar?.text.isEmpty ?? true {
            fail(.missing(expected: "the name of a program"), node.origin, path)
        }
    }

    /// A job that is to end is not one to start again when it has.
    private mutating func checkEnd(_ program: ConfigTree, _ path: ConfigPath) {
        guard let exit = program["ready"]?["exit"], program["restart"]?.scalar?.text ?? "always" == "always" else {
            return
        }
        fail(
            .conflict("a program that is ready when it has ended goes with 'restart: on-failure' or 'restart: never'"),
            exit.origin, path.appending("ready").appending("exit"))
    }

    /// In thread mode there is no process left that could become another user.
    private mutating func checkUser(_ program: ConfigTree, _ tree: ConfigTree, _ path: ConfigPath) {
        guard let user = program["user"], tree["workers"]?["mode"]?.scalar?.text == "thread",
            let own = tree["user"]?.scalar?.text, user.scalar?.text != own
        else { return }
        fail(
            .conflict("in thread mode the server itself has become '\(own)' by then; use 'workers.mode: process'"),
            user.origin, path.appending("user"))
    }

    private mutating func checkCircles() {
        var needs: [String: [String]] = [:]
        for program in programs {
            needs[program.key] = program.value["needs"]?.elements.compactMap { $0.scalar?.text } ?? []
        }
        var done: Set<String> = []
        for program in programs {
            guard let circle = Self.circle(from: program.key, needs, [], &done) else { continue }
            done.formUnion(circle)
            let origin = program.value["needs"]?.origin ?? program.keyOrigin
            fail(
                .conflict("the programs wait for each other: \(circle.joined(separator: " needs "))"), origin,
                ConfigPath([.key("programs"), .key(circle[0]), .key("needs")]))
        }
    }

    /// The way from a program back to itself, if there is one.
    private static func circle(
        from name: String, _ needs: [String: [String]], _ way: [String], _ done: inout Set<String>
    ) -> [String]? {
        if let start = way.firstIndex(of: name) { return way[start...] + [name] }
        guard done.insert(name).inserted || way.contains(name) else { return nil }
        for next in needs[name] ?? [] {
            if let circle = circle(from: next, needs, way + [name], &done) { return circle }
        }
        return nil
    }

    private mutating func fail(_ problem: ConfigError.Problem, _ origin: Origin, _ path: ConfigPath) {
        errors.append(ConfigError(problem, at: origin, path: path))
    }
}
