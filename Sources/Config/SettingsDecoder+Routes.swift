extension SettingsDecoder {
    func routes() throws(ConfigError) -> [RouteSettings] {
        var routes: [RouteSettings] = []
        for index in (tree["routes"]?.elements ?? []).indices {
            let place = ConfigPath([.key("routes"), .index(index)])
            let pattern = try text(place.appending("path"))
            let headers = place.appending("headers")
            routes.append(
                RouteSettings(
                    host: tree[place.appending("host")]?.scalar?.text.lowercased(),
                    pattern: pattern.hasPrefix("=")
                        ? .exact(String(pattern.dropFirst()))
                        : pattern.hasPrefix("~") ? .expression(String(pattern.dropFirst())) : .prefix(pattern),
                    methods: tree[place.appending("methods")] == nil
                        ? nil : try optionalList(place.appending("methods")),
                    action: try action(place),
                    headers: .init(
                        set: (tree[headers.appending("set")]?.entries ?? []).map {
                            .init(name: $0.key, value: $0.value.scalar?.text ?? "")
                        },
                        remove: try optionalList(headers.appending("remove"))),
                    gzip: try boolean(place.appending("gzip")),
                    timeout: try optionalLimit(place.appending("timeout")),
                    place: place))
        }
        return routes
    }

    private func action(_ place: ConfigPath) throws(ConfigError) -> RouteSettings.Action {
        let node = tree[place]
        let status = node?["status"]?.scalar.flatMap { Validator.integer($0.text) }
        if node?["site"] != nil { return .site(try text(place.appending("site"))) }
        if node?["redirect"] != nil {
            return .redirect(target: try text(place.appending("redirect")), status: status ?? 302)
        }
        if node?["respond"] != nil {
            return .respond(
                text: try text(place.appending("respond")), status: status ?? 200,
                contentType: node?["content-type"]?.scalar?.text ?? "text/plain; charset=utf-8")
        }
        if node?["deny"] != nil { return .deny(status: status ?? 403) }
        var cache: RouteSettings.Files.Cache?
        if let text = node?["cache"]?.scalar?.text {
            cache = Duration(configurationText: text).map { .age($0) } ?? .control(text)
        }
        return .files(
            .init(
                root: try path(place.appending("files")), cache: cache,
                index: try list(place.appending("index")) { text, _ in text },
                dotFiles: try boolean(place.appending("dot-files")), listing: try boolean(place.appending("listing")),
                precompressed: try boolean(place.appending("precompressed")),
                symlinks: try word(place.appending("symlinks")),
                fallback: try fallback(place.appending("fallback"))))
    }

    private func fallback(_ place: ConfigPath) throws(ConfigError) -> RouteSettings.Action? {
        guard let node = tree[place] else { return nil }
        if let name = node.scalar?.text { return .site(name) }
        return try action(place)
    }
}
