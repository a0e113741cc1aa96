/// A template's text as a loader found it.
public struct TemplateSource: Sendable {
    /// What error messages call it: its name, or a path.
    public var origin: String
    /// UTF-8; the compiler reports what is not.
    public var bytes: [UInt8]
    /// Changes when the text does (a modification time, say); 0 when it never does.
    public var version: Int64

    public init(origin: String, bytes: [UInt8], version: Int64 = 0) {
        self.origin = origin
        self.bytes = bytes
        self.version = version
    }

    public init(origin: String, text: String) { self.init(origin: origin, bytes: Array(text.utf8)) }
}

/// Where templates come from. Errors become `TemplateError.Kind.loadingFailed`.
public protocol TemplateLoader: Sendable {
    /// The text of `name` (`polls/index.html`), or nil when this loader does not know it.
    func source(of name: String) throws -> TemplateSource?
    /// The present version of `name`, or nil when it is gone; asked only when the engine checks for changes.
    func version(of name: String) throws -> Int64?
    /// All templates there are, for `TemplateEngine.checkAll`; empty when they cannot be listed.
    func names() throws -> [String]
}

extension TemplateLoader {
    public func version(of name: String) throws -> Int64? { try source(of: name)?.version }
    public func names() throws -> [String] { [] }
}

/// Templates held in memory, such as those embedded in the binary.
public struct MemoryLoader: TemplateLoader, ExpressibleByDictionaryLiteral {
    private let templates: [String: [UInt8]]

    public init(_ templates: [String: String]) { self.templates = templates.mapValues { Array($0.utf8) } }
    public init(_ templates: [String: [UInt8]]) { self.templates = templates }
    public init(dictionaryLiteral elements: (String, String)...) {
        self.init(Dictionary(elements) { _, last in last })
    }

    public func source(of name: String) -> TemplateSource? {
        templates[name].map { TemplateSource(origin: name, bytes: $0) }
    }
    public func version(of name: String) -> Int64? { templates[name] == nil ? nil : 0 }
    public func names() -> [String] { templates.keys.sorted() }
}

/// The first loader that knows a name wins.
public struct ChainedLoader: TemplateLoader {
    private let loaders: [any TemplateLoader]

    public init(_ loaders: [any TemplateLoader]) { self.loaders = loaders }

    public func source(of name: String) throws -> TemplateSource? {
        for loader in loaders {
            if let source = try loader.source(of: name) { return source }
        }
        return nil
    }

    public func version(of name: String) throws -> Int64? {
        for loader in loaders {
            if let version = try loader.version(of: name) { return version }
        }
        return nil
    }

    public func names() throws -> [String] {
        var all: Set<String> = []
        for loader in loaders { all.formUnion(try loader.names()) }
        return all.sorted()
    }
}
