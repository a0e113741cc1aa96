public import NIOCore

/// A range of a request head's bytes: offsets from the head's first byte.
public struct ByteRange: Sendable, Equatable {
    public var start: UInt32
    public var count: UInt32

    public init(start: Int, count: Int) {
        self.start = UInt32(truncatingIfNeeded: start)
        self.count = UInt32(truncatingIfNeeded: count)
    }
}

/// How a request's body is delimited (RFC 9112 §6.3).
public enum BodyFraming: Sendable, Equatable {
    case none
    case length(Int)
    case chunked
}

/// The request line and header fields, as ranges over the received bytes: strings are made only when asked for.
///
/// One reference wide, since every layer hands it on; the server uses the memory behind it again for the connection's
/// next request when nobody has kept it.
public struct RequestHead: Sendable {
    @usableFromInline var storage: Storage

    /// The head's parts.
    @usableFromInline
    final class Storage: @unchecked Sendable {
        // Sendable: changed by ``RequestHead/replace(with:fields:bytes:)`` alone, and only while one reference exists.
        @usableFromInline var parts: Parts
        @usableFromInline var bytes: ByteBuffer
        @usableFromInline var ranges: [FieldRange]

        init(parts: Parts, bytes: ByteBuffer, ranges: [FieldRange]) {
            self.parts = parts
            self.bytes = bytes
            self.ranges = ranges
        }
    }

    /// What a head says besides its fields.
    public struct Parts: Sendable {
        public var method: Method
        public var version: HTTPVersion
        public var target: ByteRange
        public var rawPath: ByteRange
        public var rawQuery: ByteRange?
        public var authority: ByteRange?
        public var framing: BodyFraming
        public var isKeepAlive: Bool
        public var expectsContinue: Bool
        public var asksForUpgrade: Bool

        public init(
            method: Method, version: HTTPVersion, target: ByteRange, rawPath: ByteRange, rawQuery: ByteRange?,
            authority: ByteRange?, framing: BodyFraming, isKeepAlive: Bool, expectsContinue: Bool,
            asksForUpgrade: Bool = false
        ) {
            self.method = method
            self.version = version
            self.target = target
            self.rawPath = rawPath
            self.rawQuery = rawQuery
            self.authority = authority
            self.framing = framing
            self.isKeepAlive = isKeepAlive
            self.expectsContinue = expectsContinue
            self.asksForUpgrade = asksForUpgrade
        }
    }

    /// A head of these parts, whose ranges are of `bytes`.
    public init(_ parts: Parts, fields: [FieldRange], bytes: ByteBuffer) {
        storage = Storage(parts: parts, bytes: bytes, ranges: fields)
    }

    /// Makes this another head; `fields` gets the memory of the old one's, emptied. False, and nothing is changed, when
    /// somebody else holds this head.
    public mutating func replace(with parts: Parts, fields: inout [FieldRange], bytes: ByteBuffer) -> Bool {
        guard isKnownUniquelyReferenced(&storage) else { return false }
        storage.parts = parts
        storage.bytes = bytes
        swap(&storage.ranges, &fields)
        if !fields.isEmpty { fields.removeAll(keepingCapacity: true) }
        return true
    }

    /// Gives its memory for field ranges to `fields`, which is empty, if nobody else holds this head.
    public mutating func releaseFields(to fields: inout [FieldRange]) {
        guard isKnownUniquelyReferenced(&storage) else { return }
        swap(&storage.ranges, &fields)
        fields.removeAll(keepingCapacity: true)
    }

    /// Lets go of ``bytes``, for a head that is kept only for its memory. False, and nothing is changed, when somebody
    /// else holds this head.
    public mutating func releaseBytes() -> Bool {
        guard isKnownUniquelyReferenced(&storage) else { return false }
        storage.bytes = ByteBuffer()
        return true
    }

    /// The head's bytes, from the first of the method; they may go on past the head.
    @inlinable public var bytes: ByteBuffer { storage.bytes }
    @inlinable public var method: Method { storage.parts.method }
    @inlinable public var version: HTTPVersion { storage.parts.version }
    /// The request target as it was sent (RFC 9112 §3.2).
    @inlinable public var target: ByteRange { storage.parts.target }
    /// The target's path, still percent-encoded; empty for `OPTIONS *`.
    @inlinable public var rawPath: ByteRange { storage.parts.rawPath }
    /// What follows the `?`, or nil without one.
    @inlinable public var rawQuery: ByteRange? { storage.parts.rawQuery }
    /// The authority the request is for: of an absolute target, else the value of `Host`; nil only in HTTP/1.0.
    @inlinable public var authority: ByteRange? { storage.parts.authority }
    /// The header fields in the order they came.
    @inlinable public var fields: RequestFields { RequestFields(storage) }
    @inlinable public var framing: BodyFraming { storage.parts.framing }
    /// Whether the client lets the connection stay open after this exchange.
    @inlinable public var isKeepAlive: Bool { storage.parts.isKeepAlive }
    /// Whether the client waits for `100 Continue` before it sends the body (RFC 9110 §10.1.1).
    @inlinable public var expectsContinue: Bool { storage.parts.expectsContinue }
    /// Whether there is an `Upgrade` field (RFC 9110 §7.8).
    @inlinable public var asksForUpgrade: Bool { storage.parts.asksForUpgrade }

    /// Calls `body` with ``bytes``, without copying the head.
    @inlinable
    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try storage.bytes.withUnsafeReadableBytes(body)
    }

    /// The bytes of `range` as text, bytes that are not UTF-8 replaced.
    public func string(_ range: ByteRange) -> String { bytes.string(range) }

    /// The authority's host without port, in lower case; nil without an authority.
    public var host: String? {
        guard let authority else { return nil }
        let text = string(authority)
        if text.utf8.first == UInt8(ascii: "[") {
            return text.firstIndex(of: "]").map { text[...$0].lowercased() } ?? text.lowercased()
        }
        return text.prefix { $0 != ":" }.lowercased()
    }

    /// Whether the client takes trailer fields (`TE: trailers`, RFC 9110 §10.1.4).
    public var acceptsTrailers: Bool {
        fields.values("TE").contains { list in
            list.split(separator: ",").contains { element in
                element.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }.lowercased() == "trailers"
            }
        }
    }

    /// This head without the fields of these names: for whoever must not know what the client could do with the answer.
    public func without(_ names: [StaticString]) -> RequestHead {
        let all = fields
        let kept = all.ranges.filter { range in !names.contains { all.isNamed(range, $0) } }
        return RequestHead(storage.parts, fields: kept, bytes: bytes)
    }

    /// The raw query, or the empty string.
    public var query: String { rawQuery.map(string) ?? "" }
}

/// Where one field stands in the head.
public struct FieldRange: Sendable, Equatable {
    public var name: ByteRange
    public var value: ByteRange

    public init(name: ByteRange, value: ByteRange) {
        self.name = name
        self.value = value
    }
}

/// A request's header fields: a view, compared without case.
public struct RequestFields: Sendable {
    @usableFromInline let storage: RequestHead.Storage

    @inlinable
    init(_ storage: RequestHead.Storage) { self.storage = storage }

    /// Where each field stands.
    @inlinable public var ranges: [FieldRange] { storage.ranges }

    /// The number of field lines.
    @inlinable public var count: Int { storage.ranges.count }

    private var bytes: ByteBuffer { storage.bytes }

    /// The value of the first field of this name, bytes that are not UTF-8 replaced.
    public subscript(name: StaticString) -> String? {
        first(name).map { bytes.string($0) }
    }

    /// The value of every field of this name, in order.
    public func values(_ name: String) -> [String] {
        ranges.lazy.filter { matches($0.name, name.utf8) }.map { bytes.string($0.value) }
    }

    /// The values of every field of this name joined by `, ` (RFC 9110 §5.3), or nil without any.
    public func joined(_ name: String) -> String? {
        let values = values(name)
        return values.isEmpty ? nil : values.joined(separator: ", ")
    }

    /// Where the value of the first field of this name stands.
    public func first(_ name: StaticString) -> ByteRange? {
        name.withUTF8Buffer { wanted in ranges.first { matches($0.name, wanted) }?.value }
    }

    /// Names and values as text, in order.
    public var pairs: [(name: String, value: String)] {
        ranges.map { (bytes.string($0.name), bytes.string($0.value)) }
    }

    func isNamed(_ field: FieldRange, _ name: StaticString) -> Bool {
        name.withUTF8Buffer { matches(field.name, $0) }
    }

    private func matches(_ range: ByteRange, _ name: some Collection<UInt8>) -> Bool {
        guard Int(range.count) == name.count else { return false }
        return storage.bytes.withUnsafeReadableBytes { head in
            var index = Int(range.start)
            for byte in name {
                if Token.lower(head[index]) != Token.lower(byte) { return false }
                index += 1
            }
            return true
        }
    }
}

extension ByteBuffer {
    func string(_ range: ByteRange) -> String {
        getString(at: readerIndex + Int(range.start), length: Int(range.count)) ?? ""
    }
}

extension RequestHead {
    /// A head made from its parts, for clients in memory and tests: `target` in origin form, `Host` added when absent.
    public init(
        _ method: Method = .get, _ target: String, fields: [(String, String)] = [], version: HTTPVersion = .http11,
        framing: BodyFraming = .none
    ) {
        var bytes = ByteBuffer()
        func write(_ text: String) -> ByteRange {
            let start = bytes.writerIndex
            bytes.writeString(text)
            return ByteRange(start: start, count: bytes.writerIndex - start)
        }
        let methodRange = write(method.name)
        bytes.writeString(" ")
        let targetRange = write(target)
        bytes.writeString(" \(version.name)\r\n")
        var ranges: [FieldRange] = []
        var all = fields
        if !fields.contains(where: { $0.0.lowercased() == "host" }) { all.insert(("Host", "localhost"), at: 0) }
        for (name, value) in all {
            let nameRange = write(name)
            bytes.writeString(": ")
            ranges.append(FieldRange(name: nameRange, value: write(value)))
            bytes.writeString("\r\n")
        }
        bytes.writeString("\r\n")
        let start = Int(methodRange.count) + 1
        let path = target.utf8.prefix { $0 != UInt8(ascii: "?") }.count
        let hasQuery = path < target.utf8.count
        self.init(
            Parts(
                method: method, version: version, target: targetRange, rawPath: ByteRange(start: start, count: path),
                rawQuery: hasQuery ? ByteRange(start: start + path + 1, count: target.utf8.count - path - 1) : nil,
                authority: all.indices.first { all[$0].0.lowercased() == "host" }.map { ranges[$0].value },
                framing: framing, isKeepAlive: version == .http11, expectsContinue: false,
                asksForUpgrade: all.contains { $0.0.lowercased() == "upgrade" }),
            fields: ranges, bytes: bytes)
    }
}
