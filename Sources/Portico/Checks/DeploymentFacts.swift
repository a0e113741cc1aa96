import Glibc
import Platform

/// What the deployment checks have to know of the machine.
struct DeploymentFacts: Sendable {
    /// Whether this is a container, as far as it can be told from inside.
    var isContainer: Bool
    /// Whether it is a pod of Kubernetes.
    var isKubernetes: Bool
    /// Whether this process may do anything.
    var isRoot: Bool
    var isRootFileSystemReadOnly: Bool
    /// What a path is on; nil when that cannot be told.
    var fileSystem: @Sendable (String) -> FileSystem?
    /// The permission bits of a file or directory; nil when it is not there.
    var mode: @Sendable (String) -> UInt32?

    /// Those of this machine.
    static func current(environment: [String: String] = Environment.all) -> DeploymentFacts {
        let isKubernetes = environment["KUBERNETES_SERVICE_HOST"] != nil
        let marks = ["/.dockerenv", "/run/.containerenv"]
        return DeploymentFacts(
            isContainer: isKubernetes || environment["container"] != nil || marks.contains { access($0, F_OK) == 0 },
            isKubernetes: isKubernetes, isRoot: geteuid() == 0, isRootFileSystemReadOnly: FileSystem.isReadOnly("/"),
            fileSystem: { FileSystem.kind(of: $0) },
            mode: { path in
                var found = stat()
                return stat(path, &found) == 0 ? UInt32(found.st_mode & 0o7777) : nil
            })
    }
}
