/// The validator of one representation (RFC 9110 §8.8.3).
public struct EntityTag: Sendable, Hashable, CustomStringConvertible {
    /// What stands between the quotes.
    public let opaque: String
    /// Whether it promises only an equivalent representation, not the same bytes.
    public let isWeak: Bool

    /// A tag from characters the program vouches for: no quotes, spaces or control characters.
    public init(_ opaque: String, isWeak: Bool = false) {
        self.opaque = opaque
        self.isWeak = isWeak
    }

    /// The one tag that `text` consists of; nil when it is malformed.
    public init?(parsing text: some StringProtocol) {
        var rest = Substring(text)
        guard let tag = EntityTag(consuming: &rest), rest.isEmpty else { return nil }
        self = tag
    }

    /// As it stands in a field: `"x"` or `W/"x"`.
    public var description: String { isWeak ? "W/\"\(opaque)\"" : "\"\(opaque)\"" }

    /// This tag as a weak one.
    public var weakened: EntityTag { EntityTag(opaque, isWeak: true) }

    /// Strong comparison (RFC 9110 §8.8.3.2): for `If-Match`, `If-Range` and ranges.
    public func matchesStrongly(_ other: EntityTag) -> Bool { !isWeak && !other.isWeak && opaque == other.opaque }

    /// Weak comparison (RFC 9110 §8.8.3.2): for `If-None-Match`.
    public func matchesWeakly(_ other: EntityTag) -> Bool { opaque == other.opaque }

    /// Takes a tag off the front of `text`.
    init?(consuming text: inout Substring) {
        var rest = text.utf8
        let isWeak = rest.starts(with: "W/".utf8)
        if isWeak { rest = rest.dropFirst(2) }
        guard rest.popFirst() == UInt8(ascii: "\""), let end = rest.firstIndex(of: UInt8(ascii: "\"")) else {
            return nil
        }
        // etagc = %x21 / %x23-7E / obs-text
        guard rest[..<end].allSatisfy({ $0 >= 0x21 && $0 != 0x7F }) else { return nil }
        opaque = String(Substring(rest[..<end]))
        self.isWeak = isWeak
        text = Substring(rest[rest.index(after: end)...])
    }
}

/// The value of `If-Match` or `If-None-Match` (RFC 9110 §13.1.1, §13.1.2).
public enum EntityTagCondition: Sendable, Equatable {
    /// `*`: any current representation.
    case any
    /// One of these.
    case tags([EntityTag])

    /// Reads a field value. What follows a malformed tag is left out, so that a broken list never matches more than it
    /// names.
    public init(parsing text: some StringProtocol) {
        var rest = Substring(text)
        func skip(_ characters: Set<UInt8>) {
            rest = Substring(rest.utf8.drop { characters.contains($0) })
        }
        skip([0x20, 0x09])
        if rest.utf8.first == UInt8(ascii: "*") {
            rest = Substring(rest.utf8.dropFirst())
            skip([0x20, 0x09])
            self = rest.isEmpty ? .any : .tags([])
            return
        }
        var tags: [EntityTag] = []
        while true {
            skip([0x20, 0x09, 0x2C])
            guard !rest.isEmpty, let tag = EntityTag(consuming: &rest) else { break }
            skip([0x20, 0x09])
            tags.append(tag)
            guard rest.isEmpty || rest.utf8.first == UInt8(ascii: ",") else { break }
        }
        self = .tags(tags)
    }

    /// Whether one of the tags is `tag` by strong comparison.
    public func matchesStrongly(_ tag: EntityTag) -> Bool {
        switch self {
        case .any: true
        case .tags(let tags): tags.contains { $0.matchesStrongly(tag) }
        }
    }

    /// Whether one of the tags is `tag` by weak comparison.
    public func matchesWeakly(_ tag: EntityTag) -> Bool {
        switch self {
        case .any: true
        case .tags(let tags): tags.contains { $0.matchesWeakly(tag) }
        }
    }
}
