import Glibc
import Platform
import Synchronization
import Testing

@testable import Supervisor

@Suite struct SupervisorCommandsTests {
    private func isReadable(_ descriptor: Int32) -> Bool {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&waiting, 1, 0) == 1
    }

    @Test func arriveInTheirOrder() throws {
        let commands = try SupervisorCommands()
        #expect(!isReadable(commands.descriptor))
        commands.send(.reload)
        commands.send(.scale(to: 3))
        #expect(isReadable(commands.descriptor))
        #expect(commands.take().map(\.request) == [.reload, .scale(to: 3)])
        #expect(!isReadable(commands.descriptor))
        #expect(commands.take().isEmpty)
    }

    @Test func areAnsweredAlsoAfterTheEnd() throws {
        let commands = try SupervisorCommands()
        let answers = Mutex<[SupervisorCommands.Outcome]>([])
        commands.send(.stop) { answer in answers.withLock { $0.append(answer) } }
        commands.end()
        commands.send(.reload) { answer in answers.withLock { $0.append(answer) } }
        #expect(answers.withLock { $0 } == [.refused("the server has ended"), .refused("the server has ended")])
    }

    @Test func theSnapshotIsTheLastThatWasPublished() throws {
        let commands = try SupervisorCommands()
        var snapshot = PoolSnapshot()
        snapshot.target = 4
        commands.publish(snapshot)
        #expect(commands.snapshot == snapshot)
    }
}
