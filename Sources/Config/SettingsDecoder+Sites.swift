extension SettingsDecoder {
    func sites() throws(ConfigError) -> [SiteSettings] {
        var sites: [SiteSettings] = []
        for entry in tree["sites"]?.entries ?? [] {
            let place = ConfigPath([.key("sites"), .key(entry.key)])
            let source: SiteSettings.Source
            if let name = entry.value["swift"]?.scalar?.text {
                source = .swift(name)
            } else {
                let parts = try text(place.appending("python")).split(separator: ":")
                source = .python(module: String(parts.first ?? ""), callable: String(parts.last ?? ""))
            }
            sites.append(
                SiteSettings(
                    name: entry.key, source: source, gateway: try word(place.appending("gateway")),
                    database: try optionalPath(place.appending("database")),
                    directory: try optionalPath(place.appending("directory")),
                    virtualenv: try optionalPath(place.appending("virtualenv")),
                    interpreter: try optionalPath(place.appending("interpreter")),
                    loop: entry.value["loop"]?.scalar.flatMap { SiteSettings.Loop(rawValue: $0.text) } ?? .asyncio,
                    timeout: try optionalLimit(place.appending("timeout")),
                    settings: Dictionary(
                        (entry.value["settings"]?.entries ?? []).map { ($0.key, Self.value($0.value)) },
                        uniquingKeysWith: { $1 })))
        }
        return sites
    }

    /// YAML 1.2's core schema: quoted is text.
    static func value(_ node: ConfigTree) -> SiteSettings.Value {
        guard let scalar = node.scalar else { return .text("") }
        if scalar.isSecret { return .secret(Secret(scalar.text)) }
        switch JSONWriter.Kind(scalar) {
        case .boolean(let value): return .boolean(value)
        case .integer(let value): return .integer(value)
        case .number(let value): return .number(value)
        case .text, .null: return .text(scalar.text)
        }
    }
}
