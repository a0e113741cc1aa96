import HTTP

/// Reads the parts of a `multipart/form-data` body (RFC 7578, RFC 2046 §5.1.1) out of pieces as they arrive: no more of it
/// is kept than a delimiter is long, or a part's header.
struct MultipartParser {
    /// What was found, in order.
    enum Event: Equatable {
        case partBegins(MultipartHead)
        case content([UInt8])
        case partEnds
    }

    /// A body that is not what its media type says; the text is for the client.
    struct Malformed: Error, Equatable {
        let text: String
    }

    /// A part's header, at most.
    static let longestHead = 8192

    private enum Position: Equatable {
        /// Before the first delimiter, or in a part.
        case content(isPart: Bool)
        /// Behind a delimiter: the end, or another part.
        case behindDelimiter
        case head
        case contentBegins
        case end
    }

    private let delimiter: [UInt8]
    /// As if an end of line came before the body: the first delimiter may stand at its beginning.
    private var buffer: [UInt8] = [0x0D, 0x0A]
    private var start = 0
    private var position = Position.content(isPart: false)

    init(boundary: String) { delimiter = Array("\r\n--\(boundary)".utf8) }

    /// The boundary of a media type; nil when it is not `multipart/form-data` with one of 1 to 70 characters.
    static func boundary(of contentType: String) -> String? {
        let parts = HeaderParameters(contentType)
        guard parts.value == "multipart/form-data", let boundary = parts["boundary"] else { return nil }
        let isFine = (1...70).contains(boundary.utf8.count) && boundary.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
        return isFine && boundary.last != " " ? boundary : nil
    }

    /// Whether the closing delimiter has come.
    var isComplete: Bool { position == .end }

    /// What is in `bytes`, and what earlier ones had left.
    mutating func events(in bytes: some Sequence<UInt8>) throws(Malformed) -> [Event] {
        if position == .end { return [] }
        buffer.append(contentsOf: bytes)
        var events: [Event] = []
        while try step(&events) {}
        if start > 0 {
            buffer.removeFirst(start)
            start = 0
        }
        return events
    }

    /// One step; false when it takes more bytes.
    private mutating func step(_ events: inout [Event]) throws(Malformed) -> Bool {
        switch position {
        case .content(let isPart): return content(isPart, &events)
        case .behindDelimiter: return try behindDelimiter()
        case .head: return try head(&events)
        case .contentBegins: return contentBegins()
        case .end:
            // What follows has no meaning.
            start = buffer.count
            return false
        }
    }

    private mutating func content(_ isPart: Bool, _ events: inout [Event]) -> Bool {
        let found = Self.find(delimiter, in: buffer, from: start)
        let end = found ?? max(start, buffer.count - delimiter.count + 1)
        if isPart, end > start { events.append(.content(Array(buffer[start..<end]))) }
        start = end
        guard found != nil else { return false }
        if isPart { events.append(.partEnds) }
        start += delimiter.count
        position = .behindDelimiter
        return true
    }

    private mutating func behindDelimiter() throws(Malformed) -> Bool {
        let rest = buffer[start...]
        guard rest.count >= 2 else { return false }
        if rest.starts(with: [0x2D, 0x2D]) {
            position = .end
            return true
        }
        let padding = rest.prefix { $0 == 0x20 || $0 == 0x09 }.count
        guard rest.count >= padding + 2 else {
            guard padding < 128 else { throw Malformed(text: "a boundary is followed by too much space") }
            return false
        }
        guard rest.dropFirst(padding).starts(with: [0x0D, 0x0A]) else {
            throw Malformed(text: "a boundary is followed by something else than a part")
        }
        // The end of line stays: a part without header fields is two of them.
        start += padding
        position = .head
        return true
    }

    private mutating func head(_ events: inout [Event]) throws(Malformed) -> Bool {
        guard let end = Self.find([0x0D, 0x0A, 0x0D, 0x0A], in: buffer, from: start) else {
            guard buffer.count - start <= Self.longestHead else {
                throw Malformed(text: "the header of a part is too long")
            }
            return false
        }
        guard end - start <= Self.longestHead else { throw Malformed(text: "the header of a part is too long") }
        events.append(.partBegins(try MultipartHead(buffer[start..<end])))
        // The end of the empty line stays: it may be the beginning of the next delimiter already.
        start = end + 2
        position = .contentBegins
        return true
    }

    private mutating func contentBegins() -> Bool {
        let rest = buffer[start...]
        if rest.count < delimiter.count, delimiter.starts(with: rest) { return false }
        if !rest.starts(with: delimiter) { start += 2 }
        position = .content(isPart: true)
        return true
    }

    /// Where `pattern` begins at the earliest.
    private static func find(_ pattern: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        var index = start
        while let next = bytes[index...].firstIndex(of: pattern[0]) {
            if next + pattern.count > bytes.count { return nil }
            if matches(pattern, bytes, at: next) { return next }
            index = next + 1
        }
        return nil
    }

    private static func matches(_ pattern: [UInt8], _ bytes: [UInt8], at index: Int) -> Bool {
        index + pattern.count <= bytes.count && bytes[index..<index + pattern.count].elementsEqual(pattern)
    }
}
