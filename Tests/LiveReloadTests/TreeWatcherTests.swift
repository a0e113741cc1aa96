import Foundation
import Logging
import Platform
import Synchronization
import Testing

@testable import LiveReload

@Suite(.timeLimit(.minutes(10))) struct TreeWatcherTests {
    /// What a watcher has told, and a wait for it.
    private final class Told: Sendable {
        private let all = Mutex<[String]>([])
        private let batches = Mutex(0)

        func add(_ paths: [String]) {
            all.withLock { $0 += paths }
            batches.withLock { $0 += 1 }
        }

        var count: Int { batches.withLock { $0 } }
        func take() -> [String] {
            all.withLock { paths in
                defer { paths = [] }
                return paths
            }
        }

        /// What is told up to and including `path`.
        func until(_ path: String) async throws -> Set<String> {
            var seen: Set<String> = []
            while !seen.contains(path) {
                seen.formUnion(take())
                try await Task.sleep(for: .milliseconds(2))
            }
            return seen
        }
    }

    private let folder: TemporaryFolder
    private let told = Told()

    init() throws { folder = try TemporaryFolder() }

    private func watcher(_ files: [String] = []) throws -> TreeWatcher {
        try TreeWatcher(
            .init(directories: [folder.path], files: files), logger: Logger(label: "test"), onChange: told.add)
    }

    @Test func writingSavingAtomicallyAndRemoving() async throws {
        try folder.write("1", to: "a/page.html")
        let watcher = try watcher()
        defer { watcher.stop() }
        try folder.write("22", to: "a/page.html")
        #expect(try await told.until("\(folder.path)/a/page.html").contains("\(folder.path)/a/page.html"))
        try folder.replace("333", "a/page.html")
        #expect(try await told.until("\(folder.path)/a/page.html") == ["\(folder.path)/a/page.html"])
        try folder.remove("a/page.html")
        #expect(try await told.until("\(folder.path)/a/page.html") == ["\(folder.path)/a/page.html"])
    }

    @Test func newDirectoriesAreWatchedWithWhatIsInThem() async throws {
        let watcher = try watcher()
        defer { watcher.stop() }
        try folder.write("1", to: "new/deep/one.css")
        _ = try await told.until("\(folder.path)/new/deep/one.css")
        try folder.write("2", to: "new/deep/two.css")
        _ = try await told.until("\(folder.path)/new/deep/two.css")
        try folder.move("new", "moved")
        let seen = try await told.until("\(folder.path)/moved/deep/two.css")
        #expect(seen.contains("\(folder.path)/new/deep/one.css"))
        try folder.write("3", to: "moved/deep/three.css")
        _ = try await told.until("\(folder.path)/moved/deep/three.css")
    }

    @Test func whatIsIgnoredIsNotTold() async throws {
        try folder.write("*.txt\nout/\n", to: ".gitignore")
        try folder.write("!kept.txt\n", to: "a/.gitignore")
        try folder.write("", to: "out/file")
        let watcher = try watcher()
        defer { watcher.stop() }
        try folder.write("1", to: "a/lost.txt")
        try folder.write("1", to: "a/kept.txt")
        try folder.write("1", to: "out/file")
        try folder.write("1", to: ".git/index")
        try folder.write("1", to: "a/page.html~")
        try folder.write("1", to: "last")
        #expect(
            try await told.until("\(folder.path)/last").subtracting(["\(folder.path)/a/kept.txt"]) == [
                "\(folder.path)/last"
            ])
    }

    @Test func aFileThatIsNotThereYetAndAFileBehindALink() async throws {
        let other = try TemporaryFolder()
        try other.write("1", to: "first/app.yaml")
        try other.write("22", to: "second/app.yaml")
        // As a ConfigMap is mounted: a link to a link, of which the second is replaced.
        try FileManager.default.createSymbolicLink(atPath: "\(other.path)/..data", withDestinationPath: "first")
        try FileManager.default.createSymbolicLink(
            atPath: "\(other.path)/app.yaml", withDestinationPath: "..data/app.yaml")
        let watcher = try watcher(["\(other.path)/app.yaml", "\(other.path)/later"])
        defer { watcher.stop() }
        try other.write("1", to: "later")
        #expect(try await told.until("\(other.path)/later") == ["\(other.path)/later"])
        try FileManager.default.createSymbolicLink(atPath: "\(other.path)/..new", withDestinationPath: "second")
        #expect(rename("\(other.path)/..new", "\(other.path)/..data") == 0)
        #expect(try await told.until("\(other.path)/app.yaml") == ["\(other.path)/app.yaml"])
    }

    @Test func tenThousandChangesAtOnceAreAFewChanges() async throws {
        let watcher = try watcher()
        defer { watcher.stop() }
        for number in 0..<10_000 { try folder.write("x", to: "d\(number % 100)/f\(number)", atomically: false) }
        var seen: Set<String> = []
        while seen.count < 10_000 {
            seen.formUnion(told.take())
            try await Task.sleep(for: .milliseconds(2))
        }
        #expect(told.count < 5_000)
    }

    @Test func withoutTheKernelFilesAreCompared() throws {
        try folder.write("1", to: "a/one")
        let tree = WatchedTree(directories: [folder.path], files: [], events: nil)
        #expect(tree.needsPolling)
        tree.distrustAll()
        #expect(tree.changes() == [])
        try folder.write("22", to: "a/one")
        try folder.write("1", to: "b/two")
        tree.distrustAll()
        #expect(tree.changes() == ["\(folder.path)/a/one", "\(folder.path)/b/two"])
        try folder.remove("b")
        tree.distrustAll()
        #expect(tree.changes() == ["\(folder.path)/b/two"])
    }

    @Test func whatHasChangedSinceATime() throws {
        try folder.write("1", to: "a/old")
        try folder.write("1", to: "moved")
        var status = stat()
        // Until the clock of the file system has moved on.
        try folder.write("1", to: "mark")
        #expect(stat("\(folder.path)/mark", &status) == 0)
        let time = Int64(status.st_ctim.tv_sec) * 1_000_000_000 + Int64(status.st_ctim.tv_nsec)
        var later = status
        while later.st_ctim.tv_nsec == status.st_ctim.tv_nsec {
            try folder.write("2", to: "b/new")
            #expect(stat("\(folder.path)/b/new", &later) == 0)
        }
        try folder.move("moved", "b/here")
        let tree = WatchedTree(directories: [folder.path], files: ["\(folder.path)/b/new"], events: nil)
        #expect(tree.changes(since: time) == ["\(folder.path)/b/here", "\(folder.path)/b/new"])
    }

    @Test func anotherScope() async throws {
        let other = try TemporaryFolder()
        let watcher = try watcher()
        defer { watcher.stop() }
        watcher.watch(.init(directories: [other.path]))
        // Until the watcher has turned to it, what happens there is not told.
        var seen: Set<String> = []
        var number = 0
        while seen.isEmpty {
            number += 1
            try other.write("\(number)", to: "file")
            try await Task.sleep(for: .milliseconds(50))
            seen.formUnion(told.take())
        }
        #expect(seen == ["\(other.path)/file"])
    }
}
