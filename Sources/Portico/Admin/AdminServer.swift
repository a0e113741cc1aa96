import Config
import Gateway
import Glibc
import Logging
import NIOCore
import Platform
import Server
import Supervisor
import Synchronization
import Telemetry

/// The admin listener: status and commands, on an event loop of its own in the process that supervises the workers. Nothing
/// in it waits for a worker.
final class AdminServer: Sendable {
    private let server: HTTPServer?
    private let listeners: [ListeningSocket]
    private let stats: StatsListener?

    /// Opens what the configuration names. What cannot be opened is said once in the log, and served without.
    init(_ settings: Settings.Admin, source: ServerStatusSource, commands: SupervisorCommands, logger: Logger) {
        let listeners =
            switch settings.listen {
            case .off: [] as [ListeningSocket]
            case .standard: Self.bindStandard(logger)
            case .addresses(let addresses):
                addresses.compactMap { Self.bind(Platform.ListenAddress($0), key: "admin", logger) }
            }
        let stats = settings.stats.compactMap { Self.bind(Platform.ListenAddress($0), key: "stats", logger) }
        let access = AdminAccess(token: settings.token?.text)
        var server: HTTPServer?
        if !listeners.isEmpty {
            do {
                let made = try HTTPServer(
                    loopCount: 1, options: Self.options, logger: logger,
                    makeHandler: { _ in AdminHandler(source: source, commands: commands, access: access) },
                    makeObserver: { _ in nil })
                for listener in listeners { try made.serve(descriptor: listener.descriptor, admits: Self.admits) }
                server = made
            } catch {
                logger.error("the admin listener does not work: \(error); serving without it")
            }
        }
        self.server = server
        self.listeners = listeners
        self.stats = stats.isEmpty ? nil : StatsListener(stats, source: source, logger: logger)
    }

    /// Stops answering and takes the sockets away.
    func stop() {
        stats?.stop()
        if let server {
            _ = server.drain(DrainLimits(requests: .seconds(1)))
            server.shutdown()
        }
        for listener in listeners { listener.close() }
    }

    /// The abstract name by which the commands of this machine find a server.
    static func abstractName(user: UInt32, pid: Int32) -> String { "@portico-admin-\(user)-\(pid)" }

    /// A process id is unique in its namespace alone, while abstract names belong to the network's: whoever finds its name taken
    /// takes the next.
    private static func bindStandard(_ logger: Logger) -> [ListeningSocket] {
        let name = abstractName(user: geteuid(), pid: getpid())
        for suffix in [""] + (2...16).map({ "-\($0)" }) {
            do throws(BindError) {
                return [try ListeningSocket.bind(.unix(path: name + suffix))]
            } catch .addressInUse {
                continue
            } catch {
                logger.error("admin: \(error); serving without it")
                return []
            }
        }
        logger.error("admin: \(name) and its like are taken; serving without it")
        return []
    }

    private static func bind(_ address: Platform.ListenAddress, key: String, _ logger: Logger) -> ListeningSocket? {
        do throws(BindError) {
            return try ListeningSocket.bind(address, file: .init(mode: 0o600))
        } catch {
            logger.error("\(key): \(error); serving without it")
            return nil
        }
    }

    /// On a Unix socket, only this user and root are heard.
    static func admits(_ descriptor: CInt) -> Bool {
        guard let peer = PeerCredentials(of: descriptor) else { return true }
        return peer.user == 0 || peer.user == geteuid()
    }

    private static var options: ServerOptions {
        var options = ServerOptions()
        options.connectionLimit = 64
        options.limits.bodySize = 16 * 1024
        options.timeouts.keepAlive = .seconds(60)
        return options
    }
}
