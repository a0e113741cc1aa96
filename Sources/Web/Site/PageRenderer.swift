import HTTP
import NIOCore
import Synchronization
import Templates

/// Renders a site's templates. URLs in a page depend on where the site is mounted, so there is one engine a mount: in
/// nearly every process that is one.
final class PageRenderer: Sendable {
    private let loader: any TemplateLoader
    private let directories: [String]
    private let table: URLTable
    private let staticFiles: StaticFiles
    private let libraries: [TagLibrary]
    private let isDebug: Bool
    private let engines = Mutex<[String: TemplateEngine]>([:])

    init(
        embedded: EmbeddedFileSet, directories: [String], table: URLTable, staticFiles: StaticFiles,
        libraries: [TagLibrary], isDebug: Bool
    ) {
        let carried = Dictionary(
            uniqueKeysWithValues: embedded.files.map { ($0.path, Array($0.bytes.readableBytesView)) })
        let loaders: [any TemplateLoader] = directories.map { DirectoryLoader($0) } + [MemoryLoader(carried)]
        loader = loaders.count == 1 ? loaders[0] : ChainedLoader(loaders)
        self.directories = directories
        self.table = table
        self.staticFiles = staticFiles
        self.libraries = libraries
        self.isDebug = isDebug
    }

    /// The text of a template, as it is now.
    func source(of name: String) -> String? {
        (try? loader.source(of: name)).flatMap { $0 }.map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    /// The file of a template, where it is one.
    func file(of name: String) -> String? {
        directories.first { (try? DirectoryLoader($0).version(of: name)).flatMap { $0 } != nil }.map { "\($0)/\(name)" }
    }

    /// The engine for pages of the site mounted at `scriptName`.
    func engine(at scriptName: String) -> TemplateEngine {
        engines.withLock { engines in
            if let engine = engines[scriptName] { return engine }
            var settings = TemplateSettings()
            settings.checksForChanges = isDebug
            settings.libraries = libraries
            settings.urlResolver = { [table] reference in
                try "\(scriptName)/\(table.reverse(reference))"
            }
            settings.staticResolver = { [staticFiles] in staticFiles.url($0, scriptName: scriptName) }
            let engine = TemplateEngine(loader: loader, settings: settings)
            engines[scriptName] = engine
            return engine
        }
    }
}

extension URLTable {
    fileprivate func reverse(_ reference: URLReference) throws -> String {
        guard reference.keyword.isEmpty else {
            let named = try reference.keyword.map { ($0.name, try TemplateArgument($0.value)) }
            return try reverse(
                reference.name,
                Dictionary(named.map { ($0.0, $0.1 as any PathParameter) }) { _, last in last })
        }
        return try reverse(reference.name, reference.positional.map { try TemplateArgument($0) })
    }
}

/// A template's value as a value for a path.
private struct TemplateArgument: PathParameter {
    let pathValue: PathValue

    init(_ value: TemplateValue) throws {
        switch value {
        case .int(let number): pathValue = .int(number)
        case .string(let text), .safe(let text): pathValue = .string(text)
        default: throw TemplateFailure("a URL takes numbers and text")
        }
    }

    init?(pathValue: PathValue) { self.pathValue = pathValue }
}

extension Request {
    /// A page: the template with these values. `{% csrf_token %}`, `{% url %}`, `{% static %}` and the variable `request`
    /// are there by themselves.
    public func render(
        _ template: String, _ values: KeyValuePairs<String, any TemplateRepresentable> = [:], status: Status = .ok
    ) throws(TemplateError) -> Response {
        var context = TemplateContext()
        for (name, value) in values { context[name] = value.templateValue }
        return try render(template, context: context, status: status)
    }

    /// A page: the template with this context.
    public func render(
        _ template: String, context: TemplateContext, status: Status = .ok
    ) throws(TemplateError) -> Response {
        let bytes = try rendered(template, context)
        return Response(status, contentType: .html, body: .bytes(ByteBuffer(bytes: bytes)))
    }

    /// A template with this context, as text: a part of a page for a script, what Django calls `render_to_string`.
    public func renderText(_ template: String, context: TemplateContext = [:]) throws(TemplateError) -> String {
        String(decoding: try rendered(template, context), as: UTF8.self)
    }

    private func rendered(_ template: String, _ context: TemplateContext) throws(TemplateError) -> [UInt8] {
        var context = context
        context["request"] = .object(self)
        context.csrfToken = { self.csrfToken }
        guard let profile else { return try application.pages.engine(at: scriptName).render(template, context) }
        return try profile.rendering(template) { note throws(TemplateError) in
            context.noteTemplate = note
            return try application.pages.engine(at: scriptName).render(template, context)
        }
    }
}

/// What `{{ request.… }}` shows.
extension Request: TemplateObject {
    public func member(_ name: String) -> TemplateValue? {
        switch name {
        case "path": .string(path)
        case "method": .string(method.name)
        case "scheme": .string(scheme)
        case "host", "get_host": .string(host)
        case "gateway": .string(supportsWebSockets ? "asgi" : "wsgi")
        case "is_secure": .bool(isSecure)
        case "get_full_path": .string(head.rawQuery == nil ? path : "\(path)?\(head.query)")
        case "GET": .map(TemplateMap(query.pairs.map { ($0.name, .string($0.value)) }))
        case "COOKIES": .map(TemplateMap(cookies.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
        default: nil
        }
    }
}
