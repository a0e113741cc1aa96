/// Names and values in insertion order. Small maps (nearly all of them) are searched in line, which is faster than hashing;
/// larger ones carry an index.
public struct TemplateMap: Sendable, ExpressibleByDictionaryLiteral {
    struct Entry: Sendable {
        let key: String
        var value: TemplateValue
    }

    private(set) var entries: [Entry] = []
    private var index: [String: Int]?
    private static let indexedFrom = 12

    public init() {}

    /// A later pair replaces an earlier one with the same key, keeping its place.
    public init(_ pairs: some Sequence<(String, TemplateValue)>) {
        for (key, value) in pairs { self[key] = value }
    }

    public init(dictionaryLiteral elements: (String, TemplateValue)...) { self.init(elements) }

    public var count: Int { entries.count }
    public var isEmpty: Bool { entries.isEmpty }
    public var keys: [String] { entries.map(\.key) }
    public var values: [TemplateValue] { entries.map(\.value) }

    /// Setting `nil` removes the key.
    public subscript(key: String) -> TemplateValue? {
        get { position(of: key).map { entries[$0].value } }
        set {
            let found = position(of: key)
            switch (found, newValue) {
            case (let found?, let value?):
                entries[found].value = value
            case (let found?, nil):
                entries.remove(at: found)
                reindex()
            case (nil, let value?):
                entries.append(Entry(key: key, value: value))
                if index != nil {
                    index?[key] = entries.count - 1
                } else if entries.count >= Self.indexedFrom {
                    reindex()
                }
            case (nil, nil):
                break
            }
        }
    }

    private func position(of key: String) -> Int? {
        if let index { return index[key] }
        for position in entries.indices where entries[position].key == key { return position }
        return nil
    }

    private mutating func reindex() {
        guard entries.count >= Self.indexedFrom else {
            index = nil
            return
        }
        var fresh: [String: Int] = [:]
        fresh.reserveCapacity(entries.count)
        for (position, entry) in entries.enumerated() { fresh[entry.key] = position }
        index = fresh
    }
}
