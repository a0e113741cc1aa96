import ArgumentParser
import Config
import Front
import HTTP
import NIOCore
import Platform
import Supervisor
import Web

/// The configuration's routes as the front router wants them.
struct RouteAssembly {
    let configuration: Configuration

    init(_ configuration: Configuration) { self.configuration = configuration }

    /// What is wrong with a route's regular expression, for the configuration's own checks.
    static func problem(ofExpression text: String) -> String? {
        do throws(PathExpression.Invalid) {
            _ = try PathExpression(text)
            return nil
        } catch {
            return "\(error)"
        }
    }

    /// What only a running program can check: that sites are in the binary, and that directories are there.
    func problems() -> [ConfigError] {
        var problems: [ConfigError] = []
        for site in configuration.settings.sites {
            switch site.source {
            case .swift(let name):
                if let code = SiteCatalog.shared[name] {
                    problems += code.problems(with: site.settings.mapValues(SettingText.init)).map {
                        configuration.error($0.text, at: place(of: site, "settings").appending($0.name))
                    }
                    continue
                }
                let known = SiteCatalog.shared.names.joined(separator: ", ")
                problems.append(
                    configuration.error(
                        "there is no site '\(name)' in this binary; it carries: \(known)",
                        at: place(of: site, "swift")))
            case .python: continue
            }
        }
        problems += PythonSites(configuration).problems + Accounts(configuration).problems
        problems += ProgramAssembly(configuration).problems
        do throws(RouteErrors) {
            let table = try table()
            for problem in table.check() {
                let route = configuration.settings.routes.first { $0.filesRoots.contains(problem.path) }
                problems.append(
                    configuration.error("\(problem)", at: route?.place.appending("files") ?? "routes"))
            }
        } catch {
            problems += error.errors.map {
                configuration.error($0.description, at: configuration.settings.routes[$0.index].place)
            }
        }
        return problems
    }

    /// Prints what ``problems()`` finds and exits with status 78.
    func verify() throws {
        let problems = problems()
        guard problems.isEmpty else {
            Console.error(ConfigErrors(problems).description)
            throw ArgumentParser.ExitCode.configuration
        }
    }

    private func place(of site: Config.SiteSettings, _ key: String) -> ConfigPath {
        ConfigPath([.key("sites"), .key(site.name), .key(key)])
    }

    /// The route table.
    func table() throws(RouteErrors) -> RouteTable {
        try RouteTable(configuration.settings.routes.map(declaration), sites: configuration.settings.sites.map(\.name))
    }

    private func declaration(_ route: RouteSettings) -> RouteDeclaration {
        let pattern: RoutePattern =
            switch route.pattern {
            case .prefix(let path): .prefix(path)
            case .exact(let path): .exact(path)
            case .expression(let text): .expression(text)
            }
        var actions: [RouteAction] = []
        var next: RouteSettings.Action? = route.action
        while let action = next {
            actions.append(self.action(action))
            if case .files(let files) = action { next = files.fallback } else { next = nil }
        }
        return RouteDeclaration(
            pattern, actions[0], fallback: Array(actions.dropFirst()), host: route.host,
            methods: route.methods.map { $0.map { Method($0) } },
            headers: HeaderEdits(set: route.headers.set.map { ($0.name, $0.value) }, remove: route.headers.remove),
            gzip: route.gzip ? gzip : nil, timeLimit: timeLimit(route))
    }

    /// Nil where `timeouts.request` holds.
    private func timeLimit(_ route: RouteSettings) -> SiteTimeLimit? {
        guard let name = route.siteName else { return nil }
        switch route.timeout ?? configuration.settings.site(named: name)?.timeout {
        case .within(let limit): return .after(TimeAmount(limit))
        case .off: return .never
        case nil: return nil
        }
    }

    private var gzip: GzipPolicy? {
        let gzip = configuration.settings.gzip
        return gzip.enabled ? GzipPolicy(minSize: gzip.minSize.bytes, level: gzip.level, types: gzip.types) : nil
    }

    private func action(_ action: RouteSettings.Action) -> RouteAction {
        switch action {
        case .files(let files): .files(fileSet(files))
        case .site(let name): .site(name)
        case .redirect(let target, let status): .redirect(target, Status(status))
        case .respond(let text, let status, let type):
            .respond(Status(status), body: Array(text.utf8), contentType: type)
        case .deny(let status): .deny(Status(status))
        }
    }

    private func fileSet(_ files: RouteSettings.Files) -> FileSet {
        var set = FileSet(.directory(files.root))
        set.index = files.index
        switch files.cache {
        case .age(let age): set.maxAge = age
        case .control(let text): set.cacheDirectives = text
        case nil: break
        }
        set.allowsDotFiles = files.dotFiles
        set.listsDirectories = files.listing
        set.servesPrecompressed = files.precompressed
        set.links =
            switch files.symlinks {
            case .within: .withinRoot
            case .never: .never
            case .follow: .anywhere
            }
        return set
    }
}

extension RouteSettings {
    /// The directories this route serves, fallbacks included.
    var filesRoots: [String] {
        var roots: [String] = []
        var next: Action? = action
        while case .files(let files) = next {
            roots.append(files.root)
            next = files.fallback
        }
        return roots
    }
}

extension RouteSettings {
    /// The site it leads to, by itself or in the end.
    var siteName: String? {
        var next: Action? = action
        while let action = next {
            switch action {
            case .site(let name): return name
            case .files(let files): next = files.fallback
            case .redirect, .respond, .deny: return nil
            }
        }
        return nil
    }
}
