import Config
import Platform
import Web

/// What should not go into production, with ids like those of Django's deployment checklist: the configuration as a whole,
/// and the machine it is on. (What is wrong with a site is said by ``SiteApplication/check()``.)
struct DeploymentChecks {
    let configuration: Configuration
    let facts: DeploymentFacts
    private var settings: Settings { configuration.settings }

    init(_ configuration: Configuration, facts: DeploymentFacts = .current()) {
        self.configuration = configuration
        self.facts = facts
    }

    /// Every check there is: its id, and what it finds. The README has the same table.
    static let catalogue: [(id: String, finds: String)] = [
        ("deploy.E001", "`debug` is on"),
        ("deploy.E002", "there are sites and no `secret-key`"),
        ("deploy.W002", "`secret-key` is short, hardly varies, or is one that a tool wrote for development"),
        ("deploy.W003", "`allowed-hosts` lets every host through"),
        ("deploy.E004", "sites run as root"),
        ("deploy.W005", "requests come over the network without TLS"),
        ("deploy.W006", "cookies are not marked `Secure`"),
        ("deploy.E007", "anybody may write to the configuration, to code, or to files that are served"),
        ("deploy.W008", "the root file system of the container can be written to"),
        ("deploy.E009", "the admin listener can be reached over the network"),
        ("deploy.E010", "a SQLite database is on a network file system"),
        ("deploy.W011", "a SQLite database is in memory or in the container's own layer, and will be lost"),
        ("deploy.W012", "a SQLite database is in a pod of Kubernetes, which may have replicas"),
        ("deploy.W013", "`timeouts.request` is off"),
        ("deploy.W014", "the access log of a container goes to a file"),
        ("deploy.W015", "`log.level` is `trace` or `debug`"),
        ("deploy.W016", "`secret-key` stands in the configuration file itself"),
        ("deploy.E017", "live `reload` is on"),
    ]

    /// All findings.
    var messages: [CheckMessage] { secrets + exposure + machine + databases + operation }

    private var hasSites: Bool { !settings.sites.isEmpty }

    private var swiftSites: [Config.SiteSettings] {
        settings.sites.filter(\.isSwift)
    }

    // MARK: - Secrets

    private var secrets: [CheckMessage] {
        guard let key = settings.secretKey else {
            return !hasSites
                ? []
                : [
                    error(
                        "E002",
                        "no secret-key: what is signed is void after every restart, and differs between machines",
                        "secret-key: ${secret:secret_key}, and the secret in /run/secrets/secret_key or $SECRET_KEY")
                ]
        }
        var messages: [CheckMessage] = []
        if !SecretKey(key.text).isStrong {
            messages.append(
                warning(
                    "W002",
                    "secret-key can be guessed: fewer than 50 characters, hardly varied, or made for development",
                    "make one: head -c 48 /dev/urandom | base64"))
        }
        if case .file = configuration.origin(of: "secret-key") {
            messages.append(
                warning(
                    "W016", "secret-key stands in the file, and with it in every copy and every version of it",
                    "secret-key: ${secret:secret_key}, and the secret in /run/secrets/secret_key or $SECRET_KEY"))
        }
        return messages
    }

    // MARK: - What is seen from outside

    private var exposure: [CheckMessage] {
        var messages: [CheckMessage] = []
        if settings.debug {
            messages.append(
                error(
                    "E001", "debug is on: error pages and the debug toolbar show the sites' insides to everybody",
                    "set debug: false for this environment"))
        }
        if settings.reload.live {
            messages.append(
                error(
                    "E017",
                    "live reload is on: its script is in every page, and code that does not work is shown to everybody",
                    "set reload: {live: false} for this environment, and serve with app serve"))
        }
        if settings.allowedHosts.contains("*"), hasSites {
            messages.append(
                warning(
                    "W003", "allowed-hosts lets every Host through, and links in mails and redirects may lead to it",
                    "name the hosts the sites are reached by"))
        }
        let open = settings.listen.filter(\.isReachable).map { "\($0)" }
        if !open.isEmpty {
            messages.append(
                warning(
                    "W005", "\(open.joined(separator: ", ")) takes requests from the network without TLS",
                    "listen on 127.0.0.1 or a Unix socket behind a proxy that speaks TLS, or let nothing but it through"
                ))
        }
        var admin = settings.admin.stats
        if case .addresses(let addresses) = settings.admin.listen { admin += addresses }
        for address in admin where address.isReachable {
            messages.append(
                error(
                    "E009", "the admin listener on \(address) tells the network what is served, to whom and how fast",
                    "admin: unix:/run/app/admin.sock, or 127.0.0.1:9000; let a scraper in by the network's own means"))
        }
        if !swiftSites.isEmpty, !settings.cookies.secure {
            messages.append(
                warning(
                    "W006", "cookies are not marked Secure: one request over plain HTTP gives them away",
                    "set cookies: {secure: true} once the sites are reached over https alone"))
        }
        return messages
    }

    // MARK: - The machine

    private var machine: [CheckMessage] {
        var messages: [CheckMessage] = []
        if Accounts(configuration).servesAsRoot, facts.isRoot {
            messages.append(
                error(
                    "E004", "sites run as root: who takes over one of them has the machine",
                    "set user: (and group:), or start as a user of its own; in an image: USER 65532"))
        }
        for (path, what) in files {
            guard let mode = facts.mode(path), mode & 0o002 != 0, mode & 0o1000 == 0 else { continue }
            messages.append(
                error("E007", "anybody may write to \(path), \(what)", "chmod o-w \(path)"))
        }
        if facts.isContainer, !facts.isRootFileSystemReadOnly {
            messages.append(
                warning(
                    "W008", "the container's root file system can be written to, by an intruder as well",
                    "start it read-only with a volume for data and a tmpfs for /tmp: docker run --read-only, or "
                        + "readOnlyRootFilesystem: true"))
        }
        return messages
    }

    /// What nobody else should be able to change.
    private var files: [(path: String, what: String)] {
        var files: [(String, String)] = []
        if let path = configuration.filePath {
            files.append((path, "the configuration"))
            files.append((FileName.directory(of: path), "the directory of the configuration"))
        }
        for entry in PythonSites(configuration).entries {
            files.append((entry.directory, "the code of site '\(entry.site.name)'"))
            if let environment = entry.site.virtualenv {
                files.append((environment, "the packages of '\(entry.site.name)'"))
            }
        }
        for route in settings.routes {
            if case .files(let set) = route.action { files.append((set.root, "which is served")) }
        }
        var seen: Set<String> = []
        return files.filter { seen.insert($0.0).inserted }
    }

    // MARK: - Databases

    private var databases: [CheckMessage] {
        var messages: [CheckMessage] = []
        for site in swiftSites {
            guard let path = site.database else { continue }
            switch facts.fileSystem(path) {
            case .network(let name):
                messages.append(
                    error(
                        "E010",
                        "the database of site '\(site.name)' is on \(name): SQLite's locks do not hold there, and "
                            + "write-ahead logging damages the file when two machines have it open",
                        "put \(path) on a disk of this machine"))
            case .memory:
                messages.append(lost(site, path, "in memory: it is gone with the machine"))
            case .overlay where facts.isContainer:
                messages.append(lost(site, path, "in the container's own layer: it is gone with the container"))
            case .local, .overlay, nil: break
            }
        }
        if facts.isKubernetes, let site = swiftSites.first(where: { $0.database != nil }) {
            messages.append(
                warning(
                    "W012", "site '\(site.name)' has its data in SQLite, in a pod: each replica would have its own",
                    "one replica, strategy: Recreate and a ReadWriteOnce volume; then silence this"))
        }
        return messages
    }

    private func lost(_ site: Config.SiteSettings, _ path: String, _ where_: String) -> CheckMessage {
        warning("W011", "the database of site '\(site.name)' is \(where_)", "put \(path) on a volume")
    }

    // MARK: - Operation

    private var operation: [CheckMessage] {
        var messages: [CheckMessage] = []
        if case .off = settings.timeouts.request, hasSites {
            messages.append(
                warning(
                    "W013", "timeouts.request is off: one that hangs keeps its thread for ever",
                    "set a limit, and a longer one on the routes that need it"))
        }
        if case .file(let path) = settings.log.access, facts.isContainer {
            messages.append(
                warning(
                    "W014",
                    "the access log goes to \(path) in a container, where nobody rotates it and few look for it",
                    "log: {access: true}, and let the platform collect what is said on standard output"))
        }
        if settings.log.level == .trace || settings.log.level == .debug {
            messages.append(
                warning(
                    "W015",
                    "log.level is \(settings.log.level.rawValue): much of what is logged is not meant for keeping",
                    "log: {level: info}"))
        }
        return messages
    }

    private func error(_ id: String, _ text: String, _ hint: String) -> CheckMessage {
        CheckMessage("deploy.\(id)", .error, text, hint: hint)
    }

    private func warning(_ id: String, _ text: String, _ hint: String) -> CheckMessage {
        CheckMessage("deploy.\(id)", .warning, text, hint: hint)
    }
}

extension Config.ListenAddress {
    /// Whether it can be reached from other machines, as far as the address tells.
    fileprivate var isReachable: Bool {
        switch self {
        case .tcp(let host?, _): !(host == "localhost" || host == "::1" || host.hasPrefix("127."))
        case .tcp(nil, _): true
        case .unix, .inherited: false
        }
    }
}
