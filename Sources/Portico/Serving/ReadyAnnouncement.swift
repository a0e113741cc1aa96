import Glibc
import Logging
import Platform
import Supervisor

/// Says where requests are served, on standard output and in the ready file: at the start, and when a reload changes it.
final class ReadyAnnouncement {
    /// What the command line asks for.
    struct Options: Sendable {
        /// The file that the URLs are written to.
        var readyFile: String?
        /// How long requests are served; nil without end.
        var exitAfter: Duration?
    }

    private let options: Options
    private let logger: Logger
    private var said: [String]?
    /// Whether the program before this one in the same process said it all.
    var hasBeenSaid = false

    init(_ options: Options, logger: Logger) {
        self.options = options
        self.logger = logger
    }

    func say(_ listeners: [ListeningSocket]) {
        let urls = listeners.map { $0.address.url() }
        guard urls != said else { return }
        if said == nil { stopInTime() }
        if !hasBeenSaid {
            for url in urls where !(said ?? []).contains(url) { Console.print("listening on \(url)") }
        }
        hasBeenSaid = false
        said = urls
        guard let readyFile = options.readyFile else { return }
        // Written beside it and renamed, so that nobody reads half of it.
        let temporary = readyFile + ".\(getpid())"
        do {
            let text = urls.map { $0 + "\n" }.joined()
            unlink(temporary)
            try Descriptor.appending(to: temporary).writeAll(Array(text.utf8))
            guard rename(temporary, readyFile) == 0 else { throw SystemError(operation: "rename", code: errno) }
        } catch {
            logger.error("cannot write the ready file \(readyFile): \(error)")
        }
    }

    /// After `exitAfter`, the signal by which everybody else stops the server.
    private func stopInTime() {
        guard let lifetime = options.exitAfter else { return }
        do {
            try DedicatedThread.start(name: "exit-after") {
                let end = MonotonicTime.now() + lifetime
                while MonotonicTime.now() < end { poll(nil, 0, (end - .now()).pollMilliseconds) }
                Signal.terminate.send(to: getpid())
            }
        } catch {
            logger.critical("--exit-after cannot be kept: \(error)")
            Signal.terminate.send(to: getpid())
        }
    }
}
