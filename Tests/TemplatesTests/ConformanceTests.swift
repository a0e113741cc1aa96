import Glibc
import Templates
import Testing

/// Our pages are those of Django.
@Suite struct ConformanceTests {
    @Test func `every template of the table gives Django's page`() {
        for (template, page) in ConformanceTable.cases {
            #expect(ConformanceContext.page(template) == page, "\(template)")
        }
    }

    /// Where Python can import Django 5.2, the table is what that Django says today.
    @Test(.enabled(if: Django.version.hasPrefix("5.2"), "python3 with Django 5.2 is not installed"))
    func `the table is Django's own output`() throws {
        let folder = String(#filePath.prefix(upTo: #filePath.lastIndex(of: "/") ?? #filePath.endIndex))
        let fresh = Django.output(of: "python3 '\(folder)/Conformance/generate.py'")
        let table = Django.output(of: "cat '\(folder)/ConformanceTable.swift'")
        #expect(!table.isEmpty)
        #expect(fresh == table, "run Conformance/generate.py again")
    }
}

private enum Django {
    static let version = output(of: "python3 -c 'import django; print(django.__version__)' 2>/dev/null")

    static func output(of command: String) -> String {
        guard let pipe = popen(command, "r") else { return "" }
        defer { pclose(pipe) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&chunk, 1, chunk.count, pipe), count > 0 { bytes += chunk[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }
}
