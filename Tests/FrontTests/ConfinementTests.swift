import Foundation
import HTTP
import Testing

@testable import Front
@testable import Platform

/// Both ways of staying inside: the kernel's and the walk's.
@Suite struct ConfinementTests {
    private func fixture() throws -> TemporaryFiles {
        let files = try TemporaryFiles(["a.txt": "inside", "d/b.txt": "deep", "d/e/c.txt": "deeper"])
        try Data("secret".utf8).write(to: URL(fileURLWithPath: files.path + "/secret"))
        try files.link("in", to: "d/b.txt")
        try files.link("absolute", to: files.root + "/d/b.txt")
        try files.link("d/up", to: "../a.txt")
        try files.link("linkdir", to: "d/e")
        try files.link("out", to: "../secret")
        try files.link("outabsolute", to: files.path + "/secret")
        try files.link("outdir", to: "..")
        try files.link("outandin", to: "../root/a.txt")
        try files.link("loop", to: "loop")
        try files.link("dangling", to: "nothing")
        try files.link("magic", to: "/proc/self/root")
        mkfifo(files.root + "/fifo", 0o644)
        try files.link("device", to: "/dev/null")
        return files
    }

    private func read(_ directory: ConfinedDirectory, _ name: String) -> String {
        do throws(ConfinedDirectory.Failure) {
            let file = try directory.open(name.utf8)
            defer { file.close() }
            if file.isDirectory { return "directory" }
            var bytes = [UInt8](repeating: 0, count: file.identity.size)
            let count = bytes.withUnsafeMutableBytes { (try? file.read(at: 0, into: $0)) ?? 0 }
            return String(decoding: bytes.prefix(count), as: UTF8.self)
        } catch {
            return "\(error)"
        }
    }

    private static let cases: [(name: String, never: String, withinRoot: String)] = [
        ("a.txt", "inside", "inside"), ("d/b.txt", "deep", "deep"), ("", "directory", "directory"),
        ("d", "directory", "directory"), ("d/", "directory", "directory"), ("d//e/./c.txt", "deeper", "deeper"),
        ("none", "notFound", "notFound"), ("a.txt/x", "notFound", "notFound"), ("/a.txt", "notFound", "notFound"),
        ("in", "forbidden", "deep"), ("d/up", "forbidden", "inside"), ("linkdir/c.txt", "forbidden", "deeper"),
        ("out", "forbidden", "forbidden"), ("outabsolute", "forbidden", "forbidden"),
        ("outdir/secret", "forbidden", "forbidden"),
        ("../secret", "forbidden", "forbidden"), ("d/../../secret", "forbidden", "forbidden"),
        ("loop", "forbidden", "forbidden"), ("dangling", "forbidden", "notFound"), ("magic", "forbidden", "forbidden"),
        ("magic/etc/passwd", "forbidden", "forbidden"), ("fifo", "notAFile", "notAFile"),
        ("device", "forbidden", "forbidden"),
    ]

    @Test(arguments: cases) func theKernelConfines(name: String, never: String, withinRoot: String) throws {
        let files = try fixture()
        #expect(read(ConfinedDirectory(path: files.root, links: .never), name) == never)
        #expect(read(ConfinedDirectory(path: files.root, links: .withinRoot), name) == withinRoot)
    }

    @Test(arguments: cases) func theWalkConfines(name: String, never: String, withinRoot: String) throws {
        let files = try fixture()
        #expect(read(ConfinedDirectory(path: files.root, links: .never, walks: true), name) == never)
        #expect(read(ConfinedDirectory(path: files.root, links: .withinRoot, walks: true), name) == withinRoot)
    }

    @Test func absoluteLinksWithinTheRootAreFollowed() throws {
        let files = try fixture()
        #expect(read(ConfinedDirectory(path: files.root, links: .withinRoot), "absolute") == "deep")
        #expect(read(ConfinedDirectory(path: files.root, links: .never), "absolute") == "forbidden")
        #expect(read(ConfinedDirectory(path: files.root, links: .withinRoot), "outandin") == "inside")
        // A sibling whose name starts like the root's is outside.
        try FileManager.default.createDirectory(atPath: files.path + "/root2", withIntermediateDirectories: true)
        try Data("secret".utf8).write(to: URL(fileURLWithPath: files.path + "/root2/x"))
        try files.link("sibling", to: files.path + "/root2/x")
        #expect(read(ConfinedDirectory(path: files.root, links: .withinRoot), "sibling") == "forbidden")
    }

    @Test func linksMayLeadAnywhereWhenAllowed() throws {
        let files = try fixture()
        let directory = ConfinedDirectory(path: files.root, links: .anywhere)
        #expect(read(directory, "out") == "secret")
        #expect(read(directory, "fifo") == "notAFile")
        #expect(read(directory, "device") == "notAFile")
    }

    @Test func aSwappedRootIsSeen() throws {
        let files = try TemporaryFiles(["one/x": "1", "two/x": "2"])
        try files.link("current", to: "one")
        let directory = ConfinedDirectory(path: files.root + "/current")
        #expect(read(directory, "x") == "1")
        try FileManager.default.removeItem(atPath: files.root + "/current")
        try files.link("current", to: "two")
        try directory.refresh()
        #expect(read(directory, "x") == "2")
    }

    @Test(arguments: [
        ("/in", 200), ("/absolute", 200), ("/out", 403), ("/outdir/secret", 403), ("/fifo", 404), ("/device", 403),
        ("/loop", 403), ("/dangling", 404), ("/magic/etc/passwd", 403),
    ])
    func answersAccordingly(target: String, status: Int) throws {
        let files = try fixture()
        let answer = try FrontFixture(files: files).send(.get, target)
        #expect(answer.status == status)
        #expect(!answer.text.contains("secret"))
    }

    @Test func unreadableFilesAreForbidden() throws {
        // Root reads everything: only someone else can see this.
        guard geteuid() != 0 else { return }
        let files = try fixture()
        chmod(files.root + "/a.txt", 0)
        #expect(try FrontFixture(files: files).send(.get, "/a.txt").status == 403)
    }
}
