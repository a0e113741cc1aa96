import Platform
import Testing

@testable import Supervisor

@Suite struct GenerationPlanTests {
    private static let plan: GenerationPlan = {
        var options = SupervisorOptions(workers: 3, start: .seconds(60), drain: .milliseconds(1500))
        options.bounds = 2...8
        options.isElastic = true
        options.idle = .seconds(5)
        options.linger = .seconds(7)
        options.surge = 2
        options.maxRequests = 1000
        options.maxAge = .seconds(86_400)
        options.maxMemory = 1 << 30
        options.jitter = 15
        options.stuck = .seconds(30)
        options.bootAttempts = 9
        return GenerationPlan(
            options: options,
            listeners: [.tcp(host: "::1", port: 80), .unix(path: "/run/a b\n.sock"), .descriptor(3)],
            payload: [0, 10, 10, 255], watched: ["/etc/app/app.yaml", "/run/100%"])
    }()

    @Test func survivesTheWay() {
        #expect(GenerationPlan(Self.plan.encoded) == Self.plan)
        let plain = GenerationPlan(
            options: SupervisorOptions(workers: 1, start: .seconds(1), drain: .zero), listeners: [], payload: [])
        #expect(GenerationPlan(plain.encoded) == plain)
    }

    @Test func aLaterVersionMaySayMore() throws {
        let text = "plan version=1\noptions workers=1 fewest=1 most=2 something=new\nnovelty a=1\n\n"
        let plan = try #require(GenerationPlan(Array(text.utf8)))
        #expect(plan.options.bounds == 1...2)
        #expect(plan.payload == [])
    }

    @Test(
        arguments: [
            "", "\n\n", "plan version=2\noptions workers=1 fewest=1 most=2\n\n", "plan version=1\n\n",
            "plan version=1\noptions workers=1 fewest=3 most=2\n\n",
            "plan version=1\noptions workers=1 fewest=1 most=2\nlisten address=nowhere:at:all\n\n",
            "Usage: app <subcommand>\n\nSee 'app --help'",
        ])
    func nonsenseIsNoPlan(text: String) {
        #expect(GenerationPlan(Array(text.utf8)) == nil)
    }

    @Test func aHandOverIsKnownByItsVersion() {
        let state = Simulation.running(2).state
        #expect(HandOver(HandOver(state.records).encoded) != nil)
        #expect(HandOver(Array("handover version=2\n".utf8)) == nil)
        #expect(HandOver(Array("handover version=1\n".utf8)) == nil)
        #expect(HandOver([]) == nil)
    }
}
