import Glibc
import Platform
import TestSupport
import Testing

/// The image of the Dockerfile, made and run without a container engine by the script `image`.
struct Image {
    let target: String

    private static let script = "\(Command.package)/Tests/EndToEndTests/Scripts/image"
    private static let caches: String =
        (variable("XDG_CACHE_HOME") ?? "\(variable("HOME") ?? "/root")/.cache") + "/portico-tests"

    /// The Debian that images begin from, made by `Tests/run`.
    static let debian = "\(caches)/debian-bookworm"
    /// A Python with `yaml` and `kubernetes_validate`, made by `Tests/run`.
    static let kubernetes = "\(caches)/kubernetes-validate-1.37.0/bin/python"

    static let isPossible = Machine.allowsNamespaces && access(debian, F_OK) == 0

    private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// What stands in the Dockerfile, as JSON for Python.
    func description() throws -> String {
        try Command.run(["python3", Self.script, "describe", target]).output
    }

    /// A program that starts the image's program, for `AppServer`.
    func prefix(
        env: [String: String] = [:], mounts: [String] = [], user: String? = nil, tmp: String = "64m",
        cgroup: Bool = false, dockerfile: String? = nil
    ) throws -> [String] {
        var result = ["python3", Self.script, "run", target, Self.debian]
        for (name, value) in env { result += ["--env", "\(name)=\(value)"] }
        for mount in mounts { result += ["--mount", mount] }
        for library in try Self.libraries() { result += ["--library", library] }
        if let user { result += ["--user", user] }
        if cgroup { result.append("--cgroup") }
        return result + ["--tmp", tmp, "--"]
    }

    /// Directories with Swift's libraries, to which the program of the tests is linked.
    private static func libraries() throws -> [String] {
        let linked = try Command.run(["ldd", Command.app]).output.split(separator: "\n")
        let paths = linked.compactMap { line in
            line.split(separator: " ").first { $0.hasPrefix("/") && $0.contains("swift") }
        }
        return Set(paths.map { path in String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) }).sorted()
    }

    /// Runs a command in the container whose first process is `server`; without one, its health check.
    func execute(_ command: [String] = [], beside server: AppServer) throws -> Command {
        try Command.run(["python3", Self.script, "exec", "\(server.pid)", target, "--"] + command)
    }
}

/// A directory for `/data`, which belongs to the image's user.
func dataDirectory(in folder: Folder, owner: UInt32 = 65532) throws -> String {
    try folder.makeDirectory("data")
    guard chown(folder["data"], owner, owner) == 0 else { throw SystemError(operation: "chown", code: errno) }
    return folder["data"]
}

/// A document of YAML, asked by Python expressions.
struct Document {
    private let path: String

    init(_ path: String) { self.path = path }

    /// The lines that a Python program prints, in which `documents` are the documents of the file.
    func ask(_ program: String) throws -> [String] {
        let result = try Command.run(
            [
                Image.kubernetes, "-c",
                "import json, sys, yaml\ndocuments = list(yaml.safe_load_all(open(sys.argv[1])))\n" + program, path,
            ])
        #expect(result.status == .exited(0), "\(result.errors)")
        return result.output.split(separator: "\n").map(String.init)
    }

    /// One value, by a Python expression.
    func value(_ expression: String) throws -> String {
        try #require(try ask("print(\(expression))").first)
    }
}
