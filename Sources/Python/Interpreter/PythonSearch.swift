import Glibc

/// Where an interpreter is looked for, in this order.
public struct PythonSearch: Sendable, Equatable {
    /// `interpreter` of the site: an interpreter, or a libpython.
    public var interpreter: String?
    /// `virtualenv` of the site.
    public var virtualenv: String?
    /// `$VIRTUAL_ENV`
    public var activeEnvironment: String?
    /// Where the application is: `.venv` beside it is taken.
    public var directory: String
    /// `$PATH`
    public var path: String

    /// What the configuration says (absolute paths), and what the environment variables do.
    public init(
        interpreter: String? = nil, virtualenv: String? = nil, directory: String, environment: [String: String]
    ) {
        self.interpreter = interpreter
        self.virtualenv = virtualenv
        self.directory = directory
        activeEnvironment = environment["VIRTUAL_ENV"].flatMap { $0.isEmpty ? nil : $0 }
        path = environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
    }

    /// What led to an interpreter.
    public enum Source: Sendable, Equatable {
        case interpreter, virtualenv, activeEnvironment, besideApplication, path
    }

    /// An executable that is to be asked; and the library, when the configuration names it.
    struct Candidate: Equatable {
        let executable: String
        var library: PythonLibrary?
        let source: Source
    }

    func candidate() throws(PythonSearchError) -> Candidate {
        guard let interpreter else { return try elsewhere() }
        switch FileKind(interpreter) {
        case .missing: throw PythonSearchError(.interpreter, .notFound("there is no \(interpreter)"))
        case .directory:
            throw PythonSearchError(
                .interpreter,
                .notFound("\(interpreter) is a directory; a virtual environment is named by 'virtualenv'"))
        case .file: break
        }
        if let library = PythonLibrary(interpreter) { return try candidate(for: library) }
        guard access(interpreter, X_OK) == 0 else {
            throw PythonSearchError(
                .interpreter, .unusable(executable: interpreter, reason: "it may not be executed"))
        }
        return Candidate(executable: interpreter, source: .interpreter)
    }

    private func elsewhere() throws(PythonSearchError) -> Candidate {
        if let virtualenv { return try environmentCandidate(virtualenv, .virtualenv) }
        if let activeEnvironment { return try environmentCandidate(activeEnvironment, .activeEnvironment) }
        if let beside = Self.executable(in: directory + "/.venv") {
            return Candidate(executable: beside, source: .besideApplication)
        }
        guard let found = onPath(["python3", "python"]) else {
            throw PythonSearchError(
                .path,
                .notFound(
                    "no Python found: there is no virtual environment, and no python3 on the path. "
                        + "Name one by 'interpreter' or 'virtualenv'"))
        }
        return Candidate(executable: found, source: .path)
    }

    /// The interpreter of a virtual environment.
    func environmentCandidate(_ folder: String, _ source: Source) throws(PythonSearchError) -> Candidate {
        guard let found = Self.executable(in: folder) else {
            let name = source == .activeEnvironment ? "$VIRTUAL_ENV names \(folder), which" : folder
            throw PythonSearchError(source, .notFound("\(name) is no virtual environment: it has no bin/python"))
        }
        return Candidate(executable: found, source: source)
    }

    /// A library does not say which interpreter it belongs to: that of the environment, where one is named, else the one
    /// that was installed with it.
    private func candidate(for library: PythonLibrary) throws(PythonSearchError) -> Candidate {
        guard library.version != nil else {
            throw PythonSearchError(
                .interpreter,
                .unusable(
                    executable: library.path,
                    reason: "it only passes on to a library with a version, such as "
                        + "libpython3.11.so.1.0: name that one"))
        }
        if let virtualenv {
            var found = try environmentCandidate(virtualenv, .virtualenv)
            found.library = library
            return found
        }
        let beside = library.folders.map { folder -> String in "\(folder)/\(library.interpreterName)" }.first {
            access($0, X_OK) == 0
        }
        guard let found = beside ?? onPath([library.interpreterName]) else {
            throw PythonSearchError(
                .interpreter,
                .notFound("there is no \(library.interpreterName) beside \(library.path) or on the path"))
        }
        return Candidate(executable: found, library: library, source: .interpreter)
    }

    private func onPath(_ names: [String]) -> String? {
        for folder in path.split(separator: ":") where folder.hasPrefix("/") {
            for name in names where access("\(folder)/\(name)", X_OK) == 0 { return "\(folder)/\(name)" }
        }
        return nil
    }

    private static func executable(in environment: String) -> String? {
        ["\(environment)/bin/python3", "\(environment)/bin/python"].first { access($0, X_OK) == 0 }
    }
}

/// Why a search found nothing that can be used, and which way of looking is to blame.
public struct PythonSearchError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What led to it.
    public let source: PythonSearch.Source
    /// What is wrong with it.
    public let reason: PythonInstallationError

    init(_ source: PythonSearch.Source, _ reason: PythonInstallationError) {
        self.source = source
        self.reason = reason
    }

    public var description: String { reason.description }
}

/// What is at a path.
private enum FileKind {
    case missing, directory, file

    init(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            self = .missing
            return
        }
        self = status.st_mode & S_IFMT == S_IFDIR ? .directory : .file
    }
}
