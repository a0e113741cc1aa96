import Glibc
import Platform

/// Asks an interpreter about itself, in a process of its own.
struct PythonProbe {
    private let executable: String
    private let environment: [String: String]
    private let directory: String
    private let identity: ProcessIdentity?

    /// How long an interpreter may take to say what it is.
    private static let limit = Duration.seconds(20)

    /// One `key=value` a line; a key may come more than once. Old versions understand it as well, to say how old they are.
    private static let question = String(decoding: PackageResources.portico_probe_py, as: UTF8.self)

    /// The interpreter is started in `directory`, as version switchers may look there for what they should be.
    init(_ executable: String, environment: [String: String], directory: String, identity: ProcessIdentity?) {
        self.executable = executable
        self.environment = identity?.applied(to: environment) ?? environment
        self.identity = identity
        self.directory = directory
    }

    /// What the interpreter is; `library` overrides where it says its shared library is.
    func installation(library: PythonLibrary?) throws(PythonInstallationError) -> PythonInstallation {
        try MachineKind.check(executable)
        let answers = try ask().get()
        guard let version = answers["version"]?.first, let implementation = answers["implementation"]?.first else {
            throw .unusable(executable: executable, reason: "it does not answer as Python does")
        }
        guard implementation == "cpython" else {
            throw .notCPython(executable: executable, implementation: "\(implementation) \(version)")
        }
        let numbers = version.split(separator: ".").compactMap { Int($0) }
        guard numbers.count == 3, (numbers[0], numbers[1]) >= (3, 10) else {
            throw .tooOld(executable: executable, version: version)
        }
        let isFreeThreaded = answers["freethreaded"]?.first == "1"
        if let library {
            guard library.version == "\(numbers[0]).\(numbers[1])", library.flags.contains("t") == isFreeThreaded else {
                throw .unusable(
                    executable: executable,
                    reason: "it is Python \(version), and cannot go with \(library.path)")
            }
        }
        let candidates = library.map { [$0.path] } ?? answers["library"] ?? []
        guard let found = candidates.first(where: { access($0, R_OK) == 0 }) else {
            throw .noSharedLibrary(executable: executable, version: version, looked: Self.distinct(candidates))
        }
        try MachineKind.check(found)
        return PythonInstallation(
            executable: answers["executable"]?.first ?? executable, library: found, version: version,
            isFreeThreaded: isFreeThreaded, prefix: answers["prefix"]?.first ?? "")
    }

    private static func distinct(_ paths: [String]) -> [String] {
        var seen: Set<String> = []
        return paths.filter { seen.insert($0).inserted }
    }

    private func ask() -> Result<[String: [String]], PythonInstallationError> {
        do throws(SystemError) {
            let output = try MemoryFile.make(name: "python-answers", [])
            let errors = try MemoryFile.make(name: "python-errors", [])
            // Without site, so that nothing of the environment's packages runs just to be asked.
            let pid = try ChildProcess.spawn(
                executable: executable, arguments: [executable, "-S", "-c", Self.question], environment: environment,
                directory: directory, descriptors: [(output.rawValue, 1), (errors.rawValue, 2)], as: identity)
            guard let status = try ChildProcess.wait(pid, within: Self.limit) else {
                return .failure(
                    .unusable(executable: executable, reason: "it does not answer within \(Self.limit)"))
            }
            guard status.isSuccess else {
                let reason = Self.reason(in: try Self.lines(of: errors))
                return .failure(
                    .unusable(executable: executable, reason: "\(status)" + (reason.map { ": \($0)" } ?? "")))
            }
            var answers: [String: [String]] = [:]
            for line in try Self.lines(of: output) {
                let parts = line.split(separator: "=", maxSplits: 1)
                if parts.count == 2 { answers[String(parts[0]), default: []].append(String(parts[1])) }
            }
            return .success(answers)
        } catch {
            return .failure(.unusable(executable: executable, reason: "\(error)"))
        }
    }

    /// A traceback says what it is about in its last line, other programs in their first.
    private static func reason(in lines: [Substring]) -> Substring? {
        lines.first?.hasPrefix("Traceback") == true ? lines.last : lines.first
    }

    private static func lines(of file: borrowing Descriptor) throws(SystemError) -> [Substring] {
        String(decoding: try MemoryFile.contents(of: file), as: UTF8.self).split(separator: "\n")
    }
}
