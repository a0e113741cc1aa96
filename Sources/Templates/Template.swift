/// A compiled template. Immutable; render it through its engine.
public final class Template: Sendable {
    /// The name it was asked for by.
    public let name: String
    let nodes: NodeList
    /// The `extends` tag, when there is one.
    let parent: ExtendsNode?
    let blocks: [String: BlockNode]
    let start: SourcePlace
    let version: Int64

    init(name: String, source: SourceText, nodes: NodeList, parent: ExtendsNode?, version: Int64) {
        self.name = name
        self.nodes = nodes
        self.parent = parent
        self.version = version
        start = SourcePlace(source: source, offset: 0)
        var found: [String: BlockNode] = [:]
        nodes.walk { node in
            if let block = node as? BlockNode { found[block.name] = block }
        }
        blocks = found
    }

    /// Renders within the chain of inheritance that is being built. Text before `extends` is shown, as in Django.
    func renderBody(into rendering: inout Rendering) throws(TemplateError) {
        for node in nodes.nodes {
            try node.render(into: &rendering)
            if parent != nil, node is ExtendsNode { return }
        }
    }

    /// Renders with a chain of inheritance and node states of its own, as a page or an included template.
    func render(into rendering: inout Rendering) throws(TemplateError) {
        let chain = rendering.chain
        let blocks = rendering.activeBlocks
        let states = rendering.nodeState
        rendering.chain = [self]
        if !blocks.isEmpty { rendering.activeBlocks = [] }
        if !states.isEmpty { rendering.nodeState = [:] }
        try renderBody(into: &rendering)
        rendering.chain = chain
        if !blocks.isEmpty { rendering.activeBlocks = blocks }
        rendering.nodeState = states
    }
}
