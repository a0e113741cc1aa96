/// Reads `Settings` out of a tree that has been checked and completed.
///
/// It throws only if declarations and settings disagree, which a test rules out.
struct SettingsDecoder {
    let tree: ConfigTree
    /// The directory a relative path is relative to, by where it was written.
    let baseDirectory: (Origin) -> String

    func settings() throws(ConfigError) -> Settings {
        Settings(
            listen: try list("listen", of: address),
            user: optionalText("user"), group: optionalText("group"),
            umask: try tree["umask"].map { _ throws(ConfigError) in try mode("umask") },
            socket: .init(
                mode: try mode("socket.mode"), user: optionalText("socket.user"), group: optionalText("socket.group")),
            workers: .init(
                mode: try word("workers.mode"), count: try count("workers.count"),
                min: try optional("workers.min", Validator.integer),
                max: try optional("workers.max", Validator.integer),
                idle: try optional("workers.idle", Duration.init(configurationText:)),
                threads: try integer("workers.threads"),
                maxRequests: try optional("workers.max-requests", Validator.integer),
                maxAge: try optional("workers.max-age", Duration.init(configurationText:)),
                maxMemory: try optional("workers.max-memory", ByteCount.init(parsing:)),
                jitter: try integer("workers.jitter"), startAttempts: try integer("workers.start-attempts"),
                needs: try optionalList("workers.needs")),
            gzip: .init(
                enabled: try boolean("gzip.enabled"), minSize: try size("gzip.min-size"),
                level: try integer("gzip.level"), types: try list("gzip.types") { text, _ in text.lowercased() }),
            reload: .init(
                live: try boolean("reload.live"),
                touch: try list("reload.touch") { FilePath.absolute($0, in: baseDirectory($1)) },
                config: try boolean("reload.config"), surge: try integer("reload.surge")),
            warmUp: try list("warm-up") { text, _ in text },
            limits: .init(
                headerSize: try size("limits.header-size"), headers: try integer("limits.headers"),
                targetSize: try size("limits.target-size"), bodySize: try size("limits.body-size"),
                bodyMemory: try size("limits.body-memory"), connections: try count("limits.connections"),
                queue: try integer("limits.queue"), queueTime: try limit("limits.queue-time"), memory: try memory(),
                filesCache: try size("limits.files-cache")),
            timeouts: .init(
                header: try duration("timeouts.header"), body: try duration("timeouts.body"),
                write: try duration("timeouts.write"), keepAlive: try duration("timeouts.keep-alive"),
                request: try limit("timeouts.request"), grace: try duration("timeouts.grace"),
                stuck: try limit("timeouts.stuck"), drain: try duration("timeouts.drain"),
                linger: try duration("timeouts.linger"), preDrain: try duration("timeouts.pre-drain"),
                start: try duration("timeouts.start")),
            websocket: .init(
                maxSize: try size("websocket.max-size"), pingInterval: try duration("websocket.ping-interval"),
                pingTimeout: try duration("websocket.ping-timeout"),
                compression: try boolean("websocket.compression")),
            log: .init(
                format: try word("log.format"), level: try word("log.level"), access: try access(),
                statuses: try list("log.statuses") { text, _ in StatusSet(text) }, slow: try limit("log.slow")),
            health: try boolean("health.enabled")
                ? .init(live: try text("health.live"), ready: try text("health.ready")) : .init(live: nil, ready: nil),
            admin: .init(
                listen: try adminListen(), token: (tree["admin-token"]?.scalar?.text).map(Secret.init),
                stats: try list("stats", of: adminAddress)),
            serverHeader: try serverHeader(),
            debug: try boolean("debug"),
            debugToolbar: try boolean("debug-toolbar"),
            editor: tree["editor"]?.scalar?.text,
            secretKey: (tree["secret-key"]?.scalar?.text).map(Secret.init),
            cookies: .init(secure: try boolean("cookies.secure")),
            allowedHosts: try list("allowed-hosts") { text, _ in text.lowercased() },
            tempDirectory: try path("temp-directory"),
            sites: try sites(),
            routes: try routes(),
            programs: try programs(),
            silencedChecks: try optionalList("silenced-checks"),
            smoke: (tree["smoke"]?.elements ?? []).enumerated().map { index, node in
                SmokeStep(node, at: ConfigPath([.key("smoke"), .index(index)]))
            })
    }

    // MARK: - Programs

    private func programs() throws(ConfigError) -> [ProgramSettings] {
        var programs: [ProgramSettings] = []
        for entry in tree["programs"]?.entries ?? [] {
            let place = ConfigPath([.key("programs"), .key(entry.key)])
            programs.append(
                ProgramSettings(
                    name: entry.key, command: try command(place.appending("command")),
                    directory: try optionalPath(place.appending("directory")),
                    environment: Dictionary(
                        (entry.value["environment"]?.entries ?? []).map { ($0.key, $0.value.scalar?.text ?? "") },
                        uniquingKeysWith: { $1 }),
                    user: optionalText(place.appending("user")), group: optionalText(place.appending("group")),
                    needs: try optionalList(place.appending("needs")), ready: try ready(place.appending("ready")),
                    restart: try word(place.appending("restart")),
                    success: try list(place.appending("success")) { text, _ in Validator.integer(text) },
                    startAttempts: try integer(place.appending("start-attempts")),
                    startTimeout: try duration(place.appending("start-timeout")),
                    stopSignal: try text(place.appending("stop-signal")),
                    stopTimeout: try duration(place.appending("stop-timeout")),
                    essential: try boolean(place.appending("essential"))))
        }
        return programs
    }

    private func command(_ path: ConfigPath) throws(ConfigError) -> [String] {
        guard let text = tree[path]?.scalar?.text else { return try list(path) { text, _ in text } }
        do throws(CommandText.Problem) { return try CommandText.words(text) } catch {
            throw ConfigError(.syntax(error.text), at: tree.origin(of: path), path: path)
        }
    }

    private func ready(_ path: ConfigPath) throws(ConfigError) -> ProgramSettings.Ready? {
        guard let node = tree[path] else { return nil }
        if node["after"] != nil { return .after(try duration(path.appending("after"))) }
        if node["http"] != nil { return .http(try text(path.appending("http"))) }
        if node["file"] != nil { return .file(try self.path(path.appending("file"))) }
        if node["line"] != nil { return .line(try text(path.appending("line"))) }
        if node["exit"] != nil { return .exit }
        guard node["tcp"] != nil else { return nil }
        let place = path.appending("tcp")
        switch try read(place, ListenAddress.init(parsing:)) {
        case .unix(let file):
            return .tcp(.unix(path: FilePath.absolute(file, in: baseDirectory(tree.origin(of: place)))))
        case let address: return .tcp(address)
        }
    }

    private func address(_ text: String, _ origin: Origin) -> ListenAddress? {
        if case .unix(let path)? = ListenAddress(parsing: text) {
            return .unix(path: FilePath.absolute(path, in: baseDirectory(origin)))
        }
        return ListenAddress(parsing: text)
    }

    /// As ``address(_:_:)``; `unix:@name` is a name that is in no directory.
    private func adminAddress(_ text: String, _ origin: Origin) -> ListenAddress? {
        text.hasPrefix("unix:@") ? ListenAddress(parsing: text) : address(text, origin)
    }

    private func adminListen() throws(ConfigError) -> Settings.Admin.Listen {
        if let truth = tree["admin"]?.scalar.flatMap({ Validator.boolean($0.text) }) { return truth ? .standard : .off }
        let addresses = try list("admin", of: adminAddress)
        return addresses.isEmpty ? .off : .addresses(addresses)
    }

    private func access() throws(ConfigError) -> Settings.Log.Access {
        switch Validator.boolean(try text("log.access")) {
        case true: .standardOutput
        case false: .off
        case nil: .file(try path("log.access"))
        }
    }

    private func memory() throws(ConfigError) -> Settings.Limits.Memory {
        switch try text("limits.memory") {
        case "auto": .auto
        case "off": .off
        default: .exactly(try size("limits.memory"))
        }
    }

    private func serverHeader() throws(ConfigError) -> Settings.ServerHeader {
        let text = try text("server-header")
        return switch Validator.boolean(text) {
        case true: .standard
        case false: .off
        case nil: .text(text)
        }
    }

    // MARK: - Sites

    private func sites() throws(ConfigError) -> [SiteSettings] {
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

    // MARK: - Routes

    private func routes() throws(ConfigError) -> [RouteSettings] {
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

// MARK: - Values

extension SettingsDecoder {
    private func mismatch(_ path: ConfigPath) -> ConfigError {
        ConfigError(.missing(expected: "a value"), at: tree.origin(of: path), path: path)
    }

    private func text(_ path: ConfigPath) throws(ConfigError) -> String {
        guard let scalar = tree[path]?.scalar else { throw mismatch(path) }
        return scalar.text
    }

    private func read<Value>(_ path: ConfigPath, _ parse: (String) -> Value?) throws(ConfigError) -> Value {
        guard let value = parse(try text(path)) else { throw mismatch(path) }
        return value
    }

    private func optional<Value>(
        _ path: ConfigPath, _ parse: (String) -> Value?
    ) throws(ConfigError) -> Value? {
        tree[path] == nil ? nil : try read(path, parse)
    }

    private func integer(_ path: ConfigPath) throws(ConfigError) -> Int { try read(path, Validator.integer) }
    private func boolean(_ path: ConfigPath) throws(ConfigError) -> Bool { try read(path, Validator.boolean) }
    private func size(_ path: ConfigPath) throws(ConfigError) -> ByteCount { try read(path, ByteCount.init(parsing:)) }
    private func duration(_ path: ConfigPath) throws(ConfigError) -> Duration {
        try read(path, Duration.init(configurationText:))
    }
    private func limit(_ path: ConfigPath) throws(ConfigError) -> TimeLimit {
        try read(path, TimeLimit.init(configurationText:))
    }
    private func optionalLimit(_ path: ConfigPath) throws(ConfigError) -> TimeLimit? {
        tree[path] == nil ? nil : try limit(path)
    }
    private func word<Word: RawRepresentable<String>>(_ path: ConfigPath) throws(ConfigError) -> Word {
        try read(path, Word.init(rawValue:))
    }
    private func count(_ path: ConfigPath) throws(ConfigError) -> Settings.Count {
        try read(path) { $0 == "auto" ? .auto : Validator.integer($0).map { .exactly($0) } }
    }

    private func optionalText(_ path: ConfigPath) -> String? { tree[path]?.scalar?.text }
    private func mode(_ path: ConfigPath) throws(ConfigError) -> Int {
        try read(path) { Int($0.hasPrefix("0o") ? $0.dropFirst(2) : $0[...], radix: 8) }
    }

    private func path(_ path: ConfigPath) throws(ConfigError) -> String {
        FilePath.absolute(try text(path), in: baseDirectory(tree.origin(of: path)))
    }
    private func optionalPath(_ path: ConfigPath) throws(ConfigError) -> String? {
        tree[path] == nil ? nil : try self.path(path)
    }

    private func list<Element>(
        _ path: ConfigPath, of element: (String, Origin) -> Element?
    ) throws(ConfigError) -> [Element] {
        guard let node = tree[path] else { throw mismatch(path) }
        let elements = node.elements.compactMap { item in item.scalar.flatMap { element($0.text, item.origin) } }
        guard elements.count == node.elements.count else { throw mismatch(path) }
        return elements
    }
    private func optionalList(_ path: ConfigPath) throws(ConfigError) -> [String] {
        tree[path] == nil ? [] : try list(path) { text, _ in text }
    }
}
