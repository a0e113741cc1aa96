import Glibc

/// Where this program was started from: the place where its successor will be looked for.
enum ProgramPath {
    /// As it was called, where that leads to the running program, so that a link that is pointed elsewhere is followed later;
    /// else the file itself. To be asked for at the start, before the file is replaced.
    static let original: String = {
        let running = identity("/proc/self/exe")
        for candidate in candidates where identity(candidate) == running { return candidate }
        return resolved ?? CommandLine.arguments[0]
    }()

    private static var candidates: [String] {
        let name = CommandLine.arguments.first ?? ""
        if name.hasPrefix("/") { return [name] }
        if name.contains("/") { return ["\(Environment.workingDirectory)/\(name)"] }
        let path = Environment.all["PATH"] ?? ""
        return path.split(separator: ":").map { "\($0)/\(name)" }
    }

    private static var resolved: String? {
        guard let path = realpath("/proc/self/exe", nil) else { return nil }
        defer { free(path) }
        return String(cString: path)
    }

    private static func identity(_ path: String) -> [UInt64]? {
        var found = stat()
        return stat(path, &found) == 0 ? [UInt64(found.st_dev), UInt64(found.st_ino)] : nil
    }
}
