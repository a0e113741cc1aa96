import Glibc
import TestSupport
import Testing

@testable import Platform

@Suite struct ProcessIdentityTests {
    private let directory: Folder
    private static let isRoot = geteuid() == 0

    init() throws {
        directory = try Folder()
        chmod(directory.path, 0o777)
    }

    /// What a script says when `identity` runs it.
    private func run(
        _ script: String, as identity: ProcessIdentity?, in folder: String? = nil, leadsGroup: Bool = false
    ) throws -> [String] {
        let output = try MemoryFile.make(name: "output", [])
        let pid = try ChildProcess.spawn(
            executable: "/bin/sh", arguments: ["sh", "-c", script],
            environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"],
            directory: folder, descriptors: [(output.rawValue, 1)], as: identity, leadsGroup: leadsGroup)
        #expect(try ChildProcess.wait(pid) == .exited(0))
        return String(decoding: try MemoryFile.contents(of: output), as: UTF8.self).split(separator: "\n").map(
            String.init)
    }

    @Test(arguments: ["root", "0"])
    func findsUsersByNameAndNumber(_ user: String) throws {
        let root = try ProcessIdentity(user: user)
        #expect(root.user == 0 && root.group == 0 && root.name == "root" && root.home == "/root")
        #expect(root.groups.contains(0))
        #expect(root.description == "root")
    }

    @Test func whatIsUnknownIsSaid() throws {
        #expect(throws: ProcessIdentity.Unknown.user("no-such-user")) { try ProcessIdentity(user: "no-such-user") }
        #expect(throws: ProcessIdentity.Unknown.group("no-such-group")) {
            try ProcessIdentity(user: "root", group: "no-such-group")
        }
        #expect(throws: ProcessIdentity.Unknown.groupOfUser(61_234)) { try ProcessIdentity(user: "61234") }
        #expect(throws: ProcessIdentity.Unknown.user("-1")) { try ProcessIdentity(user: "-1") }
    }

    @Test func aNumberNeedsNoEntry() throws {
        let someone = try ProcessIdentity(user: "61234", group: "61235")
        #expect(someone.user == 61_234 && someone.group == 61_235 && someone.groups == [61_235])
        #expect(someone.name == nil && someone.description == "user 61234")
        let environment = someone.applied(to: ["HOME": "/root", "USER": "root", "LOGNAME": "root", "LANG": "C"])
        #expect(environment == ["HOME": "/", "LANG": "C"])
    }

    @Test func theEnvironmentIsThatOfALogin() throws {
        let environment = try ProcessIdentity(user: "root").applied(to: ["HOME": "/home/x", "USER": "x", "A": "b"])
        #expect(environment["HOME"] == "/root" && environment["USER"] == "root" && environment["LOGNAME"] == "root")
        #expect(environment["A"] == "b")
    }

    @Test(.enabled(if: isRoot, "only root may become another user"))
    func aProgramIsSomebodyElseForGood() throws {
        let someone = try ProcessIdentity(user: "61234", group: "61235")
        let lines = try run(
            """
            id -u; id -g; id -G
            grep -E '^(Uid|Gid|Groups|CapPrm|CapEff|NoNewPrivs):' /proc/self/status
            python3 -c 'import os
            for call in (os.setuid, os.seteuid, os.setgid):
                try: call(0); print("regained", call)
                except PermissionError: print("refused")
            try: os.setgroups([0]); print("regained")
            except PermissionError: print("refused")'
            """, as: someone)
        #expect(lines.prefix(3) == ["61234", "61235", "61235"])
        #expect(lines.contains("Uid:\t61234\t61234\t61234\t61234"))
        #expect(lines.contains("Gid:\t61235\t61235\t61235\t61235"))
        #expect(lines.contains("CapPrm:\t0000000000000000") && lines.contains("CapEff:\t0000000000000000"))
        #expect(lines.contains("NoNewPrivs:\t1"))
        #expect(lines.suffix(4) == ["refused", "refused", "refused", "refused"])
    }

    @Test(.enabled(if: isRoot, "only root may become another user"))
    func itMayBeAllowedToGainPrivileges() throws {
        var someone = try ProcessIdentity(user: "61234", group: "61235")
        someone.mayGainPrivileges = true
        #expect(try run("grep NoNewPrivs /proc/self/status", as: someone) == ["NoNewPrivs:\t0"])
    }

    @Test(.enabled(if: isRoot, "only root may become another user"))
    func descriptorsAndGroupAreLaidOutAsForOthers() throws {
        let a = try MemoryFile.make(name: "a", Array("A".utf8))
        let b = try MemoryFile.make(name: "b", Array("B".utf8))
        let output = try MemoryFile.make(name: "output", [])
        let pid = try ChildProcess.spawn(
            executable: "/bin/sh",
            arguments: ["sh", "-c", "cat <&3; cat <&4; echo; ls /proc/$$/fd; cut -d' ' -f5 /proc/$$/stat"],
            environment: ["PATH": "/usr/bin:/bin"],
            descriptors: [(a.rawValue, 4), (b.rawValue, 3), (output.rawValue, 1)],
            as: try ProcessIdentity(user: "61234", group: "61235"), leadsGroup: true)
        #expect(try ChildProcess.wait(pid) == .exited(0))
        let text = String(decoding: try MemoryFile.contents(of: output), as: UTF8.self)
        #expect(text == "BA\n0\n1\n2\n3\n4\n\(pid)\n")
    }

    @Test func aGroupOfItsOwnAlsoWithoutAChangeOfUser() throws {
        let lines = try run("echo $$; cut -d' ' -f5 /proc/$$/stat", as: nil, leadsGroup: true)
        #expect(lines.count == 2 && lines[0] == lines[1])
    }

    @Test(.enabled(if: isRoot, "only root may become another user"))
    func whatStoodInTheWayIsSaid() throws {
        let someone = try ProcessIdentity(user: "61234", group: "61235")
        chmod(directory.path, 0o700)
        let place = #expect(throws: SystemError.self) { try run("true", as: someone, in: directory.path) }
        #expect(
            place?.description.hasPrefix("enter \(directory.path) as user 61234") ?? false,
            "\(String(describing: place))")
        let program = #expect(throws: SystemError.self) {
            try ChildProcess.spawn(
                executable: "/nonexistent", arguments: ["x"], environment: [:], as: someone)
        }
        #expect(program == SystemError(operation: "start /nonexistent", code: ENOENT))
    }

    @Test(.enabled(if: isRoot, "only root may ask for another user"))
    func asksWhatAnotherMayDo() throws {
        let someone = try ProcessIdentity(user: "61234", group: "61235")
        let (mine, theirs) = (directory.path + "/mine", directory.path + "/theirs")
        for path in [mine, theirs] { try Descriptor.appending(to: path, mode: 0o600).setCloseOnExec(true) }
        chown(theirs, 61_234, 61_235)
        let answers = try someone.access([
            (mine, W_OK), (theirs, W_OK), (directory.path, W_OK | X_OK), (directory.path + "/absent", W_OK),
        ])
        #expect(answers == [EACCES, 0, 0, ENOENT])
        #expect(geteuid() == 0)
    }

    @Test(.enabled(if: isRoot, "only root may become another user"))
    func anOrdinaryUserCannotBecomeAnother() throws {
        // The question itself is asked by a child of root's, which gives its rights up first: so by a program.
        let lines = try run(
            "python3 -c 'import os\ntry: os.setgroups([1])\nexcept PermissionError: print(\"no\")'",
            as: try ProcessIdentity(user: "61234", group: "61235"))
        #expect(lines == ["no"])
    }
}
