import Glibc
import Synchronization
import Testing

@testable import Platform

/// With signals that nothing else in a test run uses: they are the process's, not the test's.
@Suite(.serialized) struct SignalSourceTests {
    private static let urgent = Signal(rawValue: SIGURG)
    private static let window = Signal(rawValue: SIGWINCH)

    @Test func countsEachSignal() throws {
        let source = try SignalSource([Self.urgent, Self.window])
        #expect(source.take() == [])
        // To this thread, which takes each before it sends the next: of two on their way to a process one may be left.
        for signal in [Self.window, Self.urgent, Self.window] { raise(signal.rawValue) }
        var taken: [Signal] = []
        while taken.count < 3 { taken += source.wait() }
        #expect(taken.filter { $0 == Self.urgent }.count == 1)
        #expect(taken.filter { $0 == Self.window }.count == 2)
        #expect(source.take() == [])
    }

    @Test func isExclusive() throws {
        let source = try SignalSource([Self.window])
        #expect(throws: SystemError(operation: "watch SIGWINCH", code: EBUSY)) {
            try SignalSource([Self.urgent, Self.window])
        }
        // The failed attempt has let go of the other one; and the first still works.
        _ = try SignalSource([Self.urgent])
        Self.window.send(to: getpid())
        #expect(source.wait() == [Self.window])
    }

    @Test func comesFromWhereverAndWhateverIsBlocked() throws {
        var blocked = sigset_t()
        sigemptyset(&blocked)
        sigaddset(&blocked, SIGWINCH)
        pthread_sigmask(SIG_BLOCK, &blocked, nil)
        let source = try SignalSource([Self.window])
        Self.window.send(to: getpid())
        #expect(source.wait() == [Self.window])
    }

    @Test func deliversOnItsThread() async throws {
        // Watched for the rest of the process's life, hence a signal of its own.
        let source = try SignalSource([Signal(rawValue: SIGIO)])
        let received = try EventCounter()
        try source.deliver(to: { _ in received.signal() })
        Signal(rawValue: SIGIO).send(to: getpid())
        #expect(received.wait())
    }

    @Test func sendingToNobodyFails() {
        #expect(!Signal(rawValue: 0).send(to: 0x3FFF_FFFF))
    }
}
