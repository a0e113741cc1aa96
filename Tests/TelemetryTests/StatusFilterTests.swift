import Testing

@testable import Telemetry

@Suite struct StatusFilterTests {
    @Test func classesAndSingleStatuses() {
        let filter = StatusFilter([404...404, 500...599])
        #expect([404, 500, 599].allSatisfy(filter.contains))
        #expect(![100, 200, 304, 400, 403, 405, 499].contains(where: filter.contains))
    }

    @Test func aClientThatLeftIsOfTheFourHundreds() {
        #expect(StatusFilter([400...499]).contains(0))
        #expect(!StatusFilter([500...599]).contains(0))
        #expect(!StatusFilter([]).contains(0))
    }

    /// What applications make up is never lost.
    @Test func unknownClassesAreWanted() { #expect(StatusFilter([]).contains(777)) }
}
