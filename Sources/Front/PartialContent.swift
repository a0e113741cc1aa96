import Gateway
import HTTP
import NIOCore

/// Some ranges of a representation as a 206 (RFC 9110 §15.3.7).
struct PartialContent {
    private let representation: Representation
    private let ranges: [Range<Int>]

    /// `ranges` are within the representation; at least one.
    init(_ representation: Representation, _ ranges: [Range<Int>]) {
        self.representation = representation
        self.ranges = ranges
    }

    func send(to exchange: any Exchange) {
        if ranges.count == 1 { sendOne(ranges[0], to: exchange) } else { sendSeveral(to: exchange) }
    }

    private func head(contentType: String, count: Int) -> ResponseHead {
        var head = ResponseHead(.partialContent, representation.head.fields)
        head.fields.set("Content-Type", contentType)
        head.fields.set("Content-Length", String(count))
        return head
    }

    private func contentRange(_ range: Range<Int>) -> String {
        "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(representation.count)"
    }

    private func sendOne(_ range: Range<Int>, to exchange: any Exchange) {
        var head = head(contentType: representation.contentType, count: range.count)
        head.fields.append("Content-Range", contentRange(range))
        switch representation.body {
        case .memory(let bytes): exchange.respond(head, Self.slice(bytes, range))
        case .file(let owner):
            exchange.start(head)
            exchange.write(owner.region(range), keeping: owner)
            exchange.finish()
        }
    }

    private func sendSeveral(to exchange: any Exchange) {
        // 124 random bits: no file contains them but by being made after the response.
        let boundary =
            String(UInt64.random(in: .min ... .max), radix: 36) + String(UInt64.random(in: .min ... .max), radix: 36)
        let parts = ranges.enumerated().map { index, range in
            ByteBuffer(
                string: (index == 0 ? "" : "\r\n")
                    + "--\(boundary)\r\nContent-Type: \(representation.contentType)\r\n"
                    + "Content-Range: \(contentRange(range))\r\n\r\n")
        }
        let end = ByteBuffer(string: "\r\n--\(boundary)--\r\n")
        let count = zip(parts, ranges).reduce(end.readableBytes) { $0 + $1.0.readableBytes + $1.1.count }
        let head = head(contentType: "multipart/byteranges; boundary=\(boundary)", count: count)
        switch representation.body {
        case .memory(let bytes):
            var body = ByteBuffer()
            body.reserveCapacity(count)
            for (part, range) in zip(parts, ranges) {
                body.writeImmutableBuffer(part)
                body.writeImmutableBuffer(Self.slice(bytes, range))
            }
            body.writeImmutableBuffer(end)
            exchange.respond(head, body)
        case .file(let owner):
            exchange.start(head)
            for (part, range) in zip(parts, ranges) {
                exchange.write(part)
                exchange.write(owner.region(range), keeping: owner)
            }
            exchange.write(end)
            exchange.finish()
        }
    }

    private static func slice(_ bytes: ByteBuffer, _ range: Range<Int>) -> ByteBuffer {
        bytes.getSlice(at: bytes.readerIndex + range.lowerBound, length: range.count) ?? ByteBuffer()
    }
}
