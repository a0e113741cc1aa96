/// A shell pattern over the parts of a path, as in gitignore(5): `*` and `?` stay within a part, `**` is any number of
/// parts, `[a-z]` a set, and a backslash takes the next character as it is.
struct GlobPattern: Sendable {
    private enum Part: Sendable {
        case anyNumber
        case literal([UInt8])
        case glob([UInt8])
    }

    private let parts: [Part]

    init(_ text: some StringProtocol) {
        parts = text.utf8.split(separator: UInt8(ascii: "/")).map { part in
            if part.elementsEqual("**".utf8) { return .anyNumber }
            return part.contains { "*?[\\".utf8.contains($0) } ? .glob(Array(part)) : .literal(Array(part))
        }
    }

    /// Whether the pattern matches all of `path`, which has no slash at its ends.
    func matches(_ path: some StringProtocol) -> Bool {
        Self.match(parts[...], path.utf8.split(separator: UInt8(ascii: "/")).map { Array($0) }[...])
    }

    private static func match(_ parts: ArraySlice<Part>, _ names: ArraySlice<[UInt8]>) -> Bool {
        guard let part = parts.first else { return names.isEmpty }
        let rest = parts.dropFirst()
        switch part {
        case .anyNumber:
            // At the end it is everything inside; before more, no part at all is enough.
            if rest.isEmpty { return !names.isEmpty }
            return (names.startIndex...names.endIndex).contains { match(rest, names[$0...]) }
        case .literal(let text): return names.first == text && match(rest, names.dropFirst())
        case .glob(let glob):
            guard let name = names.first else { return false }
            return match(glob[...], name[...]) && match(rest, names.dropFirst())
        }
    }

    /// Whether one part matches: with a way back to the last star alone, so that no pattern takes long.
    private static func match(_ glob: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>) -> Bool {
        var glob = glob
        var name = name
        var retry: (glob: ArraySlice<UInt8>, name: ArraySlice<UInt8>)?
        while true {
            if glob.first == UInt8(ascii: "*") {
                glob = glob.drop { $0 == UInt8(ascii: "*") }
                if glob.isEmpty { return true }
                retry = (glob, name)
                continue
            }
            if let byte = name.first, let rest = one(glob, byte) {
                glob = rest
                name = name.dropFirst()
            } else if name.isEmpty, glob.isEmpty {
                return true
            } else if let (retryGlob, retryName) = retry, !retryName.isEmpty {
                glob = retryGlob
                name = retryName.dropFirst()
                retry = (retryGlob, name)
            } else {
                return false
            }
        }
    }

    /// What of the pattern is left after it has matched `byte`; nil when it does not.
    private static func one(_ glob: ArraySlice<UInt8>, _ byte: UInt8) -> ArraySlice<UInt8>? {
        guard let first = glob.first else { return nil }
        let rest = glob.dropFirst()
        switch first {
        case UInt8(ascii: "?"): return rest
        case UInt8(ascii: "\\"): return rest.first == byte ? rest.dropFirst() : nil
        case UInt8(ascii: "["): return set(rest, byte)
        default: return first == byte ? rest : nil
        }
    }

    private static func set(_ glob: ArraySlice<UInt8>, _ byte: UInt8) -> ArraySlice<UInt8>? {
        var rest = glob
        let isNegated = rest.first == UInt8(ascii: "!") || rest.first == UInt8(ascii: "^")
        if isNegated { rest = rest.dropFirst() }
        var isFirst = true
        var isFound = false
        while let low = rest.first, low != UInt8(ascii: "]") || isFirst {
            isFirst = false
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "-"), let high = rest.dropFirst().first, high != UInt8(ascii: "]") {
                rest = rest.dropFirst(2)
                if low <= byte && byte <= high { isFound = true }
            } else if low == byte {
                isFound = true
            }
        }
        // Never closed: a pattern that matches nothing.
        guard rest.first == UInt8(ascii: "]") else { return nil }
        return isFound != isNegated ? rest.dropFirst() : nil
    }
}
