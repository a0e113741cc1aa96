import Glibc
import Platform

/// The package that the running program was built from, as far as its path and its sites tell.
struct SwiftPackage: Equatable, Sendable {
    /// Where `Package.swift` is.
    let directory: String
    /// The program's path: what a build replaces.
    let executable: String
    /// The product's name.
    let product: String
    /// `debug` or `release`.
    let configuration: String
    private let scratch: String

    /// Of `executable` as `swift build` leaves it: `SCRATCH/TRIPLE/debug/PRODUCT`, usually with `PACKAGE/.build` as its
    /// scratch path; where that was another, the package is where `folders` of the site's sources are. Nil for a program
    /// that was put elsewhere, or whose package is gone.
    init?(executable: String, folders: [String] = []) {
        let parts = executable.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count > 4, let name = parts.last, ["debug", "release"].contains(parts[parts.count - 2]) else {
            return nil
        }
        let above = parts.dropLast(4).joined(separator: "/")
        let isUsual = parts[parts.count - 4].hasPrefix(".build") && Self.isPackage(above)
        if isUsual, access("\(above)/Sources/\(name)", F_OK) == 0 {
            directory = above
        } else if let holder = folders.lazy.compactMap({ Self.package(around: $0) }).first {
            directory = holder
        } else if isUsual {
            directory = above
        } else {
            return nil
        }
        self.executable = executable
        product = String(name)
        configuration = String(parts[parts.count - 2])
        scratch = parts.dropLast(3).joined(separator: "/")
    }

    private static func isPackage(_ directory: String) -> Bool { access("\(directory)/Package.swift", F_OK) == 0 }

    /// The innermost package around a folder.
    private static func package(around folder: String) -> String? {
        var path = folder[...]
        while let slash = path.lastIndex(of: "/") {
            if isPackage(String(path)) { return String(path) }
            path = path[..<slash]
        }
        return nil
    }

    /// Whether a build has put another program in the place of the one that runs.
    var isAnotherProgram: Bool {
        var built = stat()
        var running = stat()
        guard stat(executable, &built) == 0, stat("/proc/self/exe", &running) == 0 else { return true }
        return (built.st_dev, built.st_ino) != (running.st_dev, running.st_ino)
    }

    /// The command that builds it.
    var command: [String] {
        [
            "swift", "build", "--package-path", directory, "--scratch-path", scratch, "--configuration", configuration,
            "--product", product,
        ]
    }
}
