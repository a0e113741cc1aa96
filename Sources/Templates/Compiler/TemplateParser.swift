/// Turns tokens into nodes. Block tags get it to parse what is inside them.
public final class TemplateParser {
    let source: SourceText
    let registry: TagRegistry
    let engine: TemplateEngine
    private let tokens: [Lexer.Token]
    private var position = 0
    private var depth = 0
    /// Names `cycle` declared, for `resetcycle` and the old form.
    var cycles: [String: CycleNode] = [:]
    var lastCycle: CycleNode?
    var blockNames: Set<String> = []
    private var parent: ExtendsNode?
    private var sawNode = false

    init(source: SourceText, engine: TemplateEngine) throws(TemplateError) {
        self.source = source
        self.engine = engine
        registry = engine.registry
        if let bad = Self.firstInvalid(source.bytes) { throw SourcePlace(source: source, offset: bad).error(.notUTF8) }
        tokens = Lexer.tokens(of: source.bytes)
    }

    func parseTemplate(name: String, version: Int64) throws(TemplateError) -> Template {
        let (nodes, _) = try parseNodes(until: [], opener: nil)
        return Template(name: name, source: source, nodes: nodes, parent: parent, version: version)
    }

    /// Parses up to one of the tags `ends`, which is consumed and returned with the nodes before it.
    ///
    /// - Parameter opener: the tag that is open, named in the error when none of `ends` follows.
    public func parse(until ends: [String], opener: TagToken) throws(TemplateError) -> (NodeList, TagToken) {
        let (nodes, end) = try parseNodes(until: ends, opener: opener)
        guard let end else { throw opener.place.error(.unclosedTag(opener.name, expected: ends)) }
        return (nodes, end)
    }

    /// Skips to the tag `end` without reading what is before it.
    func skip(to end: String, opener: TagToken) throws(TemplateError) {
        while position < tokens.count {
            let token = tokens[position]
            position += 1
            if token.kind == .tag, tag(token).name == end { return }
        }
        throw opener.place.error(.unclosedTag(opener.name, expected: [end]))
    }

    /// Reads `variable|filter:argument`.
    public func expression(_ text: String, at place: SourcePlace) throws(TemplateError) -> TemplateExpression {
        var parser = ExpressionParser(text, place: place, registry: registry)
        return try parser.parse()
    }

    /// Reads an argument of a tag.
    public func expression(_ text: String, in tag: TagToken) throws(TemplateError) -> TemplateExpression {
        try expression(text, at: tag.place)
    }

    private func parseNodes(until ends: [String], opener: TagToken?) throws(TemplateError) -> (NodeList, TagToken?) {
        depth += 1
        defer { depth -= 1 }
        if depth > engine.settings.nestingLimit, let opener {
            throw opener.place.error(.nestingTooDeep(limit: engine.settings.nestingLimit))
        }
        var nodes: [any TemplateNode] = []
        while position < tokens.count {
            let token = tokens[position]
            position += 1
            let place = SourcePlace(source: source, offset: token.offset)
            switch token.kind {
            case .text:
                nodes.append(TextNode(Array(source.bytes[token.content])))
            case .variable:
                sawNode = true
                guard !token.content.isEmpty else {
                    throw place.error(.malformedExpression("{{ }}", expected: "a variable"))
                }
                nodes.append(OutputNode(try expression(source.string(token.content), at: place)))
            case .tag:
                let tag = tag(token)
                if ends.contains(tag.name) { return (NodeList(nodes: nodes), tag) }
                if let node = try compile(tag, ends: ends) { nodes.append(node) }
            }
        }
        return (NodeList(nodes: nodes), nil)
    }

    private func tag(_ token: Lexer.Token) -> TagToken {
        TagToken(
            content: source.string(token.content), place: SourcePlace(source: source, offset: token.offset))
    }

    private func compile(_ tag: TagToken, ends: [String]) throws(TemplateError) -> (any TemplateNode)? {
        guard !tag.name.isEmpty else { throw tag.place.error(.malformedTag("{% %}", expected: "the name of a tag")) }
        if tag.name == "extends" {
            guard !sawNode, depth == 1 else { throw tag.place.error(.misplacedExtends) }
            sawNode = true
            let node = try ExtendsNode.parse(tag, self)
            parent = node
            return node
        }
        guard let compiler = registry.tag(tag.name) else {
            if BuiltinTags.inner.contains(tag.name) {
                throw tag.place.error(.unexpectedTag(tag.name, expected: ends))
            }
            throw tag.place.error(.unknownTag(tag.name, nearest: registry.nearestTag(tag.name)))
        }
        sawNode = true
        return try compiler.parse(tag, self)
    }

    /// The offset of the first byte that is not UTF-8.
    private static func firstInvalid(_ bytes: [UInt8]) -> Int? {
        if bytes.allSatisfy({ $0 < 0x80 }) { return nil }
        var decoder = UTF8()
        var iterator = CountingIterator(bytes: bytes)
        while true {
            let start = iterator.position
            switch decoder.decode(&iterator) {
            case .scalarValue: continue
            case .emptyInput: return nil
            case .error: return min(start, bytes.count - 1)
            }
        }
    }

    private struct CountingIterator: IteratorProtocol {
        let bytes: [UInt8]
        var position = 0
        mutating func next() -> UInt8? {
            guard position < bytes.count else { return nil }
            defer { position += 1 }
            return bytes[position]
        }
    }
}
