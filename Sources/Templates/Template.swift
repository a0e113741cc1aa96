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

    /// Renders with a chain of inheritance and node states of its own, as a page or an included template.
    func render(into rendering: inout Rendering) throws(TemplateError) {
        let chain = rendering.chain
        let blocks = rendering.activeBlocks
        let states = rendering.nodeState
        rendering.chain = [self]
        if !blocks.isEmpty { rendering.activeBlocks = [] }
        if !states.isEmpty { rendering.nodeState = [:] }
        if let parent {
            try parent.render(into: &rendering)
        } else {
            try nodes.render(into: &rendering)
        }
        rendering.chain = chain
        if !blocks.isEmpty { rendering.activeBlocks = blocks }
        rendering.nodeState = states
    }
}
