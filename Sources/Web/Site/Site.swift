public import Templates

/// A site: a URL table with what belongs to it. It holds no state of its own; ``SiteApplication`` runs it.
public protocol Site: Sendable {
    /// The name `app.yaml` calls it by; also the namespace of its URL names and its migrations.
    var name: String { get }
    /// The URL table.
    @URLBuilder var urls: URLs { get }
    /// Templates carried in the binary.
    var templates: EmbeddedFileSet { get }
    /// Tags and filters of the site's own.
    var templateLibraries: [TagLibrary] { get }
    /// Static files carried in the binary.
    var staticFiles: EmbeddedFileSet { get }
    /// The changes of the database's schema and data, oldest first.
    var migrations: [Migration] { get }
    /// The models, so that their columns can be checked against the database.
    var models: [any Model.Type] { get }
    /// Middleware around everything the site answers, outermost first.
    var middleware: [any Middleware] { get }
    /// What the site wants to know from the configuration (`sites.NAME.settings`).
    var settings: [any DeclaredSetting] { get }
    /// Path converters of the site's own, by the name patterns use.
    var converters: [String: any PathConverter] { get }
}

extension Site {
    public var templates: EmbeddedFileSet { [] }
    public var templateLibraries: [TagLibrary] { [] }
    public var staticFiles: EmbeddedFileSet { [] }
    public var migrations: [Migration] { [] }
    public var models: [any Model.Type] { [] }
    public var middleware: [any Middleware] { [] }
    public var settings: [any DeclaredSetting] { [] }
    public var converters: [String: any PathConverter] { [:] }
}
