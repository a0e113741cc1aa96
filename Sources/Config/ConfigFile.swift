import Glibc

/// Finding and reading configuration files.
enum ConfigFile {
    /// Why a file could not be read.
    enum Failure: Error, Equatable {
        /// There is no such file.
        case missing
        /// It may not be read.
        case denied
        /// It is a directory.
        case isDirectory
        /// It is larger than the limit, in bytes.
        case tooLarge(Int)
        /// Another error, as `errno` says.
        case system(Int32)

        var reason: String {
            switch self {
            case .missing: "no such file"
            case .denied: "permission denied"
            case .isDirectory: "is a directory"
            case .tooLarge(let limit): "larger than \(ByteCount(limit))"
            case .system(let code): strerror(code).map { String(cString: $0) } ?? "error \(code)"
            }
        }

        init(_ code: Int32) {
            switch code {
            case ENOENT, ENOTDIR: self = .missing
            case EACCES, EPERM: self = .denied
            case EISDIR: self = .isDirectory
            default: self = .system(code)
            }
        }
    }

    /// A file's bytes.
    static func read(_ path: String, limit: Int) -> Result<[UInt8], Failure> {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return .failure(Failure(errno)) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count == 0 { return .success(bytes) }
            if count < 0 {
                if errno == EINTR { continue }
                return .failure(Failure(errno))
            }
            bytes += buffer[..<count]
            guard bytes.count <= limit else { return .failure(.tooLarge(limit)) }
        }
    }

    /// The configuration file and its bytes; nil when there is none in the usual places.
    ///
    /// A file that was named must be there. One in a usual place may be missing, but not unreadable.
    static func find(_ sources: ConfigSources) -> Result<(path: String, bytes: [UInt8])?, ConfigError> {
        if let contents = sources.fileContents { return .success((contents.path, contents.bytes)) }
        if let path = sources.explicitPath {
            return named(path, in: sources, by: .flag("--config"), remedy: "name an existing file with --config")
        }
        if sources.target != nil { return .success(nil) }
        if let path = sources.environment["APP_CONFIG"], !path.isEmpty {
            return named(
                path, in: sources, by: .environment(variable: "APP_CONFIG"), remedy: "correct or unset $APP_CONFIG")
        }
        for path in sources.usualPlaces {
            switch read(FilePath.absolute(path, in: sources.workingDirectory), limit: YAMLReader.maximumBytes) {
            case .success(let bytes): return .success((path, bytes))
            case .failure(.missing): continue
            case .failure(let failure):
                return .failure(
                    ConfigError(
                        .unreadable(reason: "\(path): \(failure.reason)", remedy: remedy(failure)), at: nil))
            }
        }
        return .success(nil)
    }

    private static func named(
        _ path: String, in sources: ConfigSources, by origin: Origin, remedy missing: String
    ) -> Result<(path: String, bytes: [UInt8])?, ConfigError> {
        switch read(FilePath.absolute(path, in: sources.workingDirectory), limit: YAMLReader.maximumBytes) {
        case .success(let bytes): .success((path, bytes))
        case .failure(let failure):
            .failure(
                ConfigError(
                    .unreadable(
                        reason: "cannot read configuration file '\(path)': \(failure.reason)",
                        remedy: failure == .missing ? missing : remedy(failure)), at: origin))
        }
    }

    private static func remedy(_ failure: Failure) -> String {
        switch failure {
        case .missing: "create it, or name another with --config"
        case .denied: "let the user of this process read it"
        case .isDirectory: "name the file in it"
        case .tooLarge: "a configuration file is smaller; is it the right one?"
        case .system: "name another with --config"
        }
    }
}
