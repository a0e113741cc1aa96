import Config
import Logging
import Platform

extension Serving {
    /// From how much memory on new connections wait, and who says so.
    func tellMemory() {
        let text =
            switch configuration.settings.limits.memory {
            case .off: "no limit, as configured"
            case .exactly(let size): "new connections wait from \(size) of a worker on, as configured"
            case .auto:
                CgroupMemory()?.limit.map {
                    "new connections wait from 90% of \($0 >> 20) MiB on, the limit of the cgroup"
                } ?? "no limit: the cgroup has none"
            }
        logger.info("memory: \(text)")
    }

    /// How many workers there will be, and why.
    func tellSize() {
        let workers = configuration.settings.workers
        let what = workers.mode == .process ? "\(workers.processCount) workers" : "\(workers.loopCount) event loops"
        guard case .auto = workers.count, workers.max == nil else { return logger.info("\(what), as configured") }
        let cpus = AvailableCPUs()
        let quota = cpus.quota.map { "a CPU quota of \($0)" } ?? "no CPU quota"
        logger.info("\(what), for \(quota) and \(cpus.affinity) CPUs")
    }
}
