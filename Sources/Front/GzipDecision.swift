import HTTP
import NIOCore

/// What a response's head says about compressing its body, found in one pass over its lines.
struct GzipDecision {
    /// Whether the response would be compressed for a client that takes it.
    private(set) var isCompressible = false
    /// The value of `Content-Length`.
    private(set) var contentLength: Int?
    private(set) var isEventStream = false
    private var varies = false
    private var tag: EntityTag?

    private static let eventStream = MediaTypeSet(["text/event-stream"])

    /// Decides about a response with `head`, whose body has `count` bytes if that is known.
    init(_ head: ResponseHead, _ policy: GzipPolicy, count: Int?) {
        let code = head.status.code
        guard !head.status.isBodiless, code != 206 else { return }
        var isEligible = false
        var isForbidden = false
        for line in head.fields.lines {
            switch line.nameCount {
            case 4:
                if line.isNamed("ETag") { tag = EntityTag(parsing: line.value) }
                if line.isNamed("Vary") {
                    let value = line.value.lowercased()
                    varies = varies || value.contains("*") || value.contains("accept-encoding")
                }
            case 12:
                if line.isNamed("Content-Type") {
                    isEligible = policy.types.contains(line.valueBytes)
                    isEventStream = Self.eventStream.contains(line.valueBytes)
                }
            case 13:
                if line.isNamed("Content-Range") { isForbidden = true }
                if line.isNamed("Cache-Control"), line.value.lowercased().contains("no-transform") {
                    isForbidden = true
                }
            case 14: if line.isNamed("Content-Length") { contentLength = Int(line.value) }
            case 16: if line.isNamed("Content-Encoding") { isForbidden = true }
            default: break
            }
        }
        let size = count ?? contentLength
        isCompressible = isEligible && !isForbidden && size.map { $0 >= policy.minSize } ?? true
    }

    /// `head` with the news that it depends on `Accept-Encoding`.
    func varying(_ head: ResponseHead) -> ResponseHead {
        guard !varies else { return head }
        var head = head
        head.fields.append("Vary", "Accept-Encoding")
        return head
    }

    /// `head` for the compressed body; `count` is its length, nil for a stream.
    func compressed(_ head: ResponseHead, count: Int?) -> ResponseHead {
        var head = varying(head)
        head.fields.remove("Content-Length")
        // The ranges a client could ask for would be of bytes that are made anew each time.
        head.fields.remove("Accept-Ranges")
        if let tag, !tag.isWeak { head.fields.set("ETag", tag.weakened.description) }
        head.fields.append("Content-Encoding", "gzip")
        if let count { head.fields.append("Content-Length", String(count)) }
        return head
    }
}
