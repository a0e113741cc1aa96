import CPlatform
import Glibc

/// How many CPUs this process may really use: the affinity mask and the cgroup quota, whichever is less.
public struct AvailableCPUs: Equatable, Sendable {
    /// CPUs in the affinity mask (`taskset`, `docker run --cpuset-cpus`).
    public let affinity: Int
    /// CPU time per wall time that the cgroup allows (`docker run --cpus`, Kubernetes limits); nil without a limit.
    public let quota: Double?

    public init(affinity: Int, quota: Double?) {
        self.affinity = affinity
        self.quota = quota
    }

    /// Finds out. `root` is put before every path that is read (tests have a directory that looks like a machine);
    /// `affinity` stands in for the mask.
    public init(root: String = "", affinity: Int? = nil) {
        let mask = affinity ?? Int(cplatform_affinity_count())
        self.affinity = max(1, mask)
        quota = CgroupQuota(root: root).cpus
    }

    /// The number of workers that `workers.count: auto` means: a fraction of a CPU counts as a whole one, and it is at least 1.
    public var count: Int {
        guard let quota, quota > 0 else { return affinity }
        let allowed = quota.rounded(.up)
        return allowed < Double(affinity) ? max(1, Int(allowed)) : affinity
    }
}
