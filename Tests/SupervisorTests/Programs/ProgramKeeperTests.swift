import Glibc
import Logging
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Supervisor

/// Programs as processes: shell scripts that behave, and some that do not.
@Suite(.serialized) struct ProgramKeeperTests {
    private let directory: Folder
    private let log = RecordedLog()
    private let said = RecordedLog()
    private let keeper: ProgramKeeper

    init() throws {
        directory = try Folder()
        let said = said
        keeper = try ProgramKeeper(logger: log.logger) { name in
            var logger = said.logger
            logger[metadataKey: "program"] = "\(name)"
            return logger
        }
    }

    private func script(
        _ name: String, _ text: String, _ change: (inout ProgramDeclaration) -> Void = { _ in }
    ) -> ProgramDeclaration {
        var program = ProgramDeclaration(
            name: name, executable: "/bin/sh", arguments: ["sh", "-c", text],
            environment: ["PATH": "/usr/bin:/bin", "DIR": directory.path])
        change(&program)
        return program
    }

    private func eventually(_ what: String, _ condition: () -> Bool) throws {
        let deadline = MonotonicTime.now() + .seconds(60)
        while !condition() {
            try #require(MonotonicTime.now() < deadline, "waited in vain: \(what); \(log.text) \(said.text)")
            usleep(5_000)
        }
    }

    private func stop() throws {
        keeper.stop()
        try eventually("the end") { keeper.news.hasStopped }
    }

    private func pid(_ name: String) -> Int32? { keeper.snapshot.first { $0.name == name }?.pid }

    @Test func runsLogsAndStops() throws {
        try keeper.start(
            [
                script(
                    "a",
                    "echo one; echo two >&2; printf rest; exec 2>/dev/null; trap 'echo stopping; exit 0' TERM; while :; do sleep 0.05; done"
                )
            ],
            neededByWorkers: ["a"])
        try eventually("the lines") { said.text.contains("two") }
        #expect(keeper.news.workersMayStart)
        let program = try #require(keeper.snapshot.first)
        #expect(program.phase == "ready" && program.restarts == 0 && program.pid.map { kill($0, 0) == 0 } == true)
        try stop()
        #expect(said.text == "info one\ninfo two\ninfo reststopping")
        #expect(keeper.snapshot.first?.phase == "stopped")
    }

    @Test func startsWhenWhatItNeedsIsReady() throws {
        try keeper.start(
            [
                script("b", "test -e $DIR/a && echo fine; exec sleep 1000") { $0.needs = ["a"] },
                script("a", "sleep 0.2; touch $DIR/a; echo I am ready now; exec sleep 1000") {
                    $0.readiness = .line("ready")
                },
            ], neededByWorkers: ["a"])
        try eventually("b's word") { said.text.contains("fine") }
        #expect(keeper.news.workersMayStart)
        try stop()
    }

    @Test(arguments: ["tcp", "http", "unix", "file"])
    func probes(_ kind: String) throws {
        let port = try freePort()
        let path = directory["there"]
        let python = "import http.server,socketserver,os;"
        let wait = "while ! test -e $DIR/go; do sleep 0.02; done"
        let server = { (text: String) in "\(wait); exec python3 -c '\(python)\(text)'" }
        let (text, probe): (String, ReadinessProbe) =
            switch kind {
            case "http":
                (
                    server(
                        "http.server.HTTPServer((\"127.0.0.1\",\(port)),http.server.SimpleHTTPRequestHandler).serve_forever()"
                    ),
                    .http(StatusRequest(.tcp(host: "127.0.0.1", port: port), target: "/"))
                )
            case "tcp":
                (
                    server("s=socketserver.TCPServer((\"127.0.0.1\",\(port)),None); s.serve_forever()"),
                    .tcp(.tcp(host: "127.0.0.1", port: port))
                )
            case "unix":
                (
                    server(
                        "s=socketserver.UnixStreamServer(\"\(path)\",socketserver.StreamRequestHandler); s.serve_forever()"
                    ),
                    .tcp(.unix(path: path))
                )
            default: ("\(wait); echo 2 >\(path); exec sleep 1000", .file(path))
            }
        // One that a predecessor left is no sign.
        if kind == "file" { try directory.write("1", to: "there") }
        try keeper.start([script("a", text) { $0.readiness = .probe(probe) }], neededByWorkers: ["a"])
        try eventually("a's start") { pid("a") != nil }
        // Several looks of the probe.
        usleep(500_000)
        #expect(!keeper.news.workersMayStart)
        try directory.write("", to: "go")
        try eventually("a's readiness") { keeper.news.workersMayStart }
        #expect(log.text.contains("is ready"))
        try stop()
    }

    private func freePort() throws -> UInt16 {
        // None of those that the kernel gives to whoever asks for any.
        for port in (10_000..<32_768 as Range<UInt16>).shuffled() {
            guard let socket = try? ListeningSocket.bind(.tcp(host: "127.0.0.1", port: port)) else { continue }
            socket.close()
            return port
        }
        return 0
    }

    @Test func whatCrashesIsStartedAgain() throws {
        try keeper.start(
            [script("a", "echo x >>$DIR/runs; test $(wc -l <$DIR/runs) -ge 3 && exec sleep 1000; kill -SEGV $$")],
            neededByWorkers: [])
        try eventually("the third run") { (try? directory.text(of: "runs")) == "x\nx\nx\n" && pid("a") != nil }
        #expect(log.text.contains("ended: killed by SIGSEGV"))
        #expect(keeper.snapshot.first?.restarts == 2)
        try stop()
    }

    @Test func whatIsEssentialAndFails() throws {
        try keeper.start(
            [
                script("a", "echo no luck; exit 3") {
                    $0.startAttempts = 2
                    $0.isEssential = true
                }
            ], neededByWorkers: [])
        try eventually("the reason") { keeper.news.reasonToGiveUp != nil }
        #expect(keeper.news.reasonToGiveUp == "program a is essential, and was given up")
        #expect(log.text.contains("exit status 3, failure 2 in a row; it is given up"))
        try stop()
        #expect(said.text == "info no luck\ninfo no luck")
    }

    /// What a program leaves in its group goes with it: before it is started again, and at the end.
    @Test func theWholeGroupGoes() throws {
        try keeper.start(
            [
                script(
                    "a",
                    """
                    sh -c 'trap "" TERM HUP; echo $$ >>$DIR/children; while :; do sleep 0.05; done' &
                    while ! test -e $DIR/children; do sleep 0.01; done
                    test -e $DIR/again && exec sleep 1000
                    touch $DIR/again; exit 1
                    """)
            ], neededByWorkers: [])
        try eventually("two children") { (try? directory.text(of: "children"))?.split(separator: "\n").count == 2 }
        let children = try directory.text(of: "children").split(separator: "\n").compactMap { Int32($0) }
        try eventually("the end of the first") { kill(children[0], 0) != 0 || isZombie(children[0]) }
        try stop()
        try eventually("the end of the second") { kill(children[1], 0) != 0 || isZombie(children[1]) }
    }

    private func isZombie(_ pid: Int32) -> Bool {
        let stat =
            (try? Descriptor.contents(ofFile: "/proc/\(pid)/stat")).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return stat.contains(") Z ")
    }

    @Test func whatIgnoresTermIsKilled() throws {
        try keeper.start(
            [
                script("a", "trap '' TERM; echo deaf; while :; do sleep 0.05; done") {
                    $0.stopTimeout = .milliseconds(200)
                }
            ], neededByWorkers: [])
        try eventually("its word") { said.text.contains("deaf") }
        try stop()
        #expect(log.text.contains("did not stop within 0.2 seconds"))
    }

    @Test func whatIsStoppedHearsOfItsEnd() throws {
        try keeper.start(
            [script("a", "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done")], neededByWorkers: [])
        try eventually("its word") { said.text.contains("up") }
        Signal(rawValue: SIGSTOP).send(to: try #require(pid("a")))
        try stop()
        #expect(said.text.hasSuffix("info bye"))
    }

    @Test func whatHangsAtItsStartIsKilled() throws {
        try keeper.start(
            [
                script("a", "exec sleep 1000") {
                    $0.readiness = .line("never")
                    $0.startTimeout = .milliseconds(100)
                    $0.startAttempts = 2
                }
            ], neededByWorkers: ["a"])
        try eventually("the reason") { keeper.news.reasonToGiveUp != nil }
        #expect(keeper.news.reasonToGiveUp == "workers need program a, which was given up")
        try stop()
    }

    /// Ten thousand lines and one without end: nobody waits, and the longest is cut.
    @Test func aFloodIsBounded() throws {
        try keeper.start(
            [
                script(
                    "a",
                    "head -c 100000 /dev/zero | tr '\\\\0' x; echo; seq 10000; echo done >$DIR/done; exec sleep 1000")
            ], neededByWorkers: [])
        try eventually("the last line") { directory.has("done") && said.text.contains("info 10000") }
        try stop()
        let lines = said.text.split(separator: "\n")
        #expect(lines[0].utf8.count < 8300 && lines[0].hasSuffix("(91808 bytes more)"), "\(lines[0].suffix(80))")
        #expect(lines.count == 10_001)
    }

    /// A log that nobody reads: lines are lost, and neither the program nor its keeper waits.
    @Test func aLogThatDoesNotKeepUp() throws {
        let gate = Gate()
        let keeper = try ProgramKeeper(logger: log.logger) { [said] _ in
            gate.pass()
            return said.logger
        }
        try keeper.start([script("a", "seq 200000; touch $DIR/done; exec sleep 1000")], neededByWorkers: [])
        try eventually("the end of the flood") { directory.has("done") }
        gate.open()
        try eventually("the count") { said.text.contains("lines were dropped") }
        keeper.stop()
        try eventually("the end") { keeper.news.hasStopped }
    }

    private final class Gate: Sendable {
        private let isOpen = Mutex(false)
        func open() { isOpen.withLock { $0 = true } }
        func pass() { while !isOpen.withLock({ $0 }) { usleep(1_000) } }
    }

    @Test func whatCannotBeStarted() throws {
        var absent = script("a", "")
        absent.executable = "/nonexistent/program"
        absent.startAttempts = 2
        try keeper.start([absent], neededByWorkers: [])
        try eventually("the end of trying") { keeper.snapshot.first?.phase == "failed" }
        #expect(
            log.text.contains("program a could not be started: start /nonexistent/program: No such file or directory"))
        try stop()
    }

    @Test(.enabled(if: geteuid() == 0, "only root may become another user"))
    func runsAsSomebodyElse() throws {
        try keeper.start(
            [
                script("a", "id -u; id -g; exec sleep 1000") {
                    $0.identity = try? ProcessIdentity(user: "61234", group: "61235")
                }
            ], neededByWorkers: [])
        try eventually("its word") { said.text == "info 61234\ninfo 61235" }
        try stop()
    }

    @Test func runsOnWhenNothingHasChanged() throws {
        let (a, b) = (script("a", "exec sleep 1000"), script("b", "exec sleep 1000"))
        try keeper.start([a, b], neededByWorkers: [])
        try eventually("both") { pid("a") != nil && pid("b") != nil }
        let (first, second) = (try #require(pid("a")), try #require(pid("b")))
        keeper.update([a, script("b", "exec sleep 2000")])
        try eventually("another b") { pid("b").map { $0 != second } ?? false }
        #expect(pid("a") == first)
        #expect(kill(second, 0) != 0)
        try stop()
    }

    /// From one keeper to another, as over an exec: what a program writes meanwhile is not lost.
    @Test func handedOver() throws {
        let declaration = script(
            "a", "echo one; while ! test -e $DIR/go; do sleep 0.02; done; echo two; touch $DIR/said; exec sleep 1000")
        try keeper.start([declaration], neededByWorkers: [])
        try eventually("its first word") { said.text.contains("one") }
        let left = keeper.suspend()
        #expect(left.count == 1)
        let first = try #require(left.first?.pid)
        try directory.write("", to: "go")
        try eventually("its second word") { directory.has("said") }
        #expect(!said.text.contains("two"))

        // It does not come to be: the first goes on.
        keeper.resume()
        try eventually("the second word in the log") { said.text.contains("two") }

        let again = keeper.suspend()
        let heirs = try again.map { heir in
            var record = heir.record
            record.set("descriptor", dup(heir.descriptor))
            return try #require(InheritedProgram(record))
        }
        let successor = try ProgramKeeper(logger: log.logger) { [said] _ in said.logger }
        try successor.start([declaration], neededByWorkers: ["a"], inheriting: heirs)
        #expect(successor.news.workersMayStart || heirs.count == 1)
        try eventually("its number") { successor.snapshot.first?.pid == first }
        #expect(successor.snapshot.first?.phase == "ready" && successor.snapshot.first?.restarts == 0)
        kill(first, SIGKILL)
        try eventually("another") { successor.snapshot.first?.pid.map { $0 != first } ?? false }
        successor.stop()
        try eventually("the end") { successor.news.hasStopped }
    }
}

@Suite struct ProgramOutputTests {
    @Test func lines() {
        var output = ProgramOutput()
        #expect(output.lines(in: Array("a\nb".utf8)) == ["a"])
        #expect(output.lines(in: Array("c\r\n\n".utf8)) == ["bc", ""])
        #expect(output.rest() == nil)
        #expect(output.lines(in: [0xFF, 0x0A]) == ["\u{FFFD}"])
        #expect(output.lines(in: Array("end".utf8)) == [] && output.rest() == "end" && output.rest() == nil)
    }

    @Test func longLinesAreCut() {
        var output = ProgramOutput()
        let long = [UInt8](repeating: 0x78, count: ProgramOutput.longestLine)
        #expect(output.lines(in: long + [0x0A]) == [String(repeating: "x", count: ProgramOutput.longestLine)])
        let cut = output.lines(in: long + long + Array("yz\nnext\n".utf8))
        #expect(cut == [String(repeating: "x", count: ProgramOutput.longestLine) + "… (8194 bytes more)", "next"])
    }
}
