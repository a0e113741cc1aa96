// Compiled together with Sources/Server/WebSocket's reader by Tests/Fuzz/run. The first byte of the input chooses the limit
// and whether messages may be compressed, the second how the rest is cut up.

import Gateway
import NIOCore

/// What a reader made of one connection's bytes.
private func read(_ pieces: [ArraySlice<UInt8>], limit: Int, isCompressed: Bool) -> String {
    var reader = MessageReader(
        maxSize: limit, inflater: isCompressed ? MessageInflater(windowBits: 9, keepsContext: true) : nil)
    var input = ByteBuffer()
    var scratch = ByteBuffer()
    var text = ""
    do throws(WebSocketError) {
        for piece in pieces {
            input.writeBytes(piece)
            while let event = try reader.next(&input, scratch: &scratch) { text += describe(event, limit) + "\n" }
            input.discardReadBytes()
        }
        text += "waiting"
    } catch {
        precondition(WebSocketCloseCode.isSendable(error.code) && error.reason.utf8.count <= 123)
        text += "refused: \(error)"
    }
    return text
}

/// Every value of `event`, checked for what must hold whatever bytes it came from.
private func describe(_ event: MessageReader.Event, _ limit: Int) -> String {
    switch event {
    case .message(let message):
        precondition(message.bytes.readableBytes <= limit, "a message above the limit")
        if case .text(let bytes) = message {
            let text = String(validating: Array(bytes.readableBytesView), as: UTF8.self)
            precondition(text != nil, "a text that is not UTF-8")
        }
        return "\(message)"
    case .ping(let bytes):
        precondition(bytes.readableBytes <= 125)
        return "ping \(Array(bytes.readableBytesView))"
    case .pong: return "pong"
    case .close(let code, let reason):
        precondition(code == WebSocketCloseCode.none || WebSocketCloseCode.isSendable(code))
        return "close \(code) \(reason)"
    }
}

/// Reads `data` whole and in pieces; both must come to the same messages, and to the same error.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzMessages(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    guard bytes.count > 2 else { return 0 }
    let input = bytes[2...]
    let limit = bytes[0] & 1 == 0 ? 1 << 16 : 24
    let isCompressed = bytes[0] & 2 != 0
    let whole = read([input], limit: limit, isCompressed: isCompressed)
    let inPieces = read(cut(input, bytes[1]), limit: limit, isCompressed: isCompressed)
    precondition(whole == inPieces, "whole:\n\(whole)\n--- in pieces:\n\(inPieces)")
    let byteByByte = read(cut(input, 0), limit: limit, isCompressed: isCompressed)
    precondition(whole == byteByByte, "whole:\n\(whole)\n--- byte by byte:\n\(byteByByte)")
    return 0
}
