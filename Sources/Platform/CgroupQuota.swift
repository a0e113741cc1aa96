/// The CPU quota of the cgroup this process is in, of version 1 or 2 or both (a hybrid machine).
///
/// A limit on any ancestor holds as well, so the least on the way from the process's group to the mounted root counts.
struct CgroupQuota {
    /// CPUs, or nil without a limit.
    let cpus: Double?

    init(root: String = "") {
        let folders = CgroupFolders(controller: "cpu", root: root)
        cpus = folders.all.compactMap { folder in
            folder.isV2
                ? Self.version2(folders.lines("cpu.max", in: folder))
                : Self.version1(
                    quota: folders.lines("cpu.cfs_quota_us", in: folder),
                    period: folders.lines("cpu.cfs_period_us", in: folder))
        }.min()
    }

    /// `cpu.max`: `max 100000`, `150000 100000`, or the quota alone (the period is then 100 ms).
    static func version2(_ lines: [String]) -> Double? {
        let fields = (lines.first ?? "").split(separator: " ")
        guard let quota = fields.first.flatMap({ Double($0) }) else { return nil }
        let period = fields.count > 1 ? Double(fields[1]) : 100_000
        return ratio(quota, period)
    }

    /// `cpu.cfs_quota_us` (-1: no limit) and `cpu.cfs_period_us`.
    static func version1(quota: [String], period: [String]) -> Double? {
        ratio(quota.first.flatMap { Double($0) }, period.first.flatMap { Double($0) })
    }

    private static func ratio(_ quota: Double?, _ period: Double?) -> Double? {
        guard let quota, let period, quota > 0, period > 0, quota.isFinite, period.isFinite else { return nil }
        return quota / period
    }
}
