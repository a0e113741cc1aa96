import Testing

@testable import Portico

@Suite struct TextTableTests {
    @Test(arguments: [
        (["A", "B"], [], "A  B"),
        (["PATH", "BY"], [["/", "polls"], ["/static/", "files"]], "PATH      BY\n/         polls\n/static/  files"),
        (["PATH", "NAME", "RUNS"], [["/x/", "", "sync"]], "PATH  NAME  RUNS\n/x/         sync"),
        // Nothing is left at the end of a line.
        (["PATH", "NAME"], [["/longer/", ""]], "PATH      NAME\n/longer/"),
        (["A", "B"], [["", ""]], "A  B\n"),
        // Columns are counted in characters, not bytes.
        (["N", "V"], [["é", "1"], ["ab", "2"]], "N   V\né   1\nab  2"),
    ])
    func rows(_ heading: [String], _ rows: [[String]], _ text: String) {
        #expect(TextTable.render(heading, rows) == text)
    }

    @Test func nothingAtAll() {
        #expect(TextTable.render([], []) == "")
    }
}
