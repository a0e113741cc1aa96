/// One rendering under way: the page so far, the variables, and the state of loops and blocks.
public struct Rendering: ~Copyable {
    /// The page so far, UTF-8.
    public internal(set) var output: [UInt8] = []
    public var context: TemplateContext
    /// Whether text is escaped here (`{% autoescape %}`).
    public internal(set) var autoescape: Bool {
        get { environment.autoescape }
        set { environment.autoescape = newValue }
    }
    var timeZone: TemplateTimeZone { environment.timeZone }
    public let engine: TemplateEngine
    /// What filters are given; kept, so that applying one copies nothing.
    private(set) var environment: FilterEnvironment

    /// From the most derived template to its root, for `block`; more than one when `extends` is at work.
    var chain: [Template] = []
    var activeBlocks: [ActiveBlock] = []
    var loops: [LoopState] = []
    /// `forloop` of an isolated include does not see the loops around it.
    var loopFloor = 0
    /// State of `cycle` and `ifchanged` outside loops, by node; each included template has its own.
    var nodeState: [ObjectIdentifier: NodeState] = [:]
    private(set) var depth = 0

    struct ActiveBlock {
        let node: BlockNode
        /// Position in `chain` of the definition being rendered.
        let level: Int
    }

    struct LoopState {
        var index: Int
        let count: Int
        var changed: [ObjectIdentifier: NodeState] = [:]
    }

    enum NodeState {
        case position(Int)
        case values([TemplateValue])
        case page([UInt8])
    }

    init(engine: TemplateEngine, context: TemplateContext) {
        self.engine = engine
        self.context = context
        environment = FilterEnvironment(
            autoescape: context.autoescape ?? engine.settings.autoescape, engine: engine,
            timeZone: context.timeZone ?? engine.settings.timeZone)
        output.reserveCapacity(4096)
    }

    /// Writes a value as `{{ value }}` does: shown, and escaped unless it is safe or escaping is off.
    public mutating func write(_ value: TemplateValue) {
        switch value {
        case .safe(let text): output.append(contentsOf: text.utf8)
        case .string(let text): write(text: text)
        case .int(let number): Decimal.append(number, to: &output)
        case .bool(let flag): output.append(contentsOf: flag ? "True".utf8 : "False".utf8)
        default: write(text: display(value))
        }
    }

    /// Writes bytes as they are: the caller has escaped them.
    public mutating func write(html text: String) { output.append(contentsOf: text.utf8) }

    private mutating func write(text: String) {
        if autoescape {
            HTMLEscape.append(text, to: &output)
        } else {
            output.append(contentsOf: text.utf8)
        }
    }

    /// The text of a value in a page: like `str`, but with moments and numbers in the reader's form.
    func display(_ value: TemplateValue) -> String {
        switch value {
        case .date(let date): DateFormat.display(date, timeZone: timeZone)
        case .double(let number): Decimal.display(number)
        default: value.text
        }
    }

    /// Renders `nodes` apart and returns what they wrote. For block tags that change what is inside them.
    public mutating func capture(_ nodes: NodeList) throws(TemplateError) -> [UInt8] {
        let start = output.count
        try nodes.render(into: &self)
        let captured = Array(output[start...])
        output.removeSubrange(start...)
        return captured
    }

    /// Counts nested templates and blocks; `leave` undoes it.
    mutating func enter(at place: SourcePlace) throws(TemplateError) {
        depth += 1
        if depth > engine.recursionLimit { throw place.error(.recursionTooDeep(limit: engine.recursionLimit)) }
    }

    mutating func leave() { depth -= 1 }
}
