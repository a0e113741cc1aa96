import Glibc
import HTTP
import NIOCore

/// Writes response heads (RFC 9112 §4, §6).
enum ResponseEncoder {
    /// How the body that follows is delimited.
    enum BodyLength: Equatable {
        /// Not said: the status has no body, or the answer is to HEAD, or the connection's end delimits it.
        case unsaid
        case known(Int)
        case chunked
    }

    /// What the application's own fields say.
    struct Facts {
        var contentLength: Int?
        var hasDate = false
        var hasServer = false
        /// The application asks for the connection to be closed.
        var closes = false
        /// There are fields that only the server may set.
        var hasForeign = false
    }

    /// One pass over the fields, if there may be any that matter.
    static func facts(of fields: Fields) -> Facts {
        var facts = Facts()
        guard !fields.marks.isEmpty else { return facts }
        fields.wire.withUnsafeBytes { bytes in
            var position = 0
            while let (name, value, next) = line(bytes, from: position) {
                switch name.count {
                case 4 where name.equals("date"): facts.hasDate = true
                case 6 where name.equals("server"): facts.hasServer = true
                case 10 where name.equals("connection"):
                    facts.hasForeign = true
                    for option in ListElements(value) where option.equals("close") { facts.closes = true }
                case 10 where name.equals("keep-alive"), 17 where name.equals("transfer-encoding"):
                    facts.hasForeign = true
                case 14 where name.equals("content-length"):
                    // A value that is no number, or a second one, is the application's mistake: the server frames anew.
                    if facts.contentLength == nil, let length = length(value) {
                        facts.contentLength = length
                    } else {
                        facts.contentLength = nil
                        facts.hasForeign = true
                    }
                default: break
                }
                position = next
            }
        }
        return facts
    }

    /// Writes the whole head into `buffer`, and `body` behind it.
    static func write(
        _ head: ResponseHead, facts: Facts, length: BodyLength, connection: StaticString?, common: [UInt8],
        body: ByteBuffer?, into buffer: inout ByteBuffer
    ) {
        let writesOwnLength = facts.contentLength != nil && length == facts.contentLength.map(BodyLength.known)
        guard !facts.hasForeign, facts.contentLength == nil || writesOwnLength, !facts.hasDate, !facts.hasServer else {
            writeSlowly(
                head, facts: facts, length: length, writesOwnLength: writesOwnLength, connection: connection,
                common: common, into: &buffer)
            if let body { buffer.writeImmutableBuffer(body) }
            return
        }
        let most = head.fields.wire.count + common.count + (body?.readableBytes ?? 0) + 128
        if head.status.customReason != nil { writeStatusLine(head.status, into: &buffer) }
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: most) { free in
            var writer = HeadWriter(free)
            if head.status.customReason == nil { writer.writeStatusLine(head.status.code) }
            head.fields.wire.withUnsafeBytes { writer.write($0) }
            if !writesOwnLength { writer.write(length) }
            common.withUnsafeBytes { writer.write($0) }
            if let connection { writer.write(connection) }
            writer.write("\r\n")
            if let body { body.withUnsafeReadableBytes { writer.write($0) } }
            return writer.count
        }
    }

    /// As ``write(_:facts:length:connection:common:body:into:)``, where the application's fields are not taken as they
    /// are.
    private static func writeSlowly(
        _ head: ResponseHead, facts: Facts, length: BodyLength, writesOwnLength: Bool, connection: StaticString?,
        common: [UInt8], into buffer: inout ByteBuffer
    ) {
        writeStatusLine(head.status, into: &buffer)
        if facts.hasForeign || (facts.contentLength != nil && !writesOwnLength) {
            writeAllowed(head.fields, keepsLength: writesOwnLength && !facts.hasForeign, into: &buffer)
            if writesOwnLength && facts.hasForeign { writeLength(length, into: &buffer) }
            // It belongs to the field that says to what (RFC 9110 §15.5.22).
            if head.status == .upgradeRequired { buffer.writeStaticString("Connection: Upgrade\r\n") }
        } else {
            buffer.writeBytes(head.fields.wire)
        }
        if !writesOwnLength { writeLength(length, into: &buffer) }
        writeCommon(common, facts, into: &buffer)
        if let connection { buffer.writeStaticString(connection) }
        buffer.writeStaticString("\r\n")
    }

    static func writeStatusLine(_ status: Status, into buffer: inout ByteBuffer) {
        buffer.writeStaticString("HTTP/1.1 ")
        buffer.writeString(String(status.code))
        buffer.writeStaticString(" ")
        buffer.writeBytes(status.reason.utf8.lazy.map { Token.isFieldValueByte($0) ? $0 : 0x20 })
        buffer.writeStaticString("\r\n")
    }

    /// The line before a chunk (RFC 9112 §7.1).
    static func writeChunkSize(_ count: Int, into buffer: inout ByteBuffer) {
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 24) { free in
            var writer = HeadWriter(free)
            writer.writeNumber(count, radix: 16)
            writer.write("\r\n")
            return writer.count
        }
    }

    private static func writeLength(_ length: BodyLength, into buffer: inout ByteBuffer) {
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 48) { free in
            var writer = HeadWriter(free)
            writer.write(length)
            return writer.count
        }
    }

    /// The application's fields without those that are the server's business.
    private static func writeAllowed(_ fields: Fields, keepsLength: Bool, into buffer: inout ByteBuffer) {
        fields.wire.withUnsafeBytes { bytes in
            var position = 0
            while let (name, _, next) = line(bytes, from: position) {
                let isForeign =
                    name.equals("connection") || name.equals("keep-alive")
                    || name.equals("transfer-encoding")
                    || (name.equals("content-length") && !keepsLength)
                if !isForeign { buffer.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[position..<next])) }
                position = next
            }
        }
    }

    static func writeCommon(_ common: [UInt8], _ facts: Facts, into buffer: inout ByteBuffer) {
        common.withUnsafeBytes { bytes in
            var position = 0
            while let (name, _, next) = line(bytes, from: position) {
                let isGiven = name.equals("date") ? facts.hasDate : facts.hasServer
                if !isGiven { buffer.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[position..<next])) }
                position = next
            }
        }
    }

    private static func length(_ value: UnsafeRawBufferPointer) -> Int? {
        guard !value.isEmpty, value.count <= 18, value.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
        return value.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    /// The `name: value CR LF` line at `position`.
    private static func line(_ bytes: UnsafeRawBufferPointer, from position: Int)
        -> (name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, next: Int)?
    {
        guard position < bytes.count, let base = bytes.baseAddress,
            let feedPointer = memchr(base + position, CInt(Ascii.lf), bytes.count - position),
            let colonPointer = memchr(base + position, CInt(Ascii.colon), bytes.count - position)
        else { return nil }
        let feed = UnsafeRawPointer(feedPointer) - base
        let colon = UnsafeRawPointer(colonPointer) - base
        guard feed >= colon + 3 else { return nil }
        return (
            UnsafeRawBufferPointer(rebasing: bytes[position..<colon]),
            UnsafeRawBufferPointer(rebasing: bytes[(colon + 2)..<(feed - 1)]), feed + 1
        )
    }
}
