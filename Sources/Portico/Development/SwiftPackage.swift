import Glibc
import Platform

/// The package that the running program was built from, as far as its path tells.
struct SwiftPackage: Equatable, Sendable {
    /// Where `Package.swift` is.
    let directory: String
    /// The program's path: what a build replaces.
    let executable: String
    /// The product's name.
    let product: String
    /// `debug` or `release`.
    let configuration: String

    /// Of `executable` as `swift build` leaves it: `PACKAGE/.build/TRIPLE/debug/PRODUCT`. Nil for a program that was put
    /// elsewhere, or whose package is gone.
    init?(executable: String) {
        let parts = executable.split(separator: "/", omittingEmptySubsequences: false)
        guard let build = parts.lastIndex(where: { $0.hasPrefix(".build") }), parts.count >= build + 3,
            let name = parts.last, ["debug", "release"].contains(parts[parts.count - 2])
        else { return nil }
        let directory = parts[..<build].joined(separator: "/")
        guard access("\(directory)/Package.swift", F_OK) == 0 else { return nil }
        self.directory = directory
        self.executable = executable
        product = String(name)
        configuration = String(parts[parts.count - 2])
        scratch = parts[...build].joined(separator: "/")
    }

    private let scratch: String

    /// The command that builds it.
    var command: [String] {
        [
            "swift", "build", "--package-path", directory, "--scratch-path", scratch, "--configuration", configuration,
            "--product", product,
        ]
    }
}
