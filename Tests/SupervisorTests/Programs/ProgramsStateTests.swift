import Glibc
import Platform
import Testing

@testable import Supervisor

/// Programs without processes: what happens, what is done, and what is said.
@Suite struct ProgramsStateTests {
    /// A run of the state machine with a clock of its own; processes are numbered from 100.
    private struct Run {
        var state: ProgramsState
        var now = MonotonicTime(nanoseconds: 0)
        var actions: [ProgramAction] = []
        var nextPid: Int32 = 100
        /// Whether a start of the program fails.
        var cannotStart: Set<String> = []

        init(_ programs: [ProgramDeclaration], needed: Set<String> = []) {
            state = ProgramsState(programs, neededByWorkers: needed)
            send(.start)
        }

        mutating func send(_ event: ProgramEvent) {
            var events = [event]
            while !events.isEmpty {
                let new = state.handle(events.removeFirst(), at: now)
                actions += new
                for case .spawn(let name) in new {
                    if cannotStart.contains(name) {
                        events.append(.spawnFailed(name, SystemError(operation: "start", code: ENOENT)))
                    } else {
                        events.append(.spawned(name, pid: nextPid))
                        nextPid += 1
                    }
                }
            }
        }

        mutating func wait(_ time: Duration) {
            let end = now + time
            while let deadline = state.nextDeadline, deadline <= end {
                now = max(now, deadline)
                send(.tick)
            }
            now = end
            send(.tick)
        }

        func program(_ name: String) -> ProgramState? { state.programs.first { $0.name == name } }
        func pid(_ name: String) -> Int32 { program(name)?.pid ?? -1 }
        mutating func ready(_ name: String) { send(.becameReady(name, pid: pid(name))) }
        mutating func exit(_ name: String, _ status: ProcessStatus = .exited(0)) {
            send(.exited(pid: pid(name), status))
        }
        var spawned: [String] { actions.compactMap { if case .spawn(let name) = $0 { name } else { nil } } }
        var signals: [String] {
            actions.compactMap { if case .signal(let name, _, let signal) = $0 { "\(name) \(signal)" } else { nil } }
        }
        var text: String {
            actions.compactMap { if case .log(let line) = $0 { line.message } else { nil } }.joined(separator: "\n")
        }
        var alive: [String] { state.programs.filter { $0.pid != nil }.map(\.name) }
    }

    private func program(
        _ name: String, needs: [String] = [], _ change: (inout ProgramDeclaration) -> Void = { _ in }
    ) -> ProgramDeclaration {
        var program = ProgramDeclaration(
            name: name, executable: "/bin/\(name)", arguments: [name], environment: [:])
        program.needs = needs
        change(&program)
        return program
    }

    private func slow(_ name: String, needs: [String] = []) -> ProgramDeclaration {
        program(name, needs: needs) { $0.readiness = .line("ready") }
    }

    @Test func startsInTheOrderOfNeeds() {
        var run = Run([program("c", needs: ["a", "b"]), slow("b", needs: ["a"]), slow("a")], needed: ["c"])
        #expect(run.spawned == ["a"])
        run.ready("a")
        #expect(run.spawned == ["a", "b"])
        #expect(!run.actions.contains(.workersMayStart))
        run.ready("b")
        #expect(run.spawned == ["a", "b", "c"])
        #expect(run.actions.contains(.workersMayStart))
    }

    @Test func workersThatNeedNothingStartAtOnce() {
        let run = Run([slow("a")])
        #expect(run.actions.first == .spawn("a") && run.actions.contains(.workersMayStart))
    }

    @Test func readyAfterAWhile() {
        var run = Run([program("a") { $0.readiness = .after(.seconds(3)) }, program("b", needs: ["a"])])
        run.wait(.milliseconds(2999))
        #expect(run.spawned == ["a"])
        run.wait(.milliseconds(1))
        #expect(run.spawned == ["a", "b"])
    }

    /// A job: those that need it start when it has ended, and it is not started again.
    @Test func readyWhenItHasEnded() {
        var run = Run(
            [
                program("job") {
                    $0.readiness = .exit
                    $0.restart = .onFailure
                }, program("b", needs: ["job"]),
            ], needed: ["job"])
        #expect(run.spawned == ["job"])
        run.exit("job")
        #expect(run.spawned == ["job", "b"] && run.actions.contains(.workersMayStart))
        run.wait(.seconds(600))
        #expect(run.spawned == ["job", "b"])
        #expect(run.program("job")?.phase == .finished)
    }

    @Test func isStartedAgainWithGrowingPauses() {
        var run = Run([program("a") { $0.startAttempts = 0 }])
        var pauses: [Duration] = []
        for _ in 0..<10 {
            let before = run.now
            run.exit("a", .exited(1))
            #expect(run.alive.isEmpty)
            while run.alive.isEmpty { run.wait(.milliseconds(50)) }
            pauses.append(run.now - before)
        }
        #expect(pauses == [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000].map { .milliseconds($0) })
        // Half a minute's good work, and all is forgotten.
        run.wait(.seconds(30))
        run.exit("a", .signaled(SIGSEGV, dumpedCore: false))
        #expect(run.text.hasSuffix("ended: killed by SIGSEGV; it is started again in 0.1 seconds"))
    }

    @Test(arguments: [
        (ProgramDeclaration.Restart.always, ProcessStatus.exited(0), true), (.always, .exited(1), true),
        (.onFailure, .exited(0), false), (.onFailure, .exited(7), false), (.onFailure, .exited(1), true),
        (.onFailure, .signaled(SIGKILL, dumpedCore: false), true), (.never, .exited(0), false),
        (.never, .exited(1), false),
    ])
    func restartPolicies(_ policy: ProgramDeclaration.Restart, _ status: ProcessStatus, _ again: Bool) {
        var run = Run([
            program("a") {
                $0.restart = policy
                $0.success = [0, 7]
            }
        ])
        run.exit("a", status)
        run.wait(.seconds(1))
        #expect(run.spawned == (again ? ["a", "a"] : ["a"]))
        guard !again else { return }
        #expect(run.program("a")?.phase == (status == .exited(1) ? .failed : .finished))
    }

    @Test func isGivenUpAfterSoManyFailures() {
        var run = Run([program("a") { $0.startAttempts = 3 }])
        for _ in 0..<3 {
            run.exit("a", .exited(1))
            run.wait(.seconds(5))
        }
        #expect(run.spawned == ["a", "a", "a"])
        #expect(run.program("a")?.phase == .failed)
        #expect(run.text.hasSuffix("ended: exit status 1, failure 3 in a row; it is given up"))
        // It is nobody's business but its own.
        #expect(!run.actions.contains { if case .giveUp = $0 { true } else { false } })
    }

    @Test func anEssentialOneTakesTheServerWithIt() {
        var run = Run([
            program("a") {
                $0.startAttempts = 2
                $0.isEssential = true
            }
        ])
        run.exit("a", .exited(1))
        run.wait(.seconds(1))
        run.exit("a", .exited(1))
        #expect(run.actions.contains(.giveUp("program a is essential, and was given up")))
    }

    @Test func whatNeedsWhatFailedNeverStarts() {
        var run = Run(
            [slow("a"), program("b", needs: ["a"]), program("c", needs: ["b"]) { $0.isEssential = true }])
        run.send(.update([]))
        run = Run([
            program("a") {
                $0.restart = .never; $0.readiness = .line("x")
            }, program("b", needs: ["a"]),
            program("c", needs: ["b"]) { $0.isEssential = true },
        ])
        run.exit("a", .exited(0))
        #expect(run.spawned == ["a"])
        #expect(run.state.programs.allSatisfy { $0.phase == .failed })
        #expect(run.text.contains("program b needs a, which will not be ready"))
        #expect(run.actions.contains(.giveUp("program c is essential, and was given up")))
    }

    @Test func workersThatWaitForWhatFailedAreNotWaitedFor() {
        var run = Run(
            [slow("a"), slow("b")].map { program in
                var program = program
                program.startAttempts = 1
                return program
            }, needed: ["a"])
        run.exit("b", .exited(1))
        #expect(!run.actions.contains { if case .giveUp = $0 { true } else { false } })
        run.exit("a", .exited(1))
        #expect(run.actions.contains(.giveUp("workers need program a, which was given up")))
        #expect(!run.actions.contains(.workersMayStart))
    }

    @Test func whatIsNotReadyInTimeIsKilled() {
        var run = Run([slow("a")])
        run.wait(.seconds(60))
        #expect(run.signals == ["a SIGKILL"])
        #expect(run.text.contains("program a (pid 100) was not ready within 60.0 seconds"))
        run.exit("a", .signaled(SIGKILL, dumpedCore: false))
        run.wait(.milliseconds(100))
        #expect(run.spawned == ["a", "a"])
    }

    @Test func whatCannotBeStartedIsAFailure() {
        var run = Run([])
        run.cannotStart = ["a"]
        run.send(.update([program("a") { $0.startAttempts = 3 }]))
        run.wait(.seconds(60))
        #expect(run.spawned == ["a", "a", "a"])
        #expect(run.text.contains("program a could not be started: start: No such file or directory"))
        #expect(run.program("a")?.phase == .failed)
    }

    @Test func stopsInReverseOrder() {
        var run = Run([
            program("a"), program("b", needs: ["a"]), program("c", needs: ["b"]) { $0.stopSignal = .interrupt },
            program("d", needs: ["a"]),
        ])
        run.send(.stop)
        #expect(run.signals == ["c SIGINT", "d SIGTERM"])
        run.exit("d")
        #expect(run.signals.count == 2)
        run.exit("c", .signaled(SIGINT, dumpedCore: false))
        #expect(run.signals == ["c SIGINT", "d SIGTERM", "b SIGTERM"])
        run.exit("b", .exited(1))
        #expect(run.signals.last == "a SIGTERM")
        #expect(!run.actions.contains(.allStopped))
        run.exit("a")
        #expect(run.actions.last == .allStopped)
        #expect(run.spawned == ["a", "b", "d", "c"])
    }

    @Test func whatIgnoresTheSignalIsKilled() {
        var run = Run([program("a"), program("b", needs: ["a"]) { $0.stopTimeout = .seconds(1) }])
        run.send(.stop)
        run.wait(.seconds(1))
        #expect(run.signals == ["b SIGTERM", "b SIGKILL"])
        run.exit("b", .signaled(SIGKILL, dumpedCore: false))
        #expect(run.signals.last == "a SIGTERM")
        // Even what cannot be killed does not hold up the end.
        run.wait(.seconds(13))
        #expect(run.actions.last == .allStopped)
    }

    @Test func theSecondSignalKillsAll() {
        var run = Run([program("a"), program("b", needs: ["a"])])
        run.send(.stop)
        run.send(.kill)
        #expect(run.signals == ["b SIGTERM", "a SIGKILL", "b SIGKILL"])
        run.send(.kill)
        #expect(run.signals.count == 3)
    }

    @Test func whatIsNotRunningIsNotStartedForTheEnd() {
        var run = Run([slow("a"), program("b", needs: ["a"]), program("c")])
        run.exit("c", .exited(1))
        run.send(.stop)
        run.exit("a")
        #expect(run.actions.last == .allStopped)
        run.wait(.seconds(60))
        #expect(run.spawned == ["a", "c"])
    }

    @Test func nothingToStopIsStoppedAtOnce() {
        var run = Run([])
        run.send(.stop)
        #expect(run.actions == [.workersMayStart, .allStopped])
    }

    // MARK: - Another configuration

    @Test func whatHasNotChangedRunsOn() {
        var run = Run([program("a"), program("b")])
        run.send(.update([program("b"), program("a")]))
        run.wait(.seconds(60))
        #expect(run.spawned == ["a", "b"] && run.signals.isEmpty)
    }

    @Test func whatHasChangedIsReplaced() {
        var run = Run([program("a"), program("b")])
        run.send(.update([program("a") { $0.arguments.append("-v") }, program("b"), program("c")]))
        #expect(run.signals == ["a SIGTERM"])
        #expect(run.spawned == ["a", "b", "c"])
        run.exit("a")
        #expect(run.spawned == ["a", "b", "c", "a"])
        #expect(run.program("a")?.declaration.arguments == ["a", "-v"])
    }

    @Test func whatIsGoneIsStopped() {
        var run = Run([program("a"), program("b")])
        run.send(.update([program("a")]))
        #expect(run.signals == ["b SIGTERM"])
        run.exit("b")
        #expect(run.state.programs.map(\.name) == ["a"])
    }

    /// A change while the last one is under way.
    @Test func theLastChangeCounts() {
        var run = Run([program("a")])
        run.send(.update([]))
        run.send(.update([program("a") { $0.arguments = ["second"] }]))
        run.send(.update([program("a") { $0.arguments = ["third"] }]))
        #expect(run.signals == ["a SIGTERM"])
        run.exit("a")
        #expect(run.spawned == ["a", "a"])
        #expect(run.program("a")?.declaration.arguments == ["third"])
        #expect(run.state.programs.count == 1)
    }

    @Test func whatWasGivenUpIsTriedAnew() {
        let one = program("a") { $0.startAttempts = 1 }
        var run = Run([one])
        run.exit("a", .exited(1))
        #expect(run.program("a")?.phase == .failed)
        run.send(.update([one]))
        #expect(run.spawned == ["a", "a"])
    }

    @Test func aJobThatIsDoneIsNotDoneAgain() {
        let job = program("a") {
            $0.readiness = .exit
            $0.restart = .never
        }
        var run = Run([job])
        run.exit("a")
        run.send(.update([job]))
        #expect(run.spawned == ["a"])
    }

    /// Another version of the server goes on with what runs; what is declared otherwise by then is replaced.
    @Test func whatIsInherited() throws {
        let job = program("job") {
            $0.readiness = .exit
            $0.restart = .never
        }
        var old = Run([program("a"), program("b"), program("gone"), slow("late"), job])
        old.exit("job")
        let left = old.state.programs.compactMap { InheritedProgram($0, descriptor: 7) }
        #expect(left.map(\.name) == ["a", "b", "gone", "late", "job"])
        #expect(left.compactMap { InheritedProgram($0.record) } == left)
        let changed = program("b") { $0.arguments = ["new"] }
        var new = Run([])
        new.state = ProgramsState(
            [job, slow("late"), changed, program("a"), program("new")], inheriting: left, at: new.now)
        new.actions = []
        new.send(.start)
        #expect(new.spawned == ["new"])
        #expect(new.signals == ["b SIGTERM", "gone SIGTERM"])
        #expect(new.pid("a") == old.pid("a") && new.pid("late") == old.pid("late"))
        new.ready("late")
        new.exit("b")
        new.exit("gone")
        #expect(new.spawned == ["new", "b"])
        #expect(new.state.programs.map(\.name) == ["job", "late", "b", "a", "new"])
        #expect(new.program("late")?.isReady == true && new.program("job")?.phase == .finished)
    }

    @Test func theFingerprintIsThatOfTheDeclaration() {
        let one = program("a") { $0.environment = ["A": "1", "B": "2", "C": "3", "D": "4"] }
        let same = program("a") { $0.environment = ["D": "4", "C": "3", "B": "2", "A": "1"] }
        #expect(one.fingerprint == same.fingerprint)
        for other in [
            program("b"), program("a"), program("a") { $0.needs = ["x"] }, program("a") { $0.readiness = .line("x") },
            program("a") { $0.stopTimeout = .seconds(1) }, program("a") { $0.success = [1] },
        ] where other != one {
            #expect(other.fingerprint != one.fingerprint)
        }
    }

    /// Whatever happens, in whatever order: it comes to an end when it is asked to.
    @Test func everyOrderComesToAnEnd() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            var run = Run(
                [slow("a"), program("b", needs: ["a"]), slow("c", needs: ["b"]), program("d")], needed: ["c"])
            for _ in 0..<Int.random(in: 0..<30, using: &random) {
                let name = ["a", "b", "c", "d"].randomElement(using: &random) ?? "a"
                switch Int.random(in: 0..<7, using: &random) {
                case 0: run.ready(name)
                case 1: run.exit(name, .exited(0))
                case 2: run.exit(name, .exited(1))
                case 3: run.wait(.milliseconds(Int.random(in: 0..<70_000, using: &random)))
                case 4: run.send(.update([slow("a"), program("b", needs: ["a"])]))
                case 5:
                    run.send(.update([slow("a"), program("b", needs: ["a"]) { $0.arguments = ["x"] }, program("d")]))
                default: run.send(.exited(pid: 1, .exited(0)))
                }
                let names = run.state.programs.filter { !$0.isRemoved }.map(\.name)
                #expect(Set(names).count == names.count)
            }
            run.send(.stop)
            for _ in 0..<5 {
                for name in run.alive { run.exit(name) }
                run.wait(.seconds(15))
            }
            #expect(run.state.phase == .stopped, "\(run.text)")
            #expect(run.actions.last == .allStopped)
        }
    }
}
