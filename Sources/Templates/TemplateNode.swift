/// A compiled piece of a template. Immutable: all that changes while rendering lives in `Rendering`.
public protocol TemplateNode: AnyObject, Sendable {
    func render(into rendering: inout Rendering) throws(TemplateError)
    /// Node lists inside, so that blocks are found.
    var children: [NodeList] { get }
}

extension TemplateNode {
    public var children: [NodeList] { [] }
}

/// Nodes in sequence.
public struct NodeList: Sendable {
    let nodes: [any TemplateNode]

    static let empty = NodeList(nodes: [])

    public func render(into rendering: inout Rendering) throws(TemplateError) {
        for node in nodes { try node.render(into: &rendering) }
    }

    /// Calls `visit` for each node here and below, outer before inner.
    func walk(_ visit: (any TemplateNode) -> Void) {
        for node in nodes {
            visit(node)
            for list in node.children { list.walk(visit) }
        }
    }
}

/// Bytes that go into the page as they are.
final class TextNode: TemplateNode {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func render(into rendering: inout Rendering) { rendering.output.append(contentsOf: bytes) }
}

/// `{{ expression }}`
final class OutputNode: TemplateNode {
    let expression: TemplateExpression

    init(_ expression: TemplateExpression) { self.expression = expression }

    func render(into rendering: inout Rendering) throws(TemplateError) {
        rendering.write(try expression.evaluate(in: &rendering))
    }
}
