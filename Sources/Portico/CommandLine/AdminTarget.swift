import ArgumentParser
import Config
import Glibc
import Platform
import Supervisor

/// Which running server a command speaks to.
struct AdminTarget: ParsableArguments {
    @Option(help: ArgumentHelp("Its admin listener: unix:/run/admin.sock or 127.0.0.1:9000.", valueName: "address"))
    var admin: String?

    @Option(help: ArgumentHelp("Its process id, where several servers run.", valueName: "pid"))
    var pid: Int32?

    @OptionGroup var configuration: ConfigurationOptions

    /// For the help of each command.
    static let discussion = """
        The server of this user on this machine is found by itself. Where several run, name one with --pid; where the
        configuration moves the admin listener, name it with --admin, or give the same --config.
        """

    /// A server that listens under its abstract name.
    struct Running: Equatable {
        let user: UInt32
        let pid: Int32
        /// With its `@`.
        let name: String

        var address: Platform.ListenAddress { .unix(path: name) }

        /// What it was started as.
        var command: String {
            let bytes = (try? Descriptor.contents(ofFile: "/proc/\(pid)/cmdline")) ?? []
            return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
        }
    }

    /// The way to the server, or an explanation on standard error.
    func client() throws -> AdminClient {
        if let admin {
            guard let address = Platform.ListenAddress(admin.hasPrefix("@") ? "unix:" + admin : admin) else {
                throw ValidationError("--admin takes unix:/path, unix:@name or host:port; got '\(admin)'")
            }
            return AdminClient(address: address, token: token)
        }
        let running = Self.running()
        if let pid {
            if let found = running.first(where: { $0.pid == pid }) {
                return AdminClient(address: found.address, token: nil)
            }
            throw unavailable("no server with process id \(pid) has an admin listener of its own; name it with --admin")
        }
        switch running.count {
        case 1: return AdminClient(address: running[0].address, token: nil)
        case 0:
            if let configured = configuredAddress() { return AdminClient(address: configured, token: token) }
            throw unavailable("no server of this user runs on this machine")
        default:
            let list = running.map { "\n  --pid \($0.pid)  \($0.command)" }.joined()
            Console.error("several servers run; name one of them:\(list)")
            throw ArgumentParser.ExitCode(Supervisor.ExitCode.usage)
        }
    }

    private func unavailable(_ text: String) -> ArgumentParser.ExitCode {
        Console.error(text)
        return .unavailable
    }

    /// Where the configuration says that the admin listener is, if it says so.
    private func configuredAddress() -> Platform.ListenAddress? {
        guard case .success(let found) = Configuration.load(configuration.sources()),
            case .addresses(let addresses) = found.settings.admin.listen
        else { return nil }
        return addresses.first.map { Platform.ListenAddress($0) }
    }

    private var token: String? {
        if let token = Environment.all["APP_ADMIN_TOKEN"], !token.isEmpty { return token }
        guard case .success(let found) = Configuration.load(configuration.sources()) else { return nil }
        return found.settings.admin.token?.text
    }

    /// The servers of this user, for root of every user, that listen under their abstract names.
    static func running() -> [Running] {
        let table = (try? Descriptor.contents(ofFile: "/proc/net/unix")) ?? []
        let user = geteuid()
        return parse(String(decoding: table, as: UTF8.self)).filter { user == 0 || $0.user == user }
    }

    /// Reads `/proc/net/unix`: sockets that listen (flag `__SO_ACCEPTCON`).
    static func parse(_ table: String) -> [Running] {
        var found: [Running] = []
        for line in table.split(separator: "\n") {
            let fields = line.split(separator: " ", omittingEmptySubsequences: true)
            guard fields.count >= 8, fields[3] == "00010000", fields[7].hasPrefix("@portico-admin-") else { continue }
            let numbers = fields[7].dropFirst("@portico-admin-".count).split(separator: "-")
            guard numbers.count >= 2, let user = UInt32(numbers[0]), let pid = Int32(numbers[1]) else { continue }
            let server = Running(user: user, pid: pid, name: String(fields[7]))
            if !found.contains(server) { found.append(server) }
        }
        return found.sorted { $0.pid < $1.pid }
    }
}

extension AdminClient {
    /// As ``send(_:_:within:)``, with what went wrong on standard error.
    func ask(_ method: String, _ target: String, within limit: Duration = .seconds(10)) throws -> Answer {
        do throws(Failure) {
            return try send(method, target, within: limit)
        } catch {
            Console.error("\(error)")
            throw ArgumentParser.ExitCode.unavailable
        }
    }

    /// As ``ask(_:_:within:)``, of which only success counts; anything else ends the command with status 1.
    func demand(_ method: String, _ target: String, within limit: Duration = .seconds(10)) throws -> Answer {
        let answer = try ask(method, target, within: limit)
        guard (200..<300).contains(answer.status) else {
            Console.error(answer.text)
            throw ArgumentParser.ExitCode(1)
        }
        return answer
    }
}
