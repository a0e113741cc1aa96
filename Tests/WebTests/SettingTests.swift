import HTTP
import Testing

@testable import Web

private struct Shop: Site {
    let name = "shop"
    static let pageSize = Setting("page-size", default: 20)
    static let title = Setting("title", default: "Shop")
    static let tax = Setting("tax", default: 0.19)
    static let isOpen = Setting("open", default: true)

    var settings: [any DeclaredSetting] { [Self.pageSize, Self.title, Self.tax, Self.isOpen] }

    var urls: URLs {
        path("") { request in
            .text("\(request[Self.pageSize]) \(request[Self.title]) \(request[Self.tax]) \(request[Self.isOpen])")
        }
    }
}

@Suite struct SettingTests {
    private func page(_ values: [String: SettingText]) async throws -> String {
        var settings = SiteSettings()
        settings.values = values
        return try await TestClient(Shop(), settings: settings).get("/").text
    }

    @Test func valuesAndDefaults() async throws {
        #expect(try await page([:]) == "20 Shop 0.19 true")
        #expect(
            try await page([
                "page-size": .integer(5), "title": .text("Ours"), "tax": .integer(1), "open": .boolean(false),
            ])
                == "5 Ours 1.0 false")
        #expect(try await page(["title": .secret("hidden")]) == "20 hidden 0.19 true")
    }

    @Test func mistakes() {
        let found = Shop().problems(with: [
            "page-size": .text("five"), "titel": .text("x"), "title": .integer(3), "tax": .number(0.07),
            "open": .secret("x"),
        ])
        #expect(
            found.map { "\($0.name): \($0.text)" } == [
                "open: expected true or false, got '****'", "page-size: expected a whole number, got the text 'five'",
                "titel: site 'shop' has no such setting; it has: open, page-size, tax, title",
                "title: expected text (in quotes, if it looks like a number), got '3'",
            ])
    }
}
