import Glibc

/// Templates in a directory and below it. Names are paths with `/`; nothing outside the directory is reachable, neither by
/// `..` nor by a symbolic link.
public struct DirectoryLoader: TemplateLoader {
    private let root: String
    private let extensions: Set<String>?

    /// - Parameters:
    ///   - root: the directory; it need not exist yet.
    ///   - extensions: which files `names` lists (`["html", "txt"]`); nil lists all that do not begin with a dot.
    public init(_ root: String, extensions: Set<String>? = nil) {
        self.root = root
        self.extensions = extensions
    }

    /// Why a file cannot be read.
    public struct Failure: Error, CustomStringConvertible {
        public let path: String
        public let code: Int32
        public var description: String { "\(path): " + String(cString: strerror(code)) }
    }

    public func source(of name: String) throws -> TemplateSource? {
        guard let path = try confined(name) else { return nil }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw Failure(path: path, code: errno)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Failure(path: path, code: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(status.st_size) + 1)
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw Failure(path: path, code: errno)
            }
            if count == 0 { break }
            bytes += chunk[..<count]
        }
        return TemplateSource(origin: name, bytes: bytes, version: Self.version(status))
    }

    public func version(of name: String) throws -> Int64? {
        guard let path = try confined(name) else { return nil }
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Self.version(status)
    }

    public func names() throws -> [String] {
        var found: [String] = []
        try list("", depth: 0, into: &found)
        return found.sorted()
    }

    /// Nanoseconds of the modification time, mixed with the size, so that two writes within one tick differ.
    private static func version(_ status: stat) -> Int64 {
        let nanoseconds = Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec)
        return nanoseconds ^ (Int64(status.st_size) << 40)
    }

    /// The real path of `name`, or nil when there is none inside the root.
    private func confined(_ name: String) throws -> String? {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        let isPlain = parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
        guard isPlain, !name.utf8.contains(0), let base = real(root), let path = real(root + "/" + name) else {
            return nil
        }
        return path.utf8.starts(with: (base == "/" ? base : base + "/").utf8) ? path : nil
    }

    private func real(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private func list(_ prefix: String, depth: Int, into found: inout [String]) throws {
        // Links to directories above themselves would go on for ever.
        guard depth < 32 else { return }
        let path = prefix.isEmpty ? root : root + "/" + prefix
        guard let directory = opendir(path) else { throw Failure(path: path, code: errno) }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasPrefix(".") { continue }
            let full = prefix.isEmpty ? name : prefix + "/" + name
            var status = stat()
            guard let inside = try confined(full), stat(inside, &status) == 0 else { continue }
            if status.st_mode & S_IFMT == S_IFDIR {
                try list(full, depth: depth + 1, into: &found)
            } else if status.st_mode & S_IFMT == S_IFREG, matches(name) {
                found.append(full)
            }
        }
    }

    private func matches(_ name: String) -> Bool {
        guard let extensions else { return true }
        guard let dot = name.lastIndex(of: ".") else { return false }
        return extensions.contains(String(name[name.index(after: dot)...]))
    }
}
