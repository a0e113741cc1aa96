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
    /// Where its packages are: the virtual environment, else what `sys.base_prefix` says.
    public let prefix: String

    /// Whether code finds the same under either: executables of several names may belong to one installation.
    public func isSame(as other: PythonInstallation) -> Bool { library == other.library && prefix == other.prefix }

    /// Finds the interpreter and asks it, in a process of its own that is `identity` (nil: who this process is), where its
    /// library is.
    public static func find(
        _ search: PythonSearch, environment: [String: String], as identity: ProcessIdentity? = nil
    ) throws(PythonSearchError) -> PythonInstallation {
        let candidate = try search.candidate()
        let found = try probe(candidate, search, environment, identity)
        guard let virtualenv = search.virtualenv, candidate.source == .interpreter, candidate.library == nil else {
            return found
        }
        // Both are named: the environment decides what is found, the interpreter which one it has to be of.
        let inside = try probe(try search.environmentCandidate(virtualenv, .virtualenv), search, environment, identity)
        guard inside.library == found.library else {
            throw PythonSearchError(
                .virtualenv,
                .unusable(
                    executable: inside.executable,
                    reason: "it is of \(inside.library), while 'interpreter' is of \(found.library)"))
        }
        return inside
    }

    private static func probe(
        _ candidate: PythonSearch.Candidate, _ search: PythonSearch, _ environment: [String: String],
        _ identity: ProcessIdentity?
    ) throws(PythonSearchError) -> PythonInstallation {
        do throws(PythonInstallationError) {
            return try PythonProbe(
                candidate.executable, environment: environment, directory: search.directory, identity: identity
            ).installation(library: candidate.library)
        } catch {
            throw PythonSearchError(candidate.source, error)
        }
    }
}

/// Why no interpreter can be used.
public enum PythonInstallationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// There is none where the configuration says, or nowhere at all.
    case notFound(String)
    /// It does not run, or does not answer as Python does.
    case unusable(executable: String, reason: String)
    /// Another implementation of the language.
    case notCPython(executable: String, implementation: String)
    /// Older than 3.10.
    case tooOld(executable: String, version: String)
    /// It was built without a shared library.
    case noSharedLibrary(executable: String, version: String, looked: [String])
    /// Made for another kind of machine than this program.
    case wrongArchitecture(file: String, of: String, here: String)
    /// The library cannot be opened: a missing dependency.
    case notLoadable(library: String, reason: String)

    public var description: String {
        switch self {
        case .notFound(let text): text
        case .unusable(let executable, let reason): "\(executable) cannot be used: \(reason)"
        case .notCPython(let executable, let implementation):
            "\(executable) is \(implementation); Portico runs CPython 3.10 and newer"
        case .tooOld(let executable, let version):
            "\(executable) is Python \(version); Portico runs CPython 3.10 and newer"
        case .noSharedLibrary(let executable, let version, let looked):
            "\(executable) (Python \(version)) has no shared library; looked for \(looked.joined(separator: ", ")). "
                + "On Debian: apt-get install libpython\(version.split(separator: ".").prefix(2).joined(separator: ".")); "
                + "pyenv: PYTHON_CONFIGURE_OPTS=--enable-shared pyenv install \(version)"
        case .wrongArchitecture(let file, let machine, let here):
            "\(file) is for \(machine); this program is for \(here)"
        case .notLoadable(let library, let reason): "\(library) cannot be loaded: \(reason)"
        }
    }
}

extension PythonInstallation {
    /// As one text, to hand it to another process.
    public var encoded: String {
        [executable, library, version, isFreeThreaded ? "free-threaded" : "gil", prefix].joined(separator: "\0")
    }

    /// Nil when it is not what ``encoded`` makes.
    public init?(encoded text: String) {
        let parts = text.split(separator: "\0", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 5 else { return nil }
        self.init(
            executable: parts[0], library: parts[1], version: parts[2], isFreeThreaded: parts[3] == "free-threaded",
            prefix: parts[4])
    }
}
