import Synchronization

/// Finds, compiles and renders templates. Each template is compiled once and shared by all threads.
public final class TemplateEngine: Sendable {
    public let settings: TemplateSettings
    let loader: any TemplateLoader
    let registry: TagRegistry
    // Copies of what rendering asks for often: reading it from `settings` copies the whole structure.
    let recursionLimit: Int
    let stringIfInvalid: String
    let urlResolver: @Sendable (URLReference) throws -> String?
    private let checksForChanges: Bool
    private let cache = Mutex<[String: Template]>([:])

    public init(loader: any TemplateLoader, settings: TemplateSettings = TemplateSettings()) {
        self.loader = loader
        self.settings = settings
        recursionLimit = settings.recursionLimit
        stringIfInvalid = settings.stringIfInvalid
        urlResolver = settings.urlResolver
        checksForChanges = settings.checksForChanges
        registry = TagRegistry(libraries: settings.libraries)
    }

    /// Renders the template `name` to UTF-8.
    public func render(_ name: String, _ context: TemplateContext = [:]) throws(TemplateError) -> [UInt8] {
        try render(try template(name), context)
    }

    /// Renders the first of `names` that exists.
    public func render(firstOf names: [String], _ context: TemplateContext = [:]) throws(TemplateError) -> [UInt8] {
        for name in names {
            if let template = try find(name) { return try render(template, context) }
        }
        throw TemplateError(kind: .templateNotFound(names), template: names.first ?? "")
    }

    /// Renders a compiled template to UTF-8.
    public func render(_ template: Template, _ context: TemplateContext = [:]) throws(TemplateError) -> [UInt8] {
        var rendering = Rendering(engine: self, context: context)
        try template.render(into: &rendering)
        return rendering.output
    }

    /// The compiled template `name`, from the cache when it is there.
    public func template(_ name: String) throws(TemplateError) -> Template {
        if let template = try find(name) { return template }
        throw TemplateError(kind: .templateNotFound([name]), template: name)
    }

    /// Compiles a text that no loader holds.
    public func compile(_ text: String, name: String = "<text>") throws(TemplateError) -> Template {
        try compile(TemplateSource(origin: name, text: text), name: name)
    }

    /// Compiles bytes that no loader holds.
    public func compile(_ source: TemplateSource, name: String) throws(TemplateError) -> Template {
        let text = SourceText(name: source.origin, bytes: source.bytes)
        let parser = try TemplateParser(source: text, engine: self)
        return try parser.parseTemplate(name: name, version: source.version)
    }

    /// Compiles every template the loaders can list and returns all errors, in the order of names. Names of templates that
    /// are included or extended by a literal are checked to exist, too.
    public func checkAll() -> [TemplateError] {
        let names: [String]
        do {
            names = try loader.names()
        } catch {
            return [TemplateError(kind: .loadingFailed("", reason: "\(error)"), template: "")]
        }
        var errors: [TemplateError] = []
        for name in names {
            do throws(TemplateError) {
                errors += missingReferences(of: try template(name))
            } catch {
                errors.append(error)
            }
        }
        return errors
    }

    private func missingReferences(of template: Template) -> [TemplateError] {
        var errors: [TemplateError] = []
        template.nodes.walk { node in
            guard let reference = (node as? any TemplateReference)?.reference else { return }
            guard case .constant(let value) = reference.base, reference.filters.isEmpty else { return }
            do throws(TemplateError) {
                if try find(value.text) == nil { errors.append(reference.place.error(.templateNotFound([value.text]))) }
            } catch {
                // The broken template reports itself.
            }
        }
        return errors
    }

    /// The compiled template, or nil when no loader knows it.
    func find(_ name: String) throws(TemplateError) -> Template? {
        if let cached = cache.withLock({ $0[name] }) {
            guard checksForChanges else { return cached }
            if (try? loader.version(of: name)) == cached.version { return cached }
        }
        let source: TemplateSource?
        do {
            source = try loader.source(of: name)
        } catch {
            throw TemplateError(kind: .loadingFailed(name, reason: "\(error)"), template: name)
        }
        guard let source else { return nil }
        let template = try compile(source, name: name)
        cache.withLock { $0[name] = template }
        return template
    }
}

/// A node that names another template.
protocol TemplateReference {
    var reference: TemplateExpression { get }
}
