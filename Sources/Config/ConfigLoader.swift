/// Puts the layers together, lowest first: defaults, `base:`, the environment's section, variables, flags.
struct ConfigLoader {
    let sources: ConfigSources
    let file: (path: String, bytes: [UInt8])?
    private var errors: [ConfigError] = []
    private var warnings: [ConfigError] = []

    private static let root = ValueType.group(Declarations.root)

    init(sources: ConfigSources, file: (path: String, bytes: [UInt8])?) {
        self.sources = sources
        self.file = file
    }

    mutating func load() -> Result<Configuration, ConfigErrors> {
        let environmentName = chosenEnvironment()
        var sections: [String: ConfigTree] = [:]
        if let file {
            do throws(ConfigError) {
                let document = try ConfigDocument.read(file.path, file.bytes)
                errors += document.errors
                sections = document.sections
            } catch {
                return .failure(ConfigErrors([error]))
            }
        }
        let names = sections.keys.sorted()
        checkName(environmentName, among: names)
        for name in names {
            // Each section alone first: also what another layer replaces has to be right.
            guard let section = sections[name] else { continue }
            errors += Validator.check(section, against: Declarations.root, scope: .layer)
        }
        for name in names where name != "base" && name != environmentName {
            let tree = layered(sections, name)
            errors += Validator.check(tree, against: Declarations.root, scope: .effective)
            errors += RouteRules.check(tree, patternProblem: sources.patternProblem)
            errors += ListenRules.check(tree) + WorkerRules.check(tree) + ProgramRules.check(tree)
            errors += SmokeRules.check(tree, patternProblem: sources.patternProblem)
        }

        var tree = layered(sections, environmentName)
        if let target = sources.target { tree = Self.replacingSites(of: tree, by: target) }
        var assignments = Assignments(onto: tree)
        assignments.apply(sources.environment)
        assignments.apply(sources.flags)
        errors += assignments.errors
        warnings += assignments.warnings
        let references = References(
            environment: sources.environment, secretsDirectory: sources.secretsDirectory,
            workingDirectory: sources.workingDirectory, known: sources.knownSecrets)
        let resolved = references.resolved(withoutSpareSite(assignments.tree))
        errors += resolved.errors
        tree = Normalization.normalized(resolved.tree, as: Self.root)
        errors += Validator.check(tree, against: Declarations.root, scope: .effective)
        errors += RouteRules.check(tree, patternProblem: sources.patternProblem)
        errors += ListenRules.check(tree) + WorkerRules.check(tree) + ProgramRules.check(tree)
        errors += SmokeRules.check(tree, patternProblem: sources.patternProblem)
        guard errors.isEmpty else { return .failure(ConfigErrors(errors)) }

        tree = completed(tree)
        do throws(ConfigError) {
            let settings = try SettingsDecoder(tree: tree, baseDirectory: baseDirectory(of:)).settings()
            return .success(
                Configuration(
                    settings: settings, tree: tree, environmentName: environmentName, filePath: file?.path,
                    fileBytes: file?.bytes, secrets: resolved.secrets, warnings: warnings))
        } catch {
            return .failure(ConfigErrors([error]))
        }
    }

    // MARK: - Environments

    private mutating func chosenEnvironment() -> String {
        let (name, origin): (String, Origin) =
            if let name = sources.environmentName {
                (name, .flag("--env"))
            } else if let name = sources.environment[
                "APP_ENV"], !name.isEmpty
            { (name, .environment(variable: "APP_ENV")) } else {
                (sources.defaultEnvironment, .builtIn(layer: "default"))
            }
        if !TextForm.settingName.accepts(name) || name == "base" {
            errors.append(
                ConfigError(
                    .unexpected(
                        expected: "the name of an environment (letters, digits, - and _; not 'base')",
                        got: Validator.described(.text(name, origin)), nearest: nil), at: origin))
        }
        return name
    }

    /// Any name is an environment, but one that looks like a mistyped section is more likely a mistake.
    private mutating func checkName(_ name: String, among sections: [String]) {
        let known = Set(sections).subtracting(["base"]).union(["development", "production"])
        guard file != nil, !known.contains(name), TextForm.settingName.accepts(name) else { return }
        let origin: Origin =
            sources.environmentName != nil ? .flag("--env") : .environment(variable: "APP_ENV")
        let near = nearest(to: name, among: known.sorted())
        let problem = ConfigError(
            .unknownName(what: "environment", name: name, nearest: near, known: known.sorted()), at: origin)
        if near != nil { errors.append(problem) } else { warnings.append(problem) }
    }

    // MARK: - Layers

    /// Defaults of the environment, base and section; references left alone, short forms written out.
    private func layered(_ sections: [String: ConfigTree], _ environment: String) -> ConfigTree {
        var tree = ConfigTree(.mapping([]), .builtIn(layer: "default"))
        if file == nil, sources.target == nil { tree = tree.merged(with: builtIn(environment)) }
        if environment == "development" { tree = tree.merged(with: Self.development) }
        for name in ["base", environment] {
            if let section = sections[name] { tree = tree.merged(with: section) }
        }
        return tree
    }

    private static let development: ConfigTree = {
        let origin = Origin.builtIn(layer: "development")
        return .mapping(
            [
                "workers": .mapping(["mode": .text("thread", origin), "count": .text("1", origin)], origin),
                "debug": .text("true", origin),
            ], origin)
    }()

    /// What is served when there is nothing else: the sample site.
    private func builtIn(_ environment: String) -> ConfigTree {
        let origin = Origin.builtIn(layer: "built-in")
        let site = ConfigTree.mapping(
            ["swift": .text(sources.builtInSite, origin), "gateway": .text("auto", origin)], origin)
        let sites = ConfigTree.mapping([sources.builtInSite: site], origin)
        let everywhere = ConfigTree(.list([.text("0.0.0.0:8000", origin)]), origin)
        let smoke = ConfigTree(
            .list([
                .mapping(["get": .text("/readyz", origin)], origin),
                .mapping(["get": .text("/", origin), "follow": .text("true", origin)], origin),
            ]), origin)
        return environment == "development"
            ? .mapping(["sites": sites, "smoke": smoke], origin)
            : .mapping(["listen": everywhere, "sites": sites, "smoke": smoke], origin)
    }

    /// Without the sample site if variables or flags brought a site of their own.
    private func withoutSpareSite(_ tree: ConfigTree) -> ConfigTree {
        let origin = Origin.builtIn(layer: "built-in")
        guard let sites = tree["sites"], sites.entries.count > 1, sites[sources.builtInSite]?["swift"]?.origin == origin
        else {
            return tree
        }
        return tree.replacing(
            "sites", by: ConfigTree(.mapping(sites.entries.filter { $0.key != sources.builtInSite }), sites.origin))
    }

    private static func replacingSites(of tree: ConfigTree, by target: ConfigSources.Target) -> ConfigTree {
        func site(_ name: String, _ key: String, _ text: String) -> [String: ConfigTree] {
            let origin = Origin.flag(text)
            return ["sites": .mapping([name: .mapping([key: .text(text, origin)], origin)], origin)]
        }
        let layer: [String: ConfigTree]
        switch target {
        case .python(let text):
            // The application's package names the site, as far as it can.
            let package = String(text.prefix { $0 != "." && $0 != ":" })
            layer = site(TextForm.siteName.accepts(package) ? package : "app", "python", text)
        case .swift(let text):
            layer = site(TextForm.siteName.accepts(text) ? text : "app", "swift", text)
        case .directory(let text):
            let origin = Origin.flag(text)
            let route = ConfigTree.mapping(["path": .text("/", origin), "files": .text(text, origin)], origin)
            layer = ["routes": ConfigTree(.list([route]), origin)]
        }
        var result = ConfigTree(.mapping(tree.entries.filter { $0.key != "sites" && $0.key != "routes" }), tree.origin)
        for (key, value) in layer { result = result.replacing(key, by: value) }
        return result
    }

    // MARK: - Completion

    /// With all defaults: the declared ones, the only site's route, the databases of Swift sites.
    private mutating func completed(_ tree: ConfigTree) -> ConfigTree {
        let origin = Origin.builtIn(layer: "default")
        var tree = tree
        let sites = tree["sites"]?.entries ?? []
        if tree["routes"]?.elements.isEmpty ?? true {
            if let site = sites.first {
                let route = ConfigTree.mapping(["path": .text("/", origin), "site": .text(site.key, origin)], origin)
                tree = tree.replacing("routes", by: ConfigTree(.list([route]), origin))
            } else {
                warnings.append(ConfigError(.missing(expected: "sites or routes; there is nothing to serve"), at: nil))
            }
        }
        let data = sources.environment["APP_DATA"].flatMap { $0.isEmpty ? nil : $0 }
        for site in sites where site.value["swift"] != nil && site.value["database"] == nil {
            let name = "\(site.key).sqlite3"
            let path = data.map { $0.hasSuffix("/") ? $0 + name : "\($0)/\(name)" } ?? name
            let place = data == nil ? Origin.builtIn(layer: "default") : .environment(variable: "APP_DATA")
            let steps: [ConfigPath.Step] = [.key("sites"), .key(site.key), .key("database")]
            tree = tree.assigning(.text(path, place), at: steps[...]) ?? tree
        }
        return Normalization.completed(tree, as: Self.root)
    }

    /// Paths in the file are relative to it, all others to the working directory.
    private func baseDirectory(of origin: Origin) -> String {
        guard let path = origin.filePath else { return sources.workingDirectory }
        return FilePath.directory(of: FilePath.absolute(path, in: sources.workingDirectory))
    }
}

extension ConfigTree {
    /// This mapping with `key` set to `value`, whatever was there.
    func replacing(_ key: String, by value: ConfigTree) -> ConfigTree {
        let entry = Entry(key: key, keyOrigin: value.origin, value: value)
        var entries = entries
        if let index = entries.firstIndex(where: { $0.key == key }) {
            entries[index] = entry
        } else {
            entries.append(entry)
        }
        return ConfigTree(.mapping(entries), origin)
    }
}
