import Gateway
import NIOCore

/// A client's messages out of the bytes of its connection (RFC 6455 §5, §8.1; RFC 7692): without I/O, fed at any byte
/// boundary.
///
/// It joins fragments, takes masks off, inflates, and checks what can be checked: order, lengths, UTF-8, sizes.
struct MessageReader {
    /// What was read.
    enum Event: Equatable {
        case message(WebSocketMessage)
        case ping(ByteBuffer)
        case pong
        /// `code` is 1005 when the frame had none.
        case close(code: UInt16, reason: String)
    }

    /// The frame whose payload is being read.
    private struct Frame {
        let header: FrameHeader
        var remaining: Int
        var masking: Masking

        init(_ header: FrameHeader) {
            self.header = header
            remaining = header.length
            masking = Masking(header.mask)
        }
    }

    /// Messages up to this size that come whole share the caller's buffer, which costs no allocation when the one before
    /// was let go of.
    private static let sharedLimit = 1024
    /// Room that an announced length alone is believed for.
    private static let reserveLimit = 256 << 10

    private let maxSize: Int
    private let inflater: MessageInflater?
    private var frame: Frame?
    private var control = ByteBuffer()

    // The message whose fragments are being joined; `kind` is nil between two messages.
    private var kind: Opcode?
    private var isCompressed = false
    private var bytes = ByteBuffer()
    /// What was announced of it, before inflating.
    private var announced = 0
    private var utf8 = UTF8Validator()

    /// A reader of messages of at most `maxSize` bytes, inflated by `inflater` where compression was agreed on.
    init(maxSize: Int, inflater: MessageInflater? = nil) {
        self.maxSize = maxSize
        self.inflater = inflater
    }

    /// Reads the next event off `input`, or nil when it needs more bytes. `scratch` is written over by each call. After an
    /// error the connection is of no use.
    mutating func next(_ input: inout ByteBuffer, scratch: inout ByteBuffer) throws(WebSocketError) -> Event? {
        while true {
            if frame == nil {
                guard let header = try FrameHeader.read(&input, compression: inflater != nil) else { return nil }
                if isWhole(header, input) { return .message(try wholeMessage(header, &input, &scratch)) }
                try begin(header)
            }
            guard let header = try readPayload(&input, &scratch) else { return nil }
            frame = nil
            if header.opcode.isControl { return try controlEvent(header.opcode) }
            if header.isFinal { return .message(try endMessage()) }
        }
    }

    // MARK: Messages of one frame

    /// Whether the frame is a message by itself, and all of it is there: as almost all are.
    private func isWhole(_ header: FrameHeader, _ input: ByteBuffer) -> Bool {
        header.isFinal && !header.isCompressed && (header.opcode == .text || header.opcode == .binary) && kind == nil
            && header.length <= input.readableBytes && header.length <= maxSize
    }

    private func wholeMessage(
        _ header: FrameHeader, _ input: inout ByteBuffer, _ scratch: inout ByteBuffer
    ) throws(WebSocketError) -> WebSocketMessage {
        var masking = Masking(header.mask)
        let bytes: ByteBuffer
        if header.length <= Self.sharedLimit {
            scratch.clear(minimumCapacity: Self.sharedLimit)
            masking.unmask(header.length, of: &input, into: &scratch)
            bytes = scratch
        } else {
            var own = ByteBuffer()
            own.reserveCapacity(header.length)
            masking.unmask(header.length, of: &input, into: &own)
            bytes = own
        }
        guard header.opcode == .text else { return .binary(bytes) }
        var utf8 = UTF8Validator()
        guard bytes.withUnsafeReadableBytes({ utf8.accepts($0) }), utf8.isComplete else { throw .malformedText }
        return .text(bytes)
    }

    // MARK: Everything else, as it comes

    private mutating func begin(_ header: FrameHeader) throws(WebSocketError) {
        frame = Frame(header)
        switch header.opcode {
        case .close, .ping, .pong:
            control.clear()
            return
        case .text, .binary:
            guard kind == nil else { throw .unexpectedFrame }
            kind = header.opcode
            isCompressed = header.isCompressed
            bytes = ByteBuffer()
            announced = 0
            utf8 = UTF8Validator()
        case .continuation:
            guard kind != nil else { throw .unexpectedFrame }
        }
        // What inflates to less than it was is of no use to anybody: the limit holds before and after.
        guard header.length <= maxSize - announced else { throw .tooBig }
        announced += header.length
        if !isCompressed { bytes.reserveCapacity(minimumWritableBytes: min(header.length, Self.reserveLimit)) }
    }

    /// Takes what is there of the frame's payload; the frame's header when that was all.
    private mutating func readPayload(
        _ input: inout ByteBuffer, _ scratch: inout ByteBuffer
    ) throws(WebSocketError) -> FrameHeader? {
        guard let header = frame?.header, let remaining = frame?.remaining else { return nil }
        let count = min(remaining, input.readableBytes)
        if count > 0 {
            frame?.remaining = remaining - count
            if header.opcode.isControl {
                frame?.masking.unmask(count, of: &input, into: &control)
            } else {
                let before = bytes.readableBytes
                var failure: WebSocketError?
                if isCompressed, let inflater {
                    scratch.clear()
                    frame?.masking.unmask(count, of: &input, into: &scratch)
                    do throws(WebSocketError) {
                        try inflater.inflate(scratch, into: &bytes, limit: maxSize)
                    } catch {
                        failure = error
                    }
                } else {
                    frame?.masking.unmask(count, of: &input, into: &bytes)
                }
                // What came out before a failure is judged first, so that it does not matter how the bytes arrived.
                try checkText(from: before)
                if let failure { throw failure }
            }
        }
        return count == remaining ? header : nil
    }

    private mutating func endMessage() throws(WebSocketError) -> WebSocketMessage {
        if isCompressed, let inflater {
            let before = bytes.readableBytes
            try inflater.finish(into: &bytes, limit: maxSize)
            try checkText(from: before)
        }
        defer {
            kind = nil
            bytes = ByteBuffer()
        }
        guard kind == .text else { return .binary(bytes) }
        guard utf8.isComplete else { throw .malformedText }
        return .text(bytes)
    }

    /// Whether what was added to a text behind its first `count` bytes is UTF-8.
    private mutating func checkText(from count: Int) throws(WebSocketError) {
        guard kind == .text else { return }
        let isValid = bytes.withUnsafeReadableBytes { utf8.accepts(UnsafeRawBufferPointer(rebasing: $0[count...])) }
        guard isValid else { throw .malformedText }
    }

    private mutating func controlEvent(_ opcode: Opcode) throws(WebSocketError) -> Event {
        switch opcode {
        case .ping: return .ping(control)
        case .close: return try closeEvent()
        default: return .pong
        }
    }

    /// RFC 6455 §5.5.1, §7.4.
    private mutating func closeEvent() throws(WebSocketError) -> Event {
        guard control.readableBytes > 0 else { return .close(code: WebSocketCloseCode.none, reason: "") }
        guard let code: UInt16 = control.readInteger(), WebSocketCloseCode.isSendable(code) else {
            throw .malformedClose
        }
        var utf8 = UTF8Validator()
        guard control.withUnsafeReadableBytes({ utf8.accepts($0) }), utf8.isComplete else { throw .malformedText }
        return .close(code: code, reason: String(buffer: control))
    }
}
