import Glibc
import Platform

/// A CPython on this machine: which executable it goes by, and where its shared library is.
public struct PythonInstallation: Sendable, Equatable {
    /// What the interpreter is started as: a virtual environment's `bin/python` makes that environment its own.
    public let executable: String
    /// The shared library, an absolute path.
    public let library: String
    /// As `3.11.2`.
    public let version: String
    /// Whether it was built without a global interpreter lock.
    public let isFreeThreaded: Bool

    /// Where an interpreter is looked for, in this order.
    public struct Search: Sendable, Equatable {
        /// `python` of the site: an interpreter, or a libpython.
        public var python: String?
        /// `virtualenv` of the site.
        public var virtualenv: String?
        /// Where the application is: `.venv` beside it is taken.
        public var directory: String?
        /// `$VIRTUAL_ENV`
        public var activeEnvironment: String?
        /// `$PATH`
        public var path: String

        /// Nothing but what the environment variables say.
        public init(
            python: String? = nil, virtualenv: String? = nil, directory: String? = nil, environment: [String: String]
        ) {
            self.python = python
            self.virtualenv = virtualenv
            self.directory = directory
            activeEnvironment = environment["VIRTUAL_ENV"].flatMap { $0.isEmpty ? nil : $0 }
            path = environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        }
    }

    /// Finds the interpreter and asks it, in a process of its own, where its library is.
    public static func find(
        _ search: Search, environment: [String: String]
    ) throws(PythonInstallationError) -> PythonInstallation {
        let executable = try search.executable()
        return try PythonProbe(executable.path, environment: environment).installation(library: executable.library)
    }
}

/// Why no interpreter can be used.
public enum PythonInstallationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// There is none where the configuration says, or nowhere at all.
    case notFound(String)
    /// It does not run, or does not answer as Python does.
    case unusable(executable: String, reason: String)
    /// Older than 3.10.
    case tooOld(executable: String, version: String)
    /// It was built without a shared library.
    case noSharedLibrary(executable: String, version: String, looked: [String])
    /// The library cannot be opened: another architecture, a missing dependency.
    case notLoadable(library: String, reason: String)

    public var description: String {
        switch self {
        case .notFound(let text): text
        case .unusable(let executable, let reason): "\(executable) cannot be used: \(reason)"
        case .tooOld(let executable, let version):
            "\(executable) is Python \(version); Portico runs CPython 3.10 and newer"
        case .noSharedLibrary(let executable, let version, let looked):
            "\(executable) (Python \(version)) has no shared library; looked for \(looked.joined(separator: ", ")). "
                + "On Debian: apt-get install libpython\(version.split(separator: ".").prefix(2).joined(separator: ".")); "
                + "pyenv: PYTHON_CONFIGURE_OPTS=--enable-shared pyenv install \(version)"
        case .notLoadable(let library, let reason): "\(library) cannot be loaded: \(reason)"
        }
    }
}

extension PythonInstallation.Search {
    /// The interpreter's path, and the library when it was named itself.
    fileprivate func executable() throws(PythonInstallationError) -> (path: String, library: String?) {
        if let python {
            guard access(python, F_OK) == 0 else { throw .notFound("python: there is no \(python)") }
            guard Self.isLibrary(python) else { return (python, nil) }
            // A library does not say which interpreter it belongs to: that of the environment, or the one on the path.
            return (try found(), python)
        }
        return (try found(), nil)
    }

    private func found() throws(PythonInstallationError) -> String {
        if let path = try environments() { return path }
        guard let path = onPath() else {
            throw .notFound(
                "no Python found: there is no virtual environment, and no python3 on the path. "
                    + "Name one with `python:` or `virtualenv:`")
        }
        return path
    }

    private func environments() throws(PythonInstallationError) -> String? {
        if let virtualenv {
            guard let found = Self.interpreter(in: virtualenv) else {
                throw .notFound("virtualenv: \(virtualenv) is no virtual environment: it has no bin/python")
            }
            return found
        }
        if let activeEnvironment {
            guard let found = Self.interpreter(in: activeEnvironment) else {
                throw .notFound("$VIRTUAL_ENV: \(activeEnvironment) is no virtual environment: it has no bin/python")
            }
            return found
        }
        return directory.flatMap { Self.interpreter(in: $0 + "/.venv") }
    }

    private func onPath() -> String? {
        for folder in path.split(separator: ":") {
            for name in ["python3", "python"] where access("\(folder)/\(name)", X_OK) == 0 {
                return "\(folder)/\(name)"
            }
        }
        return nil
    }

    private static func interpreter(in environment: String) -> String? {
        ["\(environment)/bin/python3", "\(environment)/bin/python"].first { access($0, X_OK) == 0 }
    }

    private static func isLibrary(_ path: String) -> Bool {
        guard let name = path.split(separator: "/").last else { return false }
        return name.hasPrefix("libpython") && name.contains(".so")
    }
}

extension PythonInstallation {
    /// As one text, to hand it to another process.
    public var encoded: String {
        [executable, library, version, isFreeThreaded ? "free-threaded" : "gil"].joined(separator: "\0")
    }

    /// Nil when it is not what ``encoded`` makes.
    public init?(encoded text: String) {
        let parts = text.split(separator: "\0", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4 else { return nil }
        self.init(
            executable: parts[0], library: parts[1], version: parts[2], isFreeThreaded: parts[3] == "free-threaded")
    }
}
