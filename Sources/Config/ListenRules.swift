/// What must hold between the addresses of `listen`.
enum ListenRules {
    /// An address that is there twice; port 0 is another port each time.
    static func check(_ tree: ConfigTree) -> [ConfigError] {
        var seen: Set<ListenAddress> = []
        var errors: [ConfigError] = []
        let path: ConfigPath = "listen"
        let elements = tree["listen"]?.elements ?? []
        if let node = tree["listen"], case .list = node.value, elements.isEmpty {
            errors.append(ConfigError(.missing(expected: "at least one address"), at: node.origin, path: path))
        }
        for (index, element) in elements.enumerated() {
            guard let scalar = element.scalar, let address = ListenAddress(parsing: scalar.text) else { continue }
            if case .tcp(_, port: 0) = address { continue }
            if !seen.insert(address).inserted {
                errors.append(
                    ConfigError(
                        .conflict("\(Validator.described(element)) is listened on already"), at: element.origin,
                        path: path.appending(index)))
            }
        }
        return errors
    }
}
