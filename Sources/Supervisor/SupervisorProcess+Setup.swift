import Glibc
import Logging
import Platform

extension SupervisorProcess {
    /// What a worker is started as.
    public struct Program: Sendable {
        /// The executable; by default the running program.
        public var executable: String
        /// The argument vector, with the program's name first: `["app", "worker"]`.
        public var arguments: [String]
        /// The environment. The supervisor adds `APP_FDS` and `APP_WORKER`, and takes out the socket activation variables,
        /// which were meant for itself.
        public var environment: [String: String]
        /// Who a worker is from its first instruction; nil for who the supervisor is.
        public var identity: ProcessIdentity?
        /// The working directory; nil for that of this process.
        public var directory: String?

        public init(
            executable: String = ChildProcess.currentExecutable, arguments: [String], environment: [String: String],
            identity: ProcessIdentity? = nil
        ) {
            self.executable = executable
            self.arguments = arguments
            self.environment = environment
            self.identity = identity
        }
    }

    /// How another version of the program is brought in.
    public struct Upgrade: Sendable {
        /// Where the program was started from, and its successor is looked for.
        public var path: String
        /// Makes a ``GenerationPlan``: writes it to descriptor 3 (else, with an exit status other than 0, why there is none), and
        /// finds the present payload in descriptor 4.
        public var plan: [String]
        /// Says by its exit status whether it understands the document in descriptor 3; writes to descriptor 4 why not.
        public var probe: [String]
        /// What this process then runs as.
        public var serve: [String]

        public init(path: String, plan: [String], probe: [String], serve: [String]) {
            self.path = path
            self.plan = plan
            self.probe = probe
            self.serve = serve
        }
    }

    /// Everything a supervisor works with.
    public struct Setup {
        /// What to start as a worker.
        public var program: Program
        /// Makes the plan of another generation; nil when nothing can be reloaded.
        public var planner: GenerationPlanner?
        /// How the executable is replaced; nil when it cannot be.
        public var upgrade: Upgrade?
        /// Whether the sockets were handed over by whoever started the server, and stay whatever the configuration says.
        public var keepsListeners = false
        /// Opens a socket that another generation has in addition.
        public var bind: @Sendable (ListenAddress) throws(BindError) -> ListeningSocket = {
            address throws(BindError) in try .bind(address)
        }
        /// What may be asked of the pool from other threads, and where its snapshots are published.
        public var commands: SupervisorCommands
        /// What runs beside the workers; they start when it lets them, and it is stopped after them.
        public var programs: ProgramKeeper?
        /// Follows the workers' lives.
        public var observer: (any SupervisorObserver)?
        /// For the supervisor's own lines.
        public var logger: Logger
        /// The signals, where somebody has watched them since before; nil to watch them from the start of the pool.
        public var signals: SignalSource?
        /// Whether every dead child is taken in; by default as process 1.
        public var reapsOrphans = getpid() == 1
        /// Whether this process serves by itself until the first generation does: should that not come about, sockets and
        /// commands are left as they were.
        public var isTakingOver = false
        /// How the pool counts on from there, with the generation that now begins.
        public var beginning = PoolSnapshot()
        /// Called when the whole first generation serves, and whenever another one has taken over, with its sockets.
        public var onServing: ([ListeningSocket]) -> Void = { _ in }

        /// Called with what workers tell (``WorkerControl/tell(_:)``).
        public var onTold: (String) -> Void = { _ in }

        public init(program: Program, commands: SupervisorCommands, logger: Logger) {
            self.program = program
            self.program.environment = program.environment.filter { !SocketActivation.variables.contains($0.key) }
            self.commands = commands
            self.logger = logger
        }
    }
}
