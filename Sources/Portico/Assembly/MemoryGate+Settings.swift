import Config
import Logging
import Platform
import Server

extension MemoryGate {
    /// `limits.memory`; nil without a limit.
    convenience init?(_ limit: Settings.Limits.Memory, logger: Logger) {
        switch limit {
        case .off: return nil
        case .auto:
            guard let cgroup = CgroupMemory() else { return nil }
            self.init(logger: logger) { cgroup.usage() }
        case .exactly(let size):
            self.init(shares: Shares(closing: 1, opening: 0.9), logger: logger) {
                ResidentMemory.bytes().map { MemoryUsage(used: $0, limit: size.bytes) }
            }
        }
    }
}
