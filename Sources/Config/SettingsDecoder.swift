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
}
