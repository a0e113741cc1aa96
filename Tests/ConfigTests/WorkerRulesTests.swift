import Testing

@testable import Config

/// How many workers, and what ends one.
@Suite struct WorkerRulesTests {
    @Test func aRangeInsteadOfANumber() throws {
        let settings = try load("base: {workers: {min: 2, max: 8}}").get().settings
        #expect(settings.workers.min == 2)
        #expect(settings.workers.max == 8)
        #expect(settings.workers.idle == .seconds(30))
        let most = try load("base: {workers: {max: 8, idle: 5m}}").get().settings
        #expect(most.workers.min == nil)
        #expect(most.workers.max == 8)
        #expect(most.workers.idle == .seconds(300))
    }

    @Test func recyclingAndReload() throws {
        let settings = try load(
            """
            base:
              workers: {max-requests: 1000, max-age: 1d, max-memory: 512MiB, jitter: 25, start-attempts: 3}
              reload: {touch: run/touch, config: on, surge: 2}
              warm-up: [/, /search/?q=x]
            """
        ).get().settings
        #expect(settings.workers.maxRequests == 1000)
        #expect(settings.workers.maxAge == .seconds(86_400))
        #expect(settings.workers.maxMemory == ByteCount(512 << 20))
        #expect(settings.workers.jitter == 25)
        #expect(settings.workers.startAttempts == 3)
        #expect(settings.reload.touch.map { $0.hasPrefix("/") && $0.hasSuffix("run/touch") } == [true])
        #expect(settings.reload.config)
        #expect(settings.reload.surge == 2)
        #expect(settings.warmUp == ["/", "/search/?q=x"])
    }

    @Test(
        arguments: [
            ("base: {workers: {min: 2}}", "'min' goes with 'max'"),
            ("base: {workers: {idle: 5s}}", "'idle' goes with 'max'"),
            ("base: {workers: {min: 5, max: 2}}", "'min' is 5 and 'max' 2"),
            ("base: {workers: {count: 2, max: 4}}", "'count' and 'max' exclude each other"),
            ("base: {workers: {max-requests: 0}}", "workers.max-requests: expected a whole number"),
            ("base: {reload: {surge: 0}}", "reload.surge: expected"),
            ("base: {warm-up: [search]}", "warm-up[0]: expected a path that begins with '/', with or without a query"),
        ])
    func mistakes(yaml: String, message: String) {
        guard case .failure(let errors) = load(yaml) else {
            Issue.record("no error")
            return
        }
        #expect("\(errors)".contains(message), "\(errors)")
    }
}
