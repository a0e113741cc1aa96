import Glibc
import Platform
import TestSupport
import Testing

@Suite struct FileEventsTests {
    private func next(_ events: FileEvents) -> [FileEvents.Event] {
        var waiting = pollfd(fd: events.descriptor, events: Int16(POLLIN), revents: 0)
        _ = poll(&waiting, 1, 30_000)
        return events.take()
    }

    private func names(_ events: [FileEvents.Event]) -> Set<String> {
        Set(
            events.compactMap {
                if case .changed(_, let name, _) = $0 { name } else { nil }
            })
    }

    @Test func nothingHappened() throws {
        let folder = try Folder()
        let events = try FileEvents()
        _ = try events.watch(folder.path)
        #expect(events.take() == [])
    }

    @Test func writingMakingAndRemovingAreSeen() throws {
        let folder = try Folder()
        let events = try FileEvents()
        let watch = try events.watch(folder.path)
        try folder.write("1", to: "one")
        #expect(next(events).contains(.changed(watch, name: "one", isDirectory: false)))
        mkdir("\(folder.path)/below", 0o755)
        #expect(next(events).contains(.changed(watch, name: "below", isDirectory: true)))
        unlink("\(folder.path)/one")
        #expect(names(next(events)).contains("one"))
    }

    @Test func aFilePutInPlaceIsSeen() throws {
        let folder = try Folder()
        let other = try Folder()
        try other.write("1", to: "new")
        let events = try FileEvents()
        _ = try events.watch(folder.path)
        #expect(rename("\(other.path)/new", "\(folder.path)/page.html") == 0)
        #expect(names(next(events)).contains("page.html"))
    }

    @Test func theEndOfADirectoryIsSeenOnce() throws {
        let folder = try Folder()
        mkdir("\(folder.path)/below", 0o755)
        let events = try FileEvents()
        let watch = try events.watch("\(folder.path)/below")
        rmdir("\(folder.path)/below")
        #expect(next(events).filter { $0 == .gone(watch) }.count == 1)
    }

    @Test func aForgottenDirectoryIsSilent() throws {
        let folder = try Folder()
        let events = try FileEvents()
        let watch = try events.watch(folder.path)
        events.forget(watch)
        try folder.write("1", to: "one")
        #expect(names(events.take()).isEmpty)
    }

    @Test func aFileIsNoDirectory() throws {
        let folder = try Folder()
        try folder.write("1", to: "file")
        let events = try FileEvents()
        #expect(throws: SystemError.self) { try events.watch("\(folder.path)/file") }
    }
}
