import Config
import Glibc
import Platform
import Synchronization

/// `app serve`, started for the steps on a free port of the loopback, with data of its own unless told otherwise.
final class SmokeServer: Sendable {
    /// Why it does not serve.
    struct StartFailure: Error {
        let message: String
        let exitStatus: Int32
    }

    private let pid: Int32
    private let data: TemporaryData
    private let output: Int32
    private let isStopped = Atomic(false)

    /// Starts it.
    /// - Parameters:
    ///   - keepsData: serve the databases that the configuration names, instead of new ones.
    ///   - lifetime: how long it serves at most, should nobody be there any more to stop it.
    init(
        _ configuration: Configuration, _ options: ConfigurationOptions, keepsData: Bool, lifetime: Duration
    ) throws(SystemError) {
        var environment = Environment.all
        let data = try TemporaryData(environment: environment)
        var arguments = [
            "app", "serve", "--listen", "127.0.0.1:0", "--ready-file", data["ready"], "--exit-after",
            lifetime.configurationText,
        ]
        if let path = options.path { arguments += ["--config", path] }
        arguments += ["--env", configuration.environmentName]
        for assignment in options.assignments { arguments += ["--set", assignment] }
        // Nobody else asks it: nobody has to be told that it stops.
        for setting in ["log.access=false", "timeouts.pre-drain=0s", "timeouts.linger=0s"] {
            arguments += ["--set", setting]
        }
        environment["APP_SMOKE"] = "1"
        // Sockets that were handed over are for the real server.
        for name in ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"] { environment[name] = nil }
        if !keepsData {
            environment["APP_DATA"] = data.path
            for site in configuration.settings.sites where site.database != nil {
                arguments += ["--set", "sites.\(site.name).database=\(data[site.name]).sqlite3"]
            }
        }
        self.data = data
        // The workers' user writes there, should they not be root's.
        if let identity = Accounts(configuration).identity { chown(data.path, identity.user, identity.group) }
        do throws(SystemError) {
            let output = try MemoryFile.make(name: "smoke-log", [])
            pid = try ChildProcess.spawn(
                executable: ChildProcess.currentExecutable, arguments: arguments, environment: environment,
                descriptors: [(output.rawValue, 1), (output.rawValue, 2)])
            self.output = output.release()
        } catch {
            data.remove()
            throw error
        }
    }

    deinit { close(output) }

    /// Waits until it serves; where it does.
    func waitUntilReady(within limit: Duration) throws -> ClientAddress {
        let deadline = MonotonicTime.now() + limit
        while true {
            if let text = try? Descriptor.contents(ofFile: data["ready"]),
                let url = String(decoding: text, as: UTF8.self).split(separator: "\n").first
            {
                return try ClientAddress.parse(String(url)).address
            }
            if let status = ChildProcess.reap(pid) {
                isStopped.store(true, ordering: .releasing)
                data.remove()
                var code: Int32 = 1
                if case .exited(let own) = status, own != 0 { code = own }
                throw StartFailure(message: "\(log)the server did not start: \(status)", exitStatus: code)
            }
            guard MonotonicTime.now() < deadline else {
                stop(within: .zero)
                throw StartFailure(message: "\(log)the server is not ready within \(limit)", exitStatus: 1)
            }
            usleep(5_000)
        }
    }

    /// Ends it and removes its data; how it ended, nil when it had to be killed.
    @discardableResult
    func stop(within limit: Duration) -> ProcessStatus? {
        guard !isStopped.exchange(true, ordering: .acquiringAndReleasing) else { return nil }
        Signal.terminate.send(to: pid)
        let status = try? ChildProcess.wait(pid, within: limit)
        data.remove()
        return status
    }

    /// What it has said so far.
    var log: String {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = pread(output, &piece, piece.count, off_t(bytes.count))
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += piece[..<count]
        }
    }
}
