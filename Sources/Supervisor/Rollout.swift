/// A new generation on its way in: prepared, then brought in worker by worker, and taken back if a worker of it does not start.
public struct Rollout: Equatable, Sendable {
    /// What makes it new.
    public enum Kind: Equatable, Sendable {
        /// Configuration and code.
        case reload
        /// The executable as well: the one named, else the one this program was started from, as it is on disk now.
        case upgrade(executable: String?)

        var name: String {
            switch self {
            case .reload: "reload"
            case .upgrade: "upgrade"
            }
        }

        /// What brings both.
        func merged(with other: Kind) -> Kind {
            switch (self, other) {
            case (.reload, .reload): .reload
            case (.upgrade(let first), .upgrade(let second)): .upgrade(executable: second ?? first)
            case (.upgrade, .reload): self
            case (.reload, .upgrade): other
            }
        }

        var respawnReason: RespawnReason {
            switch self {
            case .reload: .reload
            case .upgrade: .upgrade
            }
        }
    }

    /// Who wants it, and why.
    struct Wish: Equatable, Sendable {
        var kind: Kind
        /// `SIGHUP`, `app reload`, `app.yaml changed`.
        var cause: String
        /// The commands to be answered.
        var commands: [Int] = []
    }

    /// The stations.
    enum Stage: Equatable, Sendable {
        /// The configuration is read, sockets are bound; nothing has changed yet.
        case preparing
        /// Workers are replaced.
        case replacing
        /// All are; the executable is to take over as well.
        case replaced
        /// It has been asked to.
        case handingOver
    }

    var wish: Wish
    let generation: Int
    var stage = Stage.preparing
    /// Whether a worker of it has been ready.
    var isProven = false
    /// How many workers it wants.
    var target = 0
    /// What is gone back to when it fails.
    var previous: Previous

    struct Previous: Equatable, Sendable {
        let generation: Int
        let options: SupervisorOptions
        var workers: Int
    }
}
