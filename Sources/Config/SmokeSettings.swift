/// One of `smoke`: a request, and what is expected of its answer.
public struct SmokeStep: Sendable, Hashable {
    /// What is sent.
    public enum Body: Sendable, Hashable {
        /// `application/x-www-form-urlencoded`
        case form([Pair])
        /// `application/json`
        case json(String)
        /// As it is.
        case text(String)
    }

    /// A name and a value.
    public struct Pair: Sendable, Hashable {
        /// The name.
        public let name: String
        /// The value.
        public let value: Text
    }

    /// Text that messages show only when it is no secret.
    public struct Text: Sendable, Hashable {
        /// The text itself.
        public let text: String
        /// The text for messages.
        public let shown: String
    }

    /// A value in a JSON body.
    public struct JSONExpectation: Sendable, Hashable {
        /// Where it is.
        public let path: ConfigPath
        /// The value, in JSON.
        public let value: Text
    }

    /// What the report calls it, when not by method and target.
    public let name: String?
    /// `GET`
    public let method: String
    /// The path, with the query.
    public let target: String
    /// Request headers.
    public let send: [Pair]
    /// What is sent.
    public let body: Body?
    /// The form's hidden field whose token goes along; nil for none.
    public let csrfField: String?
    /// Whether redirects are followed.
    public let follow: Bool
    /// The statuses that are expected; empty for 200 to 299.
    public let status: [Int]
    /// What the body contains.
    public let contains: [Text]
    /// What the body does not contain.
    public let notContains: [Text]
    /// Regular expressions found in the body.
    public let matches: [Text]
    /// Response headers; after `~` a regular expression.
    public let header: [Pair]
    /// Headers that are not there.
    public let notHeader: [String]
    /// Values in a JSON body.
    public let jsonEquals: [JSONExpectation]
    /// How long it may take.
    public let within: Duration?
    /// Its place in the configuration (`smoke[2]`), for `Configuration.error(_:at:)`.
    public let place: ConfigPath

    /// Whether the request asks for nothing but an answer (RFC 9110 §9.2.1).
    public var isSafe: Bool { ["GET", "HEAD", "OPTIONS"].contains(method) }
}

extension SmokeStep {
    /// Reads one step out of a tree that has been checked and completed.
    init(_ node: ConfigTree, at place: ConfigPath) {
        func texts(_ key: String) -> [Text] { (node[key]?.elements ?? []).compactMap { $0.scalar.map(Text.init) } }
        func pairs(_ key: String) -> [Pair] {
            (node[key]?.entries ?? []).flatMap { entry in
                let values = entry.value.elements.isEmpty ? [entry.value] : entry.value.elements
                return values.compactMap { $0.scalar }.map { Pair(name: entry.key, value: Text($0)) }
            }
        }
        func isOn(_ key: String) -> Bool { Validator.boolean(node[key]?.scalar?.text ?? "") == true }

        let method = SmokeDeclarations.methods.first { node[$0] != nil } ?? "get"
        name = node["name"]?.scalar?.text
        self.method = method.uppercased()
        target = node[method]?.scalar?.text ?? "/"
        send = pairs("send")
        if node["form"] != nil {
            body = .form(pairs("form"))
        } else if let json = node["json"] {
            body = .json(JSONWriter.write(json))
        } else {
            body = node["body"]?.scalar.map { .text($0.text) }
        }
        let csrf = node["csrf"]?.scalar?.text ?? "false"
        csrfField = Validator.boolean(csrf).map { $0 ? "csrfmiddlewaretoken" : nil } ?? csrf
        follow = isOn("follow")
        status = (node["status"]?.elements ?? []).compactMap { $0.scalar.flatMap { Validator.integer($0.text) } }
        contains = texts("contains")
        notContains = texts("not-contains")
        matches = texts("matches")
        header = pairs("header")
        notHeader = texts("not-header").map(\.text)
        jsonEquals = (node["json-equals"]?.entries ?? []).map { entry in
            JSONExpectation(
                path: ConfigPath(parsing: entry.key) ?? ConfigPath(),
                value: Text(
                    text: JSONWriter.write(entry.value), shown: JSONWriter.write(entry.value, masksSecrets: true)))
        }
        within = node["within"]?.scalar.flatMap { Duration(configurationText: $0.text) }
        self.place = place
    }
}

extension SmokeStep.Text {
    init(_ scalar: ConfigTree.Scalar) { self.init(text: scalar.text, shown: scalar.masked) }
}
