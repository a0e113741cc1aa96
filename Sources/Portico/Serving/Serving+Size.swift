import Config
import Logging
import Platform

extension Serving {
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
