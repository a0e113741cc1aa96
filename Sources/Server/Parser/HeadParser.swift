import Glibc
import HTTP
import NIOCore

/// Reads a head line by line, remembering between calls how far it came (RFC 9112 §2–§5).
///
/// All positions are offsets from the head's first byte, which must stay the buffer's first readable byte until the
/// head is complete.
struct HeadParser: Sendable {
    private var lineStart = 0
    /// Bytes up to here hold no line feed after `lineStart`.
    private var scanned = 0
    private var requestLine: RequestLine?
    private var fieldsStart = 0
    private var fields: [FieldRange] = []
    private var facts = HeadFacts()

    var isFresh: Bool { scanned == 0 && requestLine == nil && fields.isEmpty }

    /// Ready for the next head, with the memory of this one's fields.
    mutating func reset() {
        lineStart = 0
        scanned = 0
        requestLine = nil
        fieldsStart = 0
        if !fields.isEmpty { fields.removeAll(keepingCapacity: true) }
        facts = HeadFacts()
    }

    /// Before the first byte: takes the memory of a head that nobody else holds.
    mutating func borrow(from spare: inout RequestHead?) {
        if fields.capacity == 0 { spare?.releaseFields(to: &fields) }
    }

    /// The head's length when it is complete.
    mutating func parse(_ input: ByteBuffer, limits: ParserLimits) throws(RequestError) -> Int? {
        // A closure for NIO cannot throw an error of its own type.
        var failure: RequestError?
        let length = input.withUnsafeReadableBytes { bytes -> Int? in
            do throws(RequestError) { return try readLines(bytes, limits, isTrailer: false) } catch {
                failure = error
                return nil
            }
        }
        if let failure { throw failure }
        return length
    }

    /// The length of a complete trailer section, whose fields are checked and dropped (RFC 9110 §6.5.1).
    mutating func parseTrailers(_ input: ByteBuffer, limits: ParserLimits) throws(RequestError) -> Int? {
        let outcome = input.withUnsafeReadableBytes { bytes -> Result<Int?, RequestError> in
            do throws(RequestError) { return .success(try readLines(bytes, limits, isTrailer: true)) } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }

    private mutating func readLines(_ bytes: UnsafeRawBufferPointer, _ limits: ParserLimits, isTrailer: Bool)
        throws(RequestError) -> Int?
    {
        guard let base = bytes.baseAddress else { return nil }
        // Something that is no HTTP at all (a TLS hello) is told so at its first byte.
        if !isTrailer, scanned == 0, bytes.count > 0, !Token.contains(bytes[0]) { throw .malformedRequestLine }
        while true {
            guard let feed = memchr(base + scanned, Int32(Ascii.lf), bytes.count - scanned) else {
                scanned = bytes.count
                try checkLimits(end: bytes.count, limits, isTrailer)
                return nil
            }
            let end = UnsafeRawPointer(feed) - base
            try checkLimits(end: end, limits, isTrailer)
            guard end > lineStart, bytes[end - 1] == Ascii.cr else { throw .bareLineEnd }
            let line = lineStart..<(end - 1)
            lineStart = end + 1
            scanned = end + 1
            if requestLine == nil && !isTrailer {
                requestLine = try RequestLine(bytes, line, limits)
                fieldsStart = lineStart
                if fields.capacity < 12 { fields.reserveCapacity(12) }
            } else if line.isEmpty {
                return lineStart
            } else {
                guard fields.count < limits.fieldCount else { throw .headerTooLarge }
                let field = try Self.field(bytes, line)
                fields.append(field)
                if !isTrailer { try facts.note(bytes, field, index: fields.count - 1) }
            }
        }
    }

    private func checkLimits(end: Int, _ limits: ParserLimits, _ isTrailer: Bool) throws(RequestError) {
        if requestLine == nil && !isTrailer {
            // The method, two spaces and the version come on top of the target.
            guard end - lineStart <= limits.targetSize + 64 else { throw .targetTooLong }
        } else {
            guard end - fieldsStart <= limits.headerSize else { throw .headerTooLarge }
        }
    }

    /// `field-name ":" OWS field-value OWS` (RFC 9112 §5).
    @inline(__always)
    private static func field(_ bytes: UnsafeRawBufferPointer, _ line: Range<Int>) throws(RequestError) -> FieldRange {
        var colon = line.lowerBound
        while colon < line.upperBound, Token.contains(bytes[colon]) { colon += 1 }
        guard colon > line.lowerBound else {
            let first = bytes[line.lowerBound]
            throw first == Ascii.space || first == Ascii.tab ? .obsoleteFold : .malformedField
        }
        guard colon < line.upperBound, bytes[colon] == Ascii.colon else { throw .malformedField }
        var start = colon + 1
        var end = line.upperBound
        while start < end, bytes[start] == Ascii.space || bytes[start] == Ascii.tab { start += 1 }
        while end > start, bytes[end - 1] == Ascii.space || bytes[end - 1] == Ascii.tab { end -= 1 }
        if let bad = FieldValue.firstInvalid(bytes, start, end) {
            throw bytes[bad] == Ascii.cr ? .bareLineEnd : .malformedField
        }
        return FieldRange(
            name: ByteRange(start: line.lowerBound, count: colon - line.lowerBound),
            value: ByteRange(start: start, count: end - start))
    }

    /// The head that ended at `length`, in the memory of `spare` where that is free. The parser is then fresh again.
    mutating func takeHead(
        of input: ByteBuffer, length: Int, reusing spare: inout RequestHead?
    ) throws(RequestError) -> RequestHead {
        guard let line = requestLine, let bytes = input.getSlice(at: input.readerIndex, length: length) else {
            throw .malformedRequestLine
        }
        let isHTTP11 = line.version == .http11
        if isHTTP11 && facts.hostIndex == nil { throw .missingHost }
        var authority = facts.hostIndex.map { fields[$0].value }
        if let host = authority, !bytes.withUnsafeReadableBytes({ Authority.isValid($0, host) }) {
            throw .malformedHost
        }
        if let named = line.authority {
            // The target's authority replaces whatever Host says (RFC 9112 §3.2.2).
            guard bytes.withUnsafeReadableBytes({ Authority.isValid($0, named) }) else { throw .malformedTarget }
            authority = named
            if let index = facts.hostIndex { fields[index].value = named }
        }
        let parts = RequestHead.Parts(
            method: line.method, version: line.version, target: line.target, rawPath: line.path,
            rawQuery: line.query, authority: authority, framing: try facts.framing(isHTTP11: isHTTP11),
            isKeepAlive: facts.isKeepAlive(isHTTP11: isHTTP11), expectsContinue: facts.expectsContinue && isHTTP11,
            asksForUpgrade: facts.asksForUpgrade)
        defer { reset() }
        if spare?.replace(with: parts, fields: &fields, bytes: bytes) == true, let head = spare {
            spare = nil
            return head
        }
        var own: [FieldRange] = []
        swap(&own, &fields)
        return RequestHead(parts, fields: own, bytes: bytes)
    }
}

/// The bytes of field values, looked at eight at a time.
enum FieldValue {
    /// Where the first byte stands that may not be in a field value (RFC 9110 §5.5), or nil.
    @inline(__always)
    static func firstInvalid(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ end: Int) -> Int? {
        var index = start
        while index + 8 <= end {
            let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            // Sets the high bit of every byte below 0x20 or equal to 0x7F, and of some that merely follow one.
            let low = (word &- 0x2020_2020_2020_2020) & ~word
            let delete = ((word ^ 0x7F7F_7F7F_7F7F_7F7F) &- 0x0101_0101_0101_0101) & ~(word ^ 0x7F7F_7F7F_7F7F_7F7F)
            if (low | delete) & 0x8080_8080_8080_8080 != 0 { break }
            index += 8
        }
        // The rest, and words with a byte to look at (a tab is one that may stand there).
        while index < end {
            if !Token.isFieldValueByte(bytes[index]) { return index }
            index += 1
        }
        return nil
    }
}
