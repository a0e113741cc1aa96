// Compiled together with Sources/Server/Parser by Tests/Fuzz/run. The first byte of the input chooses the limits, the
// second how the rest is cut up.

import HTTP
import NIOCore

/// All that a parser made of one connection's bytes, with adjacent pieces of a body joined: where those are cut is the
/// network's doing.
private struct Transcript: Equatable {
    var text = ""
    private var body: [UInt8] = []
    private(set) var bodyCount = 0

    mutating func append(_ event: RequestParser.Event) {
        switch event {
        case .head(let head):
            bodyCount = 0
            text += describe(head)
        case .body(let bytes):
            precondition(bytes.readableBytes > 0, "an empty piece of a body")
            body += bytes.readableBytesView
            bodyCount += bytes.readableBytes
        case .end:
            flush()
            text += "end\n"
        }
    }

    mutating func flush() {
        if !body.isEmpty { text += "body \(body)\n" }
        body = []
    }
}

/// Every value of `head` that somebody above the parser looks at.
private func describe(_ head: RequestHead) -> String {
    var text = "\(head.method.name) \(head.string(head.target)) \(head.version.name)\n"
    text += "\(head.string(head.rawPath)) \(head.rawQuery.map(head.string) ?? "-") \(head.host ?? "-")\n"
    text += "\(head.framing) \(head.isKeepAlive) \(head.expectsContinue)\n"
    for (name, value) in head.fields.pairs { text += "\(name): \(value)\n" }
    return text
}

/// What must hold of a head whatever bytes it came from.
private func check(_ head: RequestHead, _ limits: ParserLimits) {
    precondition(head.fields.count <= limits.fieldCount && head.target.count <= limits.targetSize)
    precondition(head.version == .http10 || head.authority != nil, "HTTP/1.1 without a host")
    for (name, value) in head.fields.pairs {
        precondition(!name.isEmpty && name.utf8.allSatisfy(Token.contains), "a name that is no token")
        precondition(!value.utf8.contains { $0 == 0x0D || $0 == 0x0A || $0 == 0 }, "a value that holds a line end")
    }
    if case .length(let count) = head.framing { precondition(count >= 0 && count <= limits.bodySize) }
}

/// Feeds `pieces` one after the other, as reads off a socket arrive, until they end or one is refused.
private func read(_ pieces: [ArraySlice<UInt8>], _ limits: ParserLimits) -> Transcript {
    var parser = RequestParser(limits: limits)
    var buffer = ByteBuffer()
    var transcript = Transcript()
    do throws(RequestError) {
        for piece in pieces {
            buffer.writeBytes(piece)
            while let event = try parser.next(&buffer) {
                if case .head(let head) = event { check(head, limits) }
                transcript.append(event)
                precondition(transcript.bodyCount <= limits.bodySize, "more body than the limit allows")
            }
            // A connection keeps its buffer and reuses the room that has been read.
            buffer.discardReadBytes()
        }
        transcript.flush()
        transcript.text += "waiting, between requests: \(parser.isBetweenRequests && buffer.readableBytes == 0)"
    } catch {
        transcript.flush()
        precondition((400...599).contains(error.status.code) && !error.explanation.isEmpty)
        transcript.text += "refused: \(error)"
    }
    return transcript
}

/// Reads `data` whole and in pieces; both must come to the same events, and to the same error.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRequests(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    guard bytes.count > 2 else { return 0 }
    let input = bytes[2...]
    var limits = ParserLimits()
    if !bytes[0].isMultiple(of: 2) {
        limits.headerSize = 64
        limits.fieldCount = 4
        limits.targetSize = 16
        limits.bodySize = 24
    }
    let whole = read([input], limits)
    let inPieces = read(cut(input, bytes[1]), limits)
    precondition(whole == inPieces, "whole:\n\(whole.text)\n--- in pieces:\n\(inPieces.text)")
    let byteByByte = read(cut(input, 0), limits)
    precondition(whole == byteByByte, "whole:\n\(whole.text)\n--- byte by byte:\n\(byteByByte.text)")
    return 0
}
