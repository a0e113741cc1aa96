import Glibc
import Platform
import TestSupport
import Testing

@testable import Supervisor

@Suite struct WatchedFilesTests {
    private let directory: Folder
    private let files: WatchedFiles

    init() throws {
        directory = try Folder()
        files = try WatchedFiles()
    }

    /// What has changed, once that is certain: a file `end` of our own is changed last and waited for.
    private func changes(_ paths: [String], _ act: () throws -> Void) throws -> [String] {
        let end = directory["end-\(paths.count)"]
        try files.watch(paths + [end])
        try act()
        try directory.write("", to: "end-\(paths.count)")
        var changed: Set<String> = []
        while !changed.contains(end) {
            var waiting = pollfd(fd: files.descriptor, events: Int16(POLLIN), revents: 0)
            let pause = files.nextDeadline.map { ($0 - .now()).pollMilliseconds } ?? 60_000
            _ = poll(&waiting, 1, pause)
            changed.formUnion(files.take(.now()))
        }
        changed.remove(end)
        return changed.map { String($0.dropFirst(directory.path.utf8.count + 1)) }.sorted()
    }

    @Test func aTouchIsAChange() throws {
        try directory.write("x", to: "a")
        let changed = try changes([directory["a"], directory["b"]]) {
            let times = [timespec(tv_sec: 1, tv_nsec: 0), timespec(tv_sec: 1, tv_nsec: 0)]
            #expect(utimensat(AT_FDCWD, directory["a"], times, 0) == 0)
        }
        #expect(changed == ["a"])
    }

    @Test func replacementAndAppearanceAreChanges() throws {
        try directory.write("x", to: "a")
        try directory.write("y", to: "new")
        let changed = try changes([directory["a"], directory["b"]]) {
            #expect(rename(directory["new"], directory["a"]) == 0)
            try directory.write("", to: "b")
        }
        #expect(changed == ["a", "b"])
    }

    @Test func removalAndNeighboursAreNone() throws {
        try directory.write("x", to: "a")
        let changed = try changes([directory["a"]]) {
            try directory.write("x", to: "neighbour")
            #expect(unlink(directory["a"]) == 0)
        }
        #expect(changed == [])
    }

    @Test func aLinkThatIsPointedElsewhereIsAChange() throws {
        // As Kubernetes mounts configurations.
        try directory.write("1", to: "v1/app.yaml")
        try directory.write("2", to: "v2/app.yaml")
        #expect(symlink("v1", directory["data"]) == 0)
        #expect(symlink("data/app.yaml", directory["app.yaml"]) == 0)
        let changed = try changes([directory["app.yaml"]]) {
            #expect(symlink("v2", directory["data-new"]) == 0)
            #expect(rename(directory["data-new"], directory["data"]) == 0)
        }
        #expect(changed == ["app.yaml"])
    }

    @Test func aDirectoryThatAppearsIsWatched() throws {
        let changed = try changes([directory["later/deep/a"]]) {
            try directory.write("", to: "later/deep/a")
        }
        #expect(changed == ["later/deep/a"])
    }
}
