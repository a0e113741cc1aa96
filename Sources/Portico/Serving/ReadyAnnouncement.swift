import Glibc
import Logging
import Platform
import Supervisor

/// Says where requests are served, on standard output and in the ready file: at the start, and when a reload changes it.
final class ReadyAnnouncement {
    private let readyFile: String?
    private let logger: Logger
    private var said: [String]?
    /// Whether the program before this one in the same process said it all.
    var hasBeenSaid = false

    init(readyFile: String?, logger: Logger) {
        self.readyFile = readyFile
        self.logger = logger
    }

    func say(_ listeners: [ListeningSocket]) {
        let urls = listeners.map { $0.address.url() }
        guard urls != said else { return }
        if !hasBeenSaid {
            for url in urls where !(said ?? []).contains(url) { Console.print("listening on \(url)") }
        }
        hasBeenSaid = false
        said = urls
        guard let readyFile else { return }
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
}
