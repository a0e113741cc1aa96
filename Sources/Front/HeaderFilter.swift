import Gateway
import HTTP
import NIOCore

/// An exchange whose response fields are edited as a route says; everything else passes through.
final class HeaderFilter: ExchangeFilter {
    private let edits: FieldEdits

    init(_ inner: any Exchange, _ edits: FieldEdits) {
        self.edits = edits
        super.init(inner)
    }

    override func respond(_ head: ResponseHead, _ body: ByteBuffer) { inner.respond(edited(head), body) }

    override func start(_ head: ResponseHead) { inner.start(edited(head)) }

    private func edited(_ head: ResponseHead) -> ResponseHead {
        var head = head
        edits.edit(&head.fields)
        return head
    }
}
