import Testing

@testable import LiveReload

@Suite struct WatchPlanTests {
    private let plan: WatchPlan

    init() {
        var plan = WatchPlan()
        plan.add("/pkg/", .package)
        plan.add("/pkg/Sources/Site/Templates", .page)
        plan.add("/pkg/Sources/Site/Static", .page)
        plan.add("/srv/shop", .python)
        plan.add(nil, .page)
        plan.add(file: "/pkg/app.yaml", .configuration)
        self.plan = plan
    }

    @Test(arguments: [
        ("/pkg/Sources/Site/Site.swift", Change.swift), ("/pkg/Package.swift", .swift), ("/pkg/README.md", nil),
        ("/pkg/Sources/Site/Templates/a.html", .page),
        ("/pkg/Sources/Site/Static/a/style.css", .style("/pkg/Sources/Site/Static/a/style.css")),
        ("/pkg/Sources/Site/Static/a.js", .page), ("/pkg/Sources/Other/page.html", .swift),
        ("/srv/shop/views.py", .python), ("/srv/shop/templates/a.html", .python),
        ("/srv/shop/s/a.css", .style("/srv/shop/s/a.css")),
        ("/srv/shop/logo.svg", .page), ("/srv/shopping/views.py", nil), ("/pkg/app.yaml", .configuration),
        ("/srv/shop/Makefile", .python),
    ])
    func meanings(_ path: String, _ change: Change?) {
        #expect(plan.meaning(of: [path]) == Set(change.map { [$0] } ?? []))
    }

    @Test func manyChangesAreFewMeanings() {
        let paths = (0..<10_000).map { "/srv/shop/m\($0).py" } + ["/srv/shop/a.css"]
        #expect(plan.meaning(of: paths) == [.python, .style("/srv/shop/a.css")])
    }

    @Test func whatIsWatched() {
        #expect(plan.scope.directories.contains("/pkg") && plan.scope.files == ["/pkg/app.yaml"])
    }
}
