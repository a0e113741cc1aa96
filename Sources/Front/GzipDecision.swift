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
    private var hasLength = false
    private var hasRanges = false
    private var tag: EntityTag?

    private static let eventStream = MediaTypeSet(["text/event-stream"])

    /// Decides about a response with `head`, whose body has `count` bytes if that is known.
    init(_ head: ResponseHead, _ policy: GzipPolicy, count: Int?) {
        let code = head.status.code
        guard !head.status.isBodiless, code != 206 else { return }
        var isEligible = false
        var isForbidden = false
        head.fields.wire.withUnsafeBytes { wire in
            for line in FieldLines(wire) {
                switch line.name.count {
                case 4 where line.name.equals("etag"):
                    tag = EntityTag(parsing: String(decoding: line.value, as: UTF8.self))
                case 4 where line.name.equals("vary"):
                    varies = varies || line.value.contains("*") || line.value.contains("accept-encoding")
                case 12 where line.name.equals("content-type"):
                    isEligible = policy.types.contains(line.value)
                    isEventStream = Self.eventStream.contains(line.value)
                case 13 where line.name.equals("accept-ranges"): hasRanges = true
                case 13 where line.name.equals("content-range"): isForbidden = true
                case 13 where line.name.equals("cache-control"):
                    isForbidden = isForbidden || line.value.contains("no-transform")
                case 14 where line.name.equals("content-length"):
                    hasLength = true
                    contentLength = Int(String(decoding: line.value, as: UTF8.self))
                case 16 where line.name.equals("content-encoding"): isForbidden = true
                default: break
                }
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
        var head = head
        head.fields.reserveCapacity(head.fields.wire.count + 80)
        if hasLength { head.fields.remove("Content-Length") }
        // The ranges a client could ask for would be of bytes that are made anew each time.
        if hasRanges { head.fields.remove("Accept-Ranges") }
        if !varies { head.fields.append("Vary", "Accept-Encoding") }
        if let tag, !tag.isWeak { head.fields.set("ETag", tag.weakened.description) }
        head.fields.append("Content-Encoding", "gzip")
        if let count { head.fields.append("Content-Length", String(count)) }
        return head
    }
}
