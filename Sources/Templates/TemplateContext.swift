/// The variables of a rendering: a map of names plus what the request brings (CSRF token, current namespace). Tags that
/// introduce variables push scopes on it, which end with the tag.
public struct TemplateContext: Sendable, ExpressibleByDictionaryLiteral {
    private var root: TemplateMap
    private var locals: [TemplateMap.Entry] = []
    private var scopeStart = 0

    /// Called when a template asks for the token (`{% csrf_token %}` or `{{ csrf_token }}`), and only then, so that pages
    /// without forms set no cookie.
    public var csrfToken: (@Sendable () -> String)?
    /// Told the name of each template that the page extends or includes.
    public var noteTemplate: (@Sendable (String) -> Void)?
    /// The application namespace `url` resolves names in first (Django's `request.current_app`).
    public var currentApp: String?
    /// Whether text is escaped at the start of the rendering; nil takes the engine's setting.
    public var autoescape: Bool?
    /// How moments are shown; nil takes the engine's setting.
    public var timeZone: TemplateTimeZone?

    public init(_ variables: TemplateMap = TemplateMap()) { root = variables }

    public init(dictionaryLiteral elements: (String, TemplateValue)...) { root = TemplateMap(elements) }

    /// Reads the innermost variable of that name; sets one in the innermost scope.
    public subscript(name: String) -> TemplateValue? {
        get {
            var position = locals.count
            while position > 0 {
                position -= 1
                if locals[position].key == name { return locals[position].value }
            }
            if let value = root[name] { return value }
            return name == "csrf_token" ? csrfToken.map { .string($0()) } : nil
        }
        set {
            guard let newValue else {
                if locals.isEmpty { root[name] = nil }
                return
            }
            if locals.isEmpty && scopeStart == 0 {
                root[name] = newValue
            } else {
                set(name, newValue)
            }
        }
    }

    /// Adds all of `other`'s variables, replacing those of the same name.
    public mutating func merge(_ other: TemplateMap) {
        for entry in other.entries { self[entry.key] = entry.value }
    }

    /// Ends with `popScope`, which takes what this returns.
    mutating func pushScope() -> ScopeMark {
        let mark = ScopeMark(start: scopeStart)
        scopeStart = locals.count
        return mark
    }

    mutating func popScope(_ mark: ScopeMark) {
        locals.removeSubrange(scopeStart...)
        scopeStart = mark.start
    }

    /// Sets a variable in the innermost scope.
    mutating func set(_ name: String, _ value: TemplateValue) {
        var position = locals.count
        while position > scopeStart {
            position -= 1
            if locals[position].key == name {
                locals[position].value = value
                return
            }
        }
        locals.append(TemplateMap.Entry(key: name, value: value))
    }

    /// A context for an isolated include: the request's part stays, variables do not.
    func emptied() -> TemplateContext {
        var fresh = self
        fresh.root = TemplateMap()
        fresh.locals = []
        fresh.scopeStart = 0
        return fresh
    }
}

/// Where the enclosing scope begins.
struct ScopeMark {
    fileprivate let start: Int
}
