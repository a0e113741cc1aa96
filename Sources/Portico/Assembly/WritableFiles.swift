import Config
import Glibc
import Platform

/// The files that workers write, and whether they may.
struct WritableFiles {
    let configuration: Configuration
    private let identity: ProcessIdentity?

    init(_ configuration: Configuration) {
        self.configuration = configuration
        identity = Accounts(configuration).identity
    }

    private struct Need {
        let path: String
        let mode: Int32
        let place: ConfigPath
        let what: String
    }

    /// What they may not write, each with its place. Without a change of user a database says so by itself.
    func problems(readyFile: String? = nil) -> [ConfigError] {
        let settings = configuration.settings
        var needs: [Need] = []
        var problems: [ConfigError] = []
        if case .file(let path) = settings.log.access { add(path, "log.access", to: &needs, &problems) }
        if identity != nil {
            for site in settings.sites {
                guard let path = site.database else { continue }
                let place = ConfigPath([.key("sites"), .key(site.name), .key("database")])
                add(path, place, needsDirectory: true, to: &needs, &problems)
            }
            if !settings.sites.isEmpty {
                needs.append(
                    Need(path: settings.tempDirectory, mode: W_OK | X_OK, place: "temp-directory", what: "directory"))
            }
            if let readyFile, settings.workers.mode == .thread {
                needs.append(
                    Need(
                        path: FileName.directory(of: readyFile), mode: W_OK | X_OK, place: "user",
                        what: "directory of --ready-file"))
            }
        }
        return problems + refused(needs)
    }

    /// A file that is there has to be writable; one that is not is made in its directory. SQLite keeps files beside its own.
    private func add(
        _ path: String, _ place: ConfigPath, needsDirectory: Bool = false, to needs: inout [Need],
        _ problems: inout [ConfigError]
    ) {
        let directory = FileName.directory(of: path)
        let exists = access(path, F_OK) == 0
        if exists { needs.append(Need(path: path, mode: R_OK | W_OK, place: place, what: "file")) }
        guard needsDirectory || !exists else { return }
        guard access(directory, F_OK) == 0 else {
            return problems.append(
                configuration.error("there is no directory \(directory); create it, or name another file", at: place))
        }
        needs.append(Need(path: directory, mode: W_OK | X_OK, place: place, what: "directory"))
        guard needsDirectory else { return }
        for path in ["\(path)-wal", "\(path)-shm"] where access(path, F_OK) == 0 {
            needs.append(Need(path: path, mode: R_OK | W_OK, place: place, what: "file"))
        }
    }

    private func refused(_ needs: [Need]) -> [ConfigError] {
        let questions = needs.map { ($0.path, $0.mode) }
        let answers: [Int32]
        if let identity {
            guard let result = try? identity.access(questions) else { return [] }
            answers = result
        } else {
            answers = questions.map { faccessat(AT_FDCWD, $0, $1, AT_EACCESS) == 0 ? 0 : errno }
        }
        return zip(needs, answers).compactMap { need, answer in
            guard answer != 0 else { return nil }
            let who = identity.map { "\($0)" } ?? "this user"
            return configuration.error(
                "\(who) cannot write to the \(need.what) \(need.path): \(SystemError.message(answer)); "
                    + "change its owner or its permissions, or name another", at: need.place)
        }
    }
}

/// Paths as text.
enum FileName {
    /// The directory a file is in.
    static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
