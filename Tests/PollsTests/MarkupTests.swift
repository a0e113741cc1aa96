import Portico
import Testing

@testable import Polls

/// The pages' markup: what browsers repair silently and screen readers stumble over.
@Suite struct Markup {
    private func pages() async throws -> [(name: String, page: Page)] {
        let client = TestClient(Polls())
        _ = try await client.post("/1/vote/", ["choice": "2"])
        return [
            ("index", Page(try await client.get("/").text)), ("detail", Page(try await client.get("/1/").text)),
            ("results", Page(try await client.get("/1/results/").text)),
            ("error", Page(try await client.post("/1/vote/").text)), ("404", Page(try await client.get("/x/").text)),
        ]
    }

    @Test func elementsAreClosedInOrder() async throws {
        for (name, page) in try await pages() { #expect(page.problems.isEmpty, "\(name): \(page.problems)") }
    }

    @Test func landmarksAndHeadings() async throws {
        for (name, page) in try await pages() {
            for element in ["title", "header", "nav", "main", "footer", "h1"] {
                #expect(page.elements.filter { $0.name == element }.count == 1, "\(name): \(element)")
            }
            #expect(page.elements.first { $0.name == "html" }?.attributes["lang"] == "en")
            #expect(page.elements.first { $0.name == "a" }?.attributes["href"] == "#content")
        }
    }

    @Test func referencesLeadSomewhere() async throws {
        for (name, page) in try await pages() {
            let ids = page.elements.compactMap { $0.attributes["id"] }
            #expect(Set(ids).count == ids.count, "\(name): an id stands twice")
            for element in page.elements {
                for key in ["for", "aria-describedby"] {
                    guard let target = element.attributes[key] else { continue }
                    #expect(ids.contains(target), "\(name): \(key)=\(target)")
                }
            }
            for input in page.elements where input.name == "input" && input.attributes["type"] == "radio" {
                let labels = page.elements.filter {
                    $0.name == "label" && $0.attributes["for"] == input.attributes["id"]
                }
                #expect(labels.count == 1, "\(name): a radio button without label")
            }
        }
    }

    @Test func nothingComesFromElsewhere() async throws {
        for (name, page) in try await pages() {
            for element in page.elements {
                for key in ["src", "href", "action"] {
                    guard let url = element.attributes[key] else { continue }
                    #expect(
                        url.hasPrefix("/") && !url.hasPrefix("//") || url.hasPrefix("#") || url.hasPrefix("data:"),
                        "\(name): \(url)")
                }
            }
        }
    }
}

/// A page taken apart, strictly: every element that is not void is closed, and in order.
private struct Page {
    struct Element {
        let name: String
        let attributes: [String: String]
    }

    private(set) var elements: [Element] = []
    private(set) var problems: [String] = []

    private static let void: Set = ["meta", "link", "input", "br", "img", "hr"]

    init(_ html: String) {
        var open: [String] = []
        var rest = html[...]
        if !html.hasPrefix("<!DOCTYPE html>\n") { problems.append("no doctype") }
        while let start = rest.firstIndex(of: "<") {
            rest = rest[rest.index(after: start)...]
            // A quoted value may hold anything, `>` too.
            var isQuoted = false
            guard
                let end = rest.firstIndex(where: {
                    if $0 == "\"" { isQuoted.toggle() }
                    return $0 == ">" && !isQuoted
                })
            else {
                problems.append("a tag does not end")
                return
            }
            let tag = rest[..<end]
            rest = rest[rest.index(after: end)...]
            if tag.hasPrefix("!") { continue }
            if tag.hasPrefix("/") {
                let name = String(tag.dropFirst())
                if open.last == name { open.removeLast() } else { problems.append("</\(name)> closes nothing") }
                continue
            }
            let name = String(tag.prefix { $0 != " " && $0 != "/" })
            let attributes = Self.attributes(tag.dropFirst(name.count))
            elements.append(Element(name: name, attributes: attributes))
            if !tag.hasSuffix("/"), !Self.void.contains(name) { open.append(name) }
        }
        problems += open.map { "<\($0)> is not closed" }
    }

    private static func attributes(_ text: Substring) -> [String: String] {
        var attributes: [String: String] = [:]
        var rest = text
        while let equals = rest.firstIndex(of: "=") {
            let key = rest[..<equals].split(separator: " ").last.map(String.init) ?? ""
            rest = rest[rest.index(after: equals)...].dropFirst()
            let value = rest.prefix { $0 != "\"" }
            attributes[key] = String(value)
            rest = rest.dropFirst(value.count + 1)
        }
        return attributes
    }
}
