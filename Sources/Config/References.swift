/// Replaces `${secret:name}`, `${env:NAME}` and `${env:NAME:-otherwise}` in the values of a file. `$${` stands for
/// `${`.
struct References {
    /// The environment variables.
    var environment: [String: String]
    /// Where container platforms put secrets: `/run/secrets`.
    var secretsDirectory: String
    /// Relative names in `$NAME_FILE` are relative to it.
    var workingDirectory: String
    /// Whether references are looked up. Otherwise values with any are only marked, so that a section that was not
    /// chosen can be checked without its secrets.
    var isResolving = true
    /// Secrets that need not be looked for.
    var known: [String: Secret] = [:]

    /// A tree with every reference replaced.
    struct Outcome {
        var tree: ConfigTree
        /// What could not be replaced.
        var errors: [ConfigError] = []
        /// The secrets that were found, by name.
        var secrets: [String: Secret] = [:]
    }

    /// `tree` with every reference replaced, and what could not be.
    func resolved(_ tree: ConfigTree) -> Outcome {
        var outcome = Outcome(tree: tree)
        outcome.tree = resolved(tree, ConfigPath(), &outcome)
        return outcome
    }

    private func resolved(_ node: ConfigTree, _ path: ConfigPath, _ outcome: inout Outcome) -> ConfigTree {
        switch node.value {
        case .list(let elements):
            return ConfigTree(
                .list(elements.indices.map { resolved(elements[$0], path.appending($0), &outcome) }), node.origin)
        case .mapping(let entries):
            return ConfigTree(
                .mapping(
                    entries.map {
                        .init(
                            key: $0.key, keyOrigin: $0.keyOrigin,
                            value: resolved($0.value, path.appending($0.key), &outcome))
                    }), node.origin)
        case .scalar(let scalar):
            // What variables and flags say is taken literally.
            guard scalar.text.contains("${"), node.origin.filePath != nil else { return node }
            do {
                return try resolved(scalar, node.origin, &outcome.secrets)
            } catch {
                outcome.errors.append(ConfigError(error, at: node.origin, path: path))
                // Marked, so that the check does not complain about the same value again.
                var unresolved = scalar
                unresolved.isUnresolved = true
                return ConfigTree(.scalar(unresolved), node.origin)
            }
        }
    }

    private func resolved(
        _ scalar: ConfigTree.Scalar, _ origin: Origin, _ secrets: inout [String: Secret]
    ) throws(ConfigError.Problem) -> ConfigTree {
        var result = scalar
        var origin = origin
        var rest = scalar.text[...]
        result.text = ""
        result.isUnresolved = !isResolving
        while let start = rest.firstRange(of: "${") {
            if rest[..<start.lowerBound].hasSuffix("$") {
                result.text += rest[..<start.lowerBound].dropLast() + "${"
                rest = rest[start.upperBound...]
                continue
            }
            result.text += rest[..<start.lowerBound]
            guard let end = rest[start.upperBound...].firstIndex(of: "}") else {
                throw .syntax("'${' without '}' (write '$${' for the characters themselves)")
            }
            let reference = rest[start.upperBound..<end]
            rest = rest[rest.index(after: end)...]
            if reference.hasPrefix("secret:") {
                let name = String(reference.dropFirst(7))
                guard Self.isName(name) else {
                    throw .syntax("'${\(reference)}': a secret's name has letters, digits, '-' and '_'")
                }
                result.isSecret = true
                guard isResolving else { continue }
                let (text, source) = try secret(name)
                secrets[name] = Secret(text)
                result.text += text
                origin = .secret(source: source, at: origin)
            } else if reference.hasPrefix("env:") {
                result.text += try variable(reference.dropFirst(4)) ?? ""
            } else {
                throw .syntax(
                    "'${\(reference.prefix(40))}' is no reference: expected '${secret:name}' or '${env:NAME}' "
                        + "(write '$${' for the characters themselves)")
            }
        }
        result.text += rest
        if result.isUnresolved { result.text = scalar.text }
        return ConfigTree(.scalar(result), origin)
    }

    /// The value of `NAME` or `NAME:-otherwise`; nil when references are left alone.
    private func variable(_ reference: Substring) throws(ConfigError.Problem) -> String? {
        let separator = reference.firstRange(of: ":-")
        let name = String(reference[..<(separator?.lowerBound ?? reference.endIndex)])
        guard Self.isName(name) else {
            throw .syntax("'${env:\(reference.prefix(40))}': expected the name of a variable")
        }
        guard isResolving else { return nil }
        let value = environment[name]
        // As in the shell: `:-` also stands in for an empty value.
        if let separator {
            return value.flatMap { $0.isEmpty ? nil : $0 } ?? String(reference[separator.upperBound...])
        }
        guard let value else {
            throw .syntax("environment variable '\(name)' is not set: set it, or write '${env:\(name):-otherwise}'")
        }
        return value
    }

    private func secret(_ name: String) throws(ConfigError.Problem) -> (text: String, source: String) {
        if let secret = known[name] { return (secret.text, "the supervisor") }
        let variable = name.uppercased().replacing("-", with: "_")
        if let text = environment[variable], !text.isEmpty { return (text, "$\(variable)") }
        if let file = environment["\(variable)_FILE"], !file.isEmpty {
            let path = FilePath.absolute(file, in: workingDirectory)
            return (try read(path, of: name, named: "$\(variable)_FILE: \(file)"), "$\(variable)_FILE \(file)")
        }
        let path = "\(secretsDirectory)/\(name)"
        if case .failure(.missing) = ConfigFile.read(path, limit: Self.maximumBytes) {
            throw .missingSecret(name: name, places: ["$\(variable)", "$\(variable)_FILE", path])
        }
        return (try read(path, of: name, named: path), path)
    }

    private func read(_ path: String, of name: String, named place: String) throws(ConfigError.Problem) -> String {
        switch ConfigFile.read(path, limit: Self.maximumBytes) {
        case .failure(let failure):
            throw .unreadable(
                reason: "secret '\(name)' (\(place)): \(failure.reason)",
                remedy: "let the user of this process read the file")
        case .success(var bytes):
            // What editors and `echo` leave at the end belongs to the file, not to the secret.
            if bytes.last == 0x0A { bytes.removeLast() }
            if bytes.last == 0x0D { bytes.removeLast() }
            guard !bytes.isEmpty else {
                throw .unreadable(reason: "secret '\(name)' (\(place)) is empty", remedy: "write the secret into it")
            }
            guard UTF8Text.firstInvalidOffset(in: bytes) == nil else {
                throw .unreadable(
                    reason: "secret '\(name)' (\(place)) is not UTF-8 text", remedy: "encode it, as base64 for example")
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    private static let maximumBytes = 64 << 10

    private static func isName(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                (0x41...0x5A).contains(byte & 0xDF) || (0x30...0x39).contains(byte) || byte == 0x2D || byte == 0x5F
            }
    }
}

extension ConfigError.Problem: Error {}
