import HTTP

/// The fields every response carries unless its view set them: put together once for each common media type.
struct SecurityFields: Sendable {
    /// Name and value, as Django's SecurityMiddleware and XFrameOptionsMiddleware send them by default.
    private static let all: [(name: StaticString, value: String)] = [
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
    ]

    private let html = Self.complete(.html)
    private let text = Self.complete(.text)
    private let json = Self.complete(.json)
    private let none = Self.complete(nil)

    private static func complete(_ type: ContentType?) -> Fields {
        var fields = Fields()
        if let type { fields.append("Content-Type", type.value) }
        for (name, value) in all { fields.append(name, value) }
        return fields
    }

    /// The whole fields of a response: its own, its media type, and those of `all` that it lacks.
    func fields(for response: Response) -> Fields {
        if response.fields.isEmpty { return fields(for: response.contentType) }
        var fields = response.fields
        if let type = response.contentType, !fields.contains("Content-Type") {
            fields.append("Content-Type", type.value)
        }
        for (name, value) in Self.all where !fields.contains(name.description) { fields.append(name, value) }
        return fields
    }

    private func fields(for type: ContentType?) -> Fields {
        switch type {
        case .html: html
        case .text: text
        case .json: json
        case nil: none
        case let type?: Self.complete(type)
        }
    }
}
