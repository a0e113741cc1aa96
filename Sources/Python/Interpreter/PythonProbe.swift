import Glibc
import Platform

/// Asks an interpreter about itself, in a process of its own.
struct PythonProbe {
    private let executable: String
    private let environment: [String: String]

    /// One `key=value` a line; a key may come more than once.
    private static let question = """
        import os, sys, sysconfig
        get = sysconfig.get_config_var
        print("implementation=" + sys.implementation.name)
        print("version=" + "%d.%d.%d" % sys.version_info[:3])
        print("executable=" + sys.executable)
        print("freethreaded=%d" % bool(get("Py_GIL_DISABLED")))
        names = [n for n in (get("INSTSONAME"), get("LDLIBRARY")) if n and ".so" in n]
        places = [get("LIBDIR"), os.path.join(sys.base_prefix, "lib"), get("LIBPL")]
        if get("MULTIARCH"): places.append(os.path.join("/usr/lib", get("MULTIARCH")))
        if not names:
            names = ["libpython%d.%d%s.so.1.0" % (*sys.version_info[:2], getattr(sys, "abiflags", ""))]
        for place in places:
            for name in names:
                if place: print("library=" + os.path.join(place, name))
        """

    init(_ executable: String, environment: [String: String]) {
        self.executable = executable
        self.environment = environment
    }

    /// What the interpreter is; `library` overrides where it says its shared library is.
    func installation(library: String?) throws(PythonInstallationError) -> PythonInstallation {
        let answers = try ask().get()
        guard answers["implementation"]?.first == "cpython", let version = answers["version"]?.first else {
            throw .unusable(executable: executable, reason: "it is no CPython")
        }
        let numbers = version.split(separator: ".").compactMap { Int($0) }
        guard numbers.count == 3, (numbers[0], numbers[1]) >= (3, 10) else {
            throw .tooOld(executable: executable, version: version)
        }
        let candidates = library.map { [$0] } ?? answers["library"] ?? []
        guard let found = candidates.first(where: { access($0, R_OK) == 0 }) else {
            throw .noSharedLibrary(executable: executable, version: version, looked: candidates)
        }
        return PythonInstallation(
            executable: answers["executable"]?.first ?? executable, library: found, version: version,
            isFreeThreaded: answers["freethreaded"]?.first == "1")
    }

    private func ask() -> Result<[String: [String]], PythonInstallationError> {
        do throws(SystemError) {
            let output = try MemoryFile.make(name: "python-answers", [])
            let errors = try MemoryFile.make(name: "python-errors", [])
            // Without site, so that nothing of the environment's packages runs just to be asked.
            let pid = try ChildProcess.spawn(
                executable: executable, arguments: [executable, "-S", "-c", Self.question], environment: environment,
                descriptors: [(output.rawValue, 1), (errors.rawValue, 2)])
            let status = try ChildProcess.wait(pid)
            guard status.isSuccess else {
                let last = try Self.lines(of: errors).last ?? ""
                return .failure(
                    .unusable(executable: executable, reason: "\(status)" + (last.isEmpty ? "" : ": \(last)")))
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

    private static func lines(of file: borrowing Descriptor) throws(SystemError) -> [Substring] {
        String(decoding: try MemoryFile.contents(of: file), as: UTF8.self).split(separator: "\n")
    }
}
