import Glibc
import Platform

/// What the machine offers the tests.
package enum Machine {
    package static var isRoot: Bool { geteuid() == 0 }

    /// Whether root may mount and make namespaces here; an ordinary container may not.
    package static let allowsNamespaces =
        isRoot
        && (try? Command.run(["unshare", "--mount", "--pid", "--fork", "--mount-proc", "true"]).status) == .exited(0)

    package static func has(_ program: String) -> Bool { path(of: program) != nil }

    package static func path(of program: String) -> String? {
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        return (path.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/bin", "/bin"])
            .map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 }
    }

    package static var hasIPv6: Bool {
        let descriptor = Glibc.socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        close(descriptor)
        guard let table = try? Descriptor.contents(ofFile: "/proc/net/if_inet6") else { return false }
        return !table.isEmpty
    }
}

/// What Tests/run has installed from PyPI, each with its version in a virtual environment of its own.
package enum PyPI {
    private static let cache: String = {
        func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
        return (variable("XDG_CACHE_HOME") ?? (variable("HOME") ?? "") + "/.cache") + "/portico-tests"
    }()

    package static func has(_ package: String) -> Bool { access(python(package), X_OK) == 0 }

    package static func python(_ package: String) -> String { program("python", of: package) }

    package static func program(_ name: String, of package: String) -> String { "\(cache)/\(package)/bin/\(name)" }
}

/// A TCP port of this machine that nobody used a moment ago: none of those that the kernel gives to whoever asks for any.
package enum FreePort {
    package static func find() throws -> UInt16 {
        for _ in 0..<1000 {
            let port = UInt16.random(in: 10_000..<32_768)
            if (try? Endpoint.ipv4(port).listening()) != nil { return port }
        }
        throw Unfulfilled(what: "a port")
    }
}
