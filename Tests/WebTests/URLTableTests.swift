import Testing

@testable import Web

private func answer(_ text: String) -> @Sendable (Request) throws -> Response { { _ in .text(text) } }

private struct Year: PathConverter {
    func value(of text: String) -> PathValue? { text.count == 4 ? Int(text).map(PathValue.int) : nil }
    func text(for value: PathValue) -> String? { String("000\(value)".suffix(4)) }
}

@Suite struct Matching {
    private static let table = URLTable(
        URLs {
            path("", answer("index"), name: "index")
            path("about/", answer("about"), name: "about")
            path("<int:id>/", answer("id"), name: "id")
            path("<int:id>-<slug:name>/", answer("both"), name: "both")
            path("tag/<slug:tag>/", answer("tag"), name: "tag")
            path("user/<name>/", answer("user"), name: "user")
            path("item/<uuid:key>/", answer("item"), name: "item")
            path("archive/<year:year>/", answer("archive"), name: "archive")
            path("files/<path:path>", answer("files"), name: "files")
            path("a/<str:x>b/<str:y>/", answer("greedy"), name: "greedy")
        }, converters: ["year": Year()])

    @Test(
        arguments: [
            ("/", "index", []), ("", "index", []), ("/about/", "about", []), ("/about", nil, []), ("/abouts/", nil, []),
            ("/5/", "id", ["5"]), ("/05/", "id", ["5"]), ("/-5/", nil, []), ("/99999999999999999999/", nil, []),
            ("/5/x/", nil, []), ("/12-a-b/", "both", ["12", "a-b"]), ("/tag/swift-6_x/", "tag", ["swift-6_x"]),
            ("/tag/a.b/", nil, []), ("/tag//", nil, []), ("/user/Zoë Ünal/", "user", ["Zoë Ünal"]),
            ("/user/a/b/", nil, []),
            (
                "/item/075194d3-6885-417e-a8a8-6c931e272f00/", "item", ["075194d3-6885-417e-a8a8-6c931e272f00"]
            ),
            ("/item/075194D3-6885-417E-A8A8-6C931E272F00/", nil, []), ("/archive/2026/", "archive", ["2026"]),
            ("/archive/26/", nil, []), ("/files/a/b.txt", "files", ["a/b.txt"]), ("/files/", nil, []),
            ("/a/bbb/c/", "greedy", ["bb", "c"]), ("//about/", nil, []),
        ] as [(String, String?, [String])])
    func match(_ path: String, _ name: String?, _ values: [String]) {
        let match = Self.table.match(path)
        #expect(match?.route?.name == name)
        #expect(match?.values.map(\.description) ?? [] == values)
    }

    @Test(
        arguments: [
            ("index", [], ""), ("about", [], "about/"), ("id", [5], "5/"), ("both", [1, "x-y"], "1-x-y/"),
            ("user", ["a b/ü"], nil), ("user", ["a b&ü"], "user/a%20b&%C3%BC/"), ("tag", ["a.b"], nil),
            ("id", ["5"], "5/"),
            ("id", ["x"], nil), ("id", [], nil), ("id", [1, 2], nil), ("archive", [7], "archive/0007/"),
            ("files", ["a/b c"], "files/a/b%20c"), ("unknown", [], nil),
        ] as [(String, [any PathParameter], String?)])
    func reverse(_ name: String, _ values: [any PathParameter], _ path: String?) {
        #expect((try? Self.table.reverse(name, values)) == path)
    }

    @Test func reverseByName() throws {
        #expect(try Self.table.reverse("both", ["name": "x", "id": 3]) == "3-x/")
        #expect(throws: NoReverseMatch.self) { try Self.table.reverse("both", ["id": 3]) }
        #expect(throws: NoReverseMatch.self) { try Self.table.reverse("both", ["id": 3, "nam": "x"]) }
    }

    @Test func failureListsCandidates() {
        do throws(NoReverseMatch) {
            _ = try Self.table.reverse("both", [1])
            Issue.record("reversed")
        } catch {
            #expect(error.candidates == ["<int:id>-<slug:name>/"])
            #expect(error.description == "reverse for 'both' with values (1) not found; tried: <int:id>-<slug:name>/")
        }
        do throws(NoReverseMatch) {
            _ = try Self.table.reverse("bth", [] as [any PathParameter])
            Issue.record("reversed")
        } catch {
            #expect(error.known.contains("both"))
        }
    }
}

@Suite struct Including {
    private static let table = URLTable(
        URLs {
            include("polls/", namespace: "polls") {
                path("", answer("polls"), name: "index")
                include("<int:id>/", namespace: "inner") { path("edit/", answer("edit"), name: "edit") }
            }
            include("plain/", URLs { path("x/", answer("x"), name: "x") })
            if true { path("last/", answer("last"), name: "last") }
            for name in ["one", "two"] { path("\(name)/", answer(name), name: name) }
        }, siteName: "site")

    @Test(
        arguments: [
            ("polls:index", [], "polls/"), ("polls:inner:edit", [4], "polls/4/edit/"), ("index", [], nil),
            ("x", [], "plain/x/"), ("site:x", [], "plain/x/"), ("site:polls:index", [], "polls/"), ("two", [], "two/"),
        ] as [(String, [any PathParameter], String?)])
    func namespaces(_ name: String, _ values: [any PathParameter], _ path: String?) {
        #expect((try? Self.table.reverse(name, values)) == path)
    }

    @Test func matchesThroughIncludes() {
        #expect(Self.table.match("/polls/7/edit/")?.route?.name == "polls:inner:edit")
        #expect(Self.table.match("/polls/7/edit/")?.values == [.int(7)])
    }
}

@Suite struct TableProblems {
    @Test(arguments: [
        ("<int:id", "urls.E001"), ("<int:>", "urls.E001"), ("<int:1d>/", "urls.E001"), ("<nit:id>/", "urls.E001"),
        ("<int:a>/<int:a>/", "urls.E001"), ("/x/", "urls.W002"),
    ])
    func patterns(_ pattern: String, _ id: String) {
        #expect(URLTable(URLs { path(pattern, answer("")) }).problems.map(\.id) == [id])
    }

    @Test func viewsThatDoNotFit() {
        let problems = URLTable(
            URLs {
                path("<int:id>/") { (_: Request, id: String) in .text(id) }
                path("a/<int:id>/") { (_: Request, id: Int, more: Int) in .text("\(id)\(more)") }
                path("b/<slug:s>/<int:id>/") { (_: Request, s: String, id: Int) in .text("\(s)\(id)") }
            }
        ).problems
        #expect(problems.map(\.id) == ["urls.E011", "urls.E010"])
    }
}
