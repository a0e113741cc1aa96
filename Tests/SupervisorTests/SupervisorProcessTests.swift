import Glibc
import Platform
import TestSupport
import Testing

@testable import Supervisor

/// The supervisor with real processes: shell scripts speak the worker's side of the control channel.
///
/// Descriptors in the scripts: without listeners the channel is 3 and the payload 4. `$PPID` is the supervisor.
@Suite(.serialized) struct SupervisorProcessTests {
    let directory: Folder
    let log = RecordedLog()

    init() throws {
        directory = try Folder()
    }

    /// Waits for what the supervisor says (or for its end) and writes that to the file `said`.
    private static let waitForWord = "dd bs=4096 count=1 <&3 2>/dev/null >$DIR/said"

    private func run(
        _ script: String, workers: Int = 1, listeners: [ListeningSocket] = [], payload: [UInt8] = [],
        change: (inout SupervisorOptions) -> Void = { _ in }, onAllReady: @escaping () -> Void = {}
    ) throws -> Int32 {
        var options = SupervisorOptions(workers: workers, start: .seconds(60), drain: .seconds(60))
        options.backoff = .milliseconds(1)
        change(&options)
        return try SupervisorProcess.run(
            setup(script, onAllReady: onAllReady),
            plan: GenerationPlan(options: options, listeners: [], payload: payload),
            listeners: listeners.map { BoundListener(.tcp(host: "127.0.0.1", port: 0), $0) })
    }

    private func setup(_ script: String, onAllReady: @escaping () -> Void = {}) throws -> SupervisorProcess.Setup {
        var setup = SupervisorProcess.Setup(
            program: SupervisorProcess.Program(
                executable: "/bin/sh", arguments: ["sh", "-c", script],
                environment: ["PATH": "/usr/bin:/bin", "DIR": directory.path, "LISTEN_PID": "1", "LISTEN_FDS": "1"]),
            commands: try SupervisorCommands(), logger: log.logger)
        setup.reapsOrphans = false
        setup.onServing = { _ in onAllReady() }
        return setup
    }

    private func stop() { Signal.terminate.send(to: getpid()) }

    @Test func drainsWorkersThatAreReady() throws {
        var announcements = 0
        let status = try run(
            """
            printf ready >&3
            dd bs=4096 count=1 <&3 2>/dev/null >$DIR/said-$APP_WORKER
            """, workers: 3,
            onAllReady: {
                announcements += 1
                stop()
            })
        #expect(status == 0)
        #expect(announcements == 1)
        for slot in 0..<3 {
            #expect(try directory.text(of: "said-id:\(slot + 1),slot:\(slot),generation:1,drain:60000") == "drain")
        }
        #expect(!log.text.contains("error"))
    }

    @Test func handsOverPayloadAndListenersAndNothingElse() throws {
        let listener = try ListeningSocket.bind(.tcp(host: "127.0.0.1", port: 0))
        let payload = Array("workers: {count: 2}\n".utf8) + Array(repeating: UInt8(ascii: "x"), count: 100_000)
        let status = try run(
            """
            exec >$DIR/open
            ls /proc/$$/fd
            exec >/dev/null
            readlink /proc/$$/fd/3 | cut -c1-6 >$DIR/listener
            cat <&5 >$DIR/payload
            env >$DIR/environment
            printf ready >&4
            dd bs=4096 count=1 <&4 2>/dev/null >$DIR/said
            """, listeners: [listener], payload: payload, onAllReady: stop)
        #expect(status == 0)
        #expect(try directory.text(of: "open") == "0\n1\n2\n3\n4\n5\n")
        #expect(try directory.text(of: "listener") == "socket\n")
        #expect(try directory.bytes(of: "payload") == payload)
        let environment = try directory.text(of: "environment")
        #expect(environment.contains("APP_FDS=listen:3,control:4,config:5\n"))
        #expect(!environment.contains("LISTEN_"))
        #expect(listener.descriptor == -1)
    }

    @Test func givesUpOnAConfigurationErrorWithItsReason() throws {
        let status = try run("printf 'failed no database' >&3; exit 78", workers: 2)
        #expect(status == 78)
        #expect(log.text.contains("exit status 78: no database"))
    }

    @Test func givesUpAfterFiveFailedBoots() throws {
        let status = try run("echo boot >>$DIR/boots; exit 3")
        #expect(status == 3)
        #expect(try directory.text(of: "boots") == String(repeating: "boot\n", count: 5))
    }

    @Test func givesUpOnAProgramThatDoesNotExist() throws {
        let setup = SupervisorProcess.Setup(
            program: SupervisorProcess.Program(executable: "/nonexistent", arguments: ["x"], environment: [:]),
            commands: try SupervisorCommands(), logger: log.logger)
        let options = SupervisorOptions(workers: 1, start: .seconds(1), drain: .seconds(1))
        let status = try SupervisorProcess.run(
            setup, plan: GenerationPlan(options: options, listeners: [], payload: []), listeners: [])
        #expect(status == ExitCode.internalError)
        #expect(log.text.contains("No such file or directory"))
    }

    @Test func killsWorkersThatAreNeverReady() throws {
        let status = try run("exec sleep 600") {
            $0.start = .milliseconds(20)
            $0.bootAttempts = 2
        }
        #expect(status == ExitCode.internalError)
        #expect(log.text.contains("was not ready within"))
    }

    @Test func replacesAKilledWorker() throws {
        // The first kills itself once it is ready; the second ends the test.
        let status = try run(
            """
            printf ready >&3
            if mkdir $DIR/first 2>/dev/null; then kill -9 $$; fi
            kill -TERM $PPID
            \(Self.waitForWord)
            """)
        #expect(status == 0)
        #expect(try directory.text(of: "said") == "drain")
        #expect(log.text.contains("killed by SIGKILL"))
    }

    @Test func killsWhatDoesNotFinishInTime() throws {
        let status = try run("printf ready >&3; trap '' TERM; exec sleep 600", change: { $0.drain = .milliseconds(20) })
        {
            stop()
        }
        #expect(status == 0)
        #expect(log.text.contains("killing 1 of 1 workers"))
    }

    @Test func endsAtOnceOnASecondSignal() throws {
        let status = try run(
            """
            printf ready >&3
            \(Self.waitForWord)
            kill -TERM $PPID
            exec sleep 600
            """, onAllReady: stop)
        #expect(status == 0)
        #expect(log.text.contains("SIGTERM again"))
    }

    @Test func endsAWorkerThatClosedItsChannel() throws {
        let status = try run(
            """
            printf ready >&3
            if mkdir $DIR/first 2>/dev/null; then exec 3>&-; exec sleep 600; fi
            kill -TERM $PPID
            \(Self.waitForWord)
            """, change: { $0.killGrace = .milliseconds(20) })
        #expect(status == 0)
        #expect(log.text.contains("closed its control channel"))
    }

    @Test func survivesNonsenseOnTheChannel() throws {
        let status = try run(
            """
            printf 'hello world' >&3
            printf 'heartbeat requests=x' >&3
            printf ready >&3
            \(Self.waitForWord)
            """, onAllReady: stop)
        #expect(status == 0)
        #expect(log.text.contains("said something unknown: hello world"))
    }

    /// What process 1 has to do, without being it: a subreaper inherits orphans in the same way.
    @Test func takesInOrphans() async {
        await #expect(processExitsWith: .success) {
            try ChildProcess.becomeReaper()
            let log = RecordedLog()
            let options = SupervisorOptions(workers: 1, start: .seconds(60), drain: .seconds(60))
            // The inner shell ends at once and leaves a process behind. `kill -0` succeeds until somebody has taken it in, not
            // only until it is dead.
            let script = """
                printf ready >&3
                orphan=$(sh -c 'sleep 600 >/dev/null & echo $!')
                kill $orphan
                while kill -0 $orphan 2>/dev/null; do :; done
                kill -TERM $PPID
                dd bs=4096 count=1 <&3 2>/dev/null >/dev/null
                """
            var setup = SupervisorProcess.Setup(
                program: SupervisorProcess.Program(
                    executable: "/bin/sh", arguments: ["sh", "-c", script], environment: ["PATH": "/usr/bin:/bin"]),
                commands: try SupervisorCommands(), logger: log.logger)
            setup.reapsOrphans = true
            let status = try SupervisorProcess.run(
                setup, plan: GenerationPlan(options: options, listeners: [], payload: []), listeners: [])
            #expect(status == 0)
            #expect(log.text.contains("inherited process"))
            #expect(ChildProcess.reapOrphan() == nil)
        }
    }
}
