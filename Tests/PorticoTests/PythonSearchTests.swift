import Foundation
import TestSupport
import Testing

@testable import Python

/// Where an interpreter is looked for, and in which order.
@Suite struct PythonSearchTests {
    private let directory: Folder

    init() throws {
        directory = try Folder()
        for folder in [
            "env/bin", "active/bin", "site/.venv/bin", "path/bin", "prefix/bin", "prefix/lib/machine", "bare",
        ] {
            try directory.makeDirectory(folder)
        }
        for program in [
            "env/bin/python3", "active/bin/python", "site/.venv/bin/python3", "path/bin/python3",
            "prefix/bin/python3.12",
            "path/bin/python3.13t",
        ] {
            try directory.write("", to: program)
            chmod(directory[program], 0o755)
        }
        for library in [
            "prefix/lib/libpython3.12.so.1.0", "prefix/lib/machine/libpython3.12.so", "bare/libpython3.13t.so.1.0",
            "bare/libpython3.so", "bare/libpython3.11.so.1.0", "bare/readme",
        ] { try directory.write("", to: library) }
    }

    private func search(
        _ interpreter: String? = nil, virtualenv: String? = nil, active: Bool = false, site: String = "bare"
    ) -> PythonSearch {
        var environment = ["PATH": "relative:\(directory["nothing"]):\(directory["path/bin"])"]
        if active { environment["VIRTUAL_ENV"] = directory["active"] }
        return PythonSearch(
            interpreter: interpreter.map { directory[$0] }, virtualenv: virtualenv.map { directory[$0] },
            directory: directory[site], environment: environment)
    }

    @Test func theOrder() throws {
        let table: [(PythonSearch, String, PythonSearch.Source)] = [
            (search("prefix/bin/python3.12", active: true, site: "site"), "prefix/bin/python3.12", .interpreter),
            (search(virtualenv: "env", active: true, site: "site"), "env/bin/python3", .virtualenv),
            (search(active: true, site: "site"), "active/bin/python", .activeEnvironment),
            (search(site: "site"), "site/.venv/bin/python3", .besideApplication),
            (search(), "path/bin/python3", .path),
        ]
        for (search, path, source) in table {
            let found = try search.candidate()
            #expect(found == .init(executable: directory[path], library: nil, source: source))
        }
    }

    /// A library leads to the interpreter that was installed with it, else to one of its name on the path.
    @Test func libraries() throws {
        for (library, interpreter) in [
            ("prefix/lib/libpython3.12.so.1.0", "prefix/bin/python3.12"),
            ("prefix/lib/machine/libpython3.12.so", "prefix/bin/python3.12"),
            ("bare/libpython3.13t.so.1.0", "path/bin/python3.13t"),
        ] {
            let found = try search(library).candidate()
            #expect(found.executable == directory[interpreter])
            #expect(found.library?.path.hasSuffix(library) == true)
        }
        let inside = try search("prefix/lib/libpython3.12.so.1.0", virtualenv: "env").candidate()
        #expect(inside.executable == directory["env/bin/python3"] && inside.library != nil)
    }

    @Test func whatCannotBe() {
        let table: [(PythonSearch, PythonSearch.Source, String)] = [
            (search("nothing"), .interpreter, "there is no "),
            (search("env"), .interpreter, "is a directory; a virtual environment is named by 'virtualenv'"),
            (search("bare/readme"), .interpreter, "may not be executed"),
            (search("bare/libpython3.so"), .interpreter, "it only passes on to a library with a version"),
            (search("bare/libpython3.11.so.1.0"), .interpreter, "there is no python3.11 beside "),
            (search(virtualenv: "bare"), .virtualenv, "is no virtual environment: it has no bin/python"),
        ]
        for (search, source, message) in table {
            let error = #expect(throws: PythonSearchError.self) { try search.candidate() }
            #expect(error?.source == source)
            #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
        }
        let nowhere = PythonSearch(directory: "/nowhere", environment: ["PATH": "/nowhere"])
        #expect(throws: PythonSearchError.self) { try nowhere.candidate() }
    }

    @Test func machines() throws {
        #expect(MachineKind.here != nil)
        #expect(MachineKind(file: directory["bare/readme"]) == nil)
        #expect(throws: Never.self) { try MachineKind.check("/bin/sh") }
        var bytes = try Data(contentsOf: URL(fileURLWithPath: "/bin/sh")).prefix(64)
        bytes[18] = 22
        try bytes.write(to: URL(fileURLWithPath: directory["other"]))
        #expect(throws: PythonInstallationError.self) { try MachineKind.check(directory["other"]) }
    }

    @Test func oneInstallationByTwoNames() throws {
        let one = try #require(PythonInstallation(encoded: "/usr/bin/python3\0/lib/p.so\03.11.2\0gil\0/usr"))
        let other = try #require(PythonInstallation(encoded: "/usr/bin/python3.11\0/lib/p.so\03.11.2\0gil\0/usr"))
        let environment = try #require(PythonInstallation(encoded: "/v/bin/python\0/lib/p.so\03.11.2\0gil\0/v"))
        #expect(one != other && one.isSame(as: other) && !one.isSame(as: environment))
        #expect(PythonInstallation(encoded: other.encoded) == other)
        #expect(PythonInstallation(encoded: "/usr/bin/python3") == nil)
    }
}
