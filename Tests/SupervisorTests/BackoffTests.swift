import Testing

@testable import Supervisor

@Suite struct BackoffTests {
    @Test(
        arguments: [
            (0, 0), (1, 100), (2, 200), (3, 400), (4, 800), (5, 1600), (6, 3200), (7, 6400), (8, 10_000), (9, 10_000),
            (1_000_000, 10_000),
        ])
    func doublesUpToTheCap(failures: Int, milliseconds: Int) {
        let backoff = Backoff(first: .milliseconds(100), cap: .seconds(10))
        #expect(backoff.delay(failures: failures) == .milliseconds(milliseconds))
    }
}
