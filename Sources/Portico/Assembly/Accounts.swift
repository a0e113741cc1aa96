import Config
import Glibc
import Platform

/// The users and groups that the configuration names, as this machine knows them.
struct Accounts {
    let configuration: Configuration
    private var settings: Settings { configuration.settings }

    init(_ configuration: Configuration) { self.configuration = configuration }

    /// Who serves; nil when this process is that already, or when the configuration does not say.
    var identity: ProcessIdentity? {
        guard let user = settings.user, let found = try? ProcessIdentity(user: user, group: settings.group) else {
            return nil
        }
        return found.isCurrent ? nil : found
    }

    /// Who a program is; nil for who serves.
    func identity(of program: ProgramSettings) -> ProcessIdentity? {
        guard let user = program.user, var found = try? ProcessIdentity(user: user, group: program.group) else {
            return nil
        }
        // What it starts is its own affair, as it is under other supervisors.
        found.mayGainPrivileges = true
        return found.isCurrent ? nil : found
    }

    /// Whether sites are served with all rights.
    var servesAsRoot: Bool {
        guard let user = settings.user else { return geteuid() == 0 }
        return (try? ProcessIdentity.user(user)) == 0
    }

    /// Names that this machine does not know.
    var problems: [ConfigError] {
        var problems: [ConfigError] = []
        check(settings.user, settings.group, [], &problems)
        checkAlone(settings.socket.user, "socket.user", ProcessIdentity.user, &problems)
        checkAlone(settings.socket.group, "socket.group", ProcessIdentity.group, &problems)
        for program in settings.programs { check(program.user, program.group, program.place.steps, &problems) }
        return problems
    }

    private func check(_ user: String?, _ group: String?, _ place: [ConfigPath.Step], _ problems: inout [ConfigError]) {
        guard let user else { return }
        do throws(ProcessIdentity.Unknown) { _ = try ProcessIdentity(user: user, group: group) } catch {
            let key = if case .group = error { "group" } else { "user" }
            problems.append(configuration.error("\(error)", at: ConfigPath(place + [.key(key)])))
        }
    }

    private func checkAlone(
        _ name: String?, _ path: ConfigPath, _ find: (String) throws(ProcessIdentity.Unknown) -> UInt32,
        _ problems: inout [ConfigError]
    ) {
        guard let name else { return }
        do throws(ProcessIdentity.Unknown) { _ = try find(name) } catch {
            problems.append(configuration.error("\(error)", at: path))
        }
    }

    /// What stands in the way of serving as the configuration wants it: users that cannot be had, files that they may not write.
    func obstacles(readyFile: String? = nil) -> [ConfigError] {
        let problems = unreachable
        return problems.isEmpty ? WritableFiles(configuration).problems(readyFile: readyFile) : problems
    }

    /// Users that this process cannot become: known names, and no right to them.
    var unreachable: [ConfigError] {
        let wanted =
            [(identity, ConfigPath([.key("user")]))]
            + settings.programs.map {
                (identity(of: $0), $0.place.appending("user"))
            }
        return wanted.compactMap { identity, place in
            guard let identity else { return nil }
            guard let reason = Self.obstacle(to: identity) else { return nil }
            return configuration.error(
                "cannot become \(identity): \(reason); start as root, or as that user without 'user'", at: place)
        }
    }

    private static func obstacle(to identity: ProcessIdentity) -> String? {
        do throws(SystemError) {
            let answer = try identity.access([("/", F_OK)])[0]
            return answer == 0 ? nil : SystemError.message(answer)
        } catch {
            return "\(error)"
        }
    }

    /// Makes this process be who serves, for commands that would else leave root's files behind or run a site's code as
    /// root.
    func assume() throws(SystemError) { try identity?.assume() }
}

extension ListeningSocket.FileAccess {
    /// Who may connect to the Unix sockets of the configuration.
    init(_ configuration: Configuration) {
        let socket = configuration.settings.socket
        let server = Accounts(configuration).identity
        self.init(
            mode: UInt32(socket.mode), user: socket.user.flatMap { try? ProcessIdentity.user($0) } ?? server?.user,
            group: socket.group.flatMap { try? ProcessIdentity.group($0) } ?? server?.group)
    }
}
