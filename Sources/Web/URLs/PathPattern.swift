import FoundationEssentials

/// A path pattern, compiled to literal bytes and converters.
struct PathPattern: Sendable {
    /// How a value is found.
    enum Converter: Sendable {
        case int, str, slug, uuid, path
        case custom(any PathConverter)
    }

    enum Element: Sendable {
        case literal([UInt8])
        case parameter(Converter)
    }

    /// Why a pattern cannot be compiled.
    enum Invalid: Error, Equatable {
        case unclosed
        case emptyName
        case invalidName(String)
        case unknownConverter(String, known: [String])
        case duplicateName(String)
    }

    let source: String
    let elements: [Element]
    let parameterNames: [String]
    /// The converters' names as written, for the checks and listings.
    let converterNames: [String]

    init(_ source: String, converters: [String: any PathConverter] = [:]) throws(Invalid) {
        var elements: [Element] = []
        var names: [String] = []
        var kinds: [String] = []
        var rest = Substring(source)
        while let open = rest.firstIndex(of: "<") {
            if open > rest.startIndex { elements.append(.literal(Array(rest[..<open].utf8))) }
            guard let close = rest[open...].firstIndex(of: ">") else { throw .unclosed }
            let inner = rest[rest.index(after: open)..<close]
            let parts = inner.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let kind = parts.count == 2 ? String(parts[0]) : "str"
            let name = String(parts[parts.count - 1])
            guard !name.isEmpty else { throw .emptyName }
            guard name.utf8.allSatisfy(Self.isNameByte), !("0"..."9").contains(name.prefix(1)) else {
                throw .invalidName(name)
            }
            guard !names.contains(name) else { throw .duplicateName(name) }
            elements.append(.parameter(try Self.converter(kind, converters)))
            names.append(name)
            kinds.append(kind)
            rest = rest[rest.index(after: close)...]
        }
        if !rest.isEmpty { elements.append(.literal(Array(rest.utf8))) }
        self.source = source
        self.elements = elements
        parameterNames = names
        converterNames = kinds
    }

    private static func converter(
        _ name: String, _ own: [String: any PathConverter]
    ) throws(Invalid) -> Converter {
        if let custom = own[name] { return .custom(custom) }
        switch name {
        case "int": return .int
        case "str": return .str
        case "slug": return .slug
        case "uuid": return .uuid
        case "path": return .path
        default:
            throw .unknownConverter(name, known: ["int", "path", "slug", "str", "uuid"] + own.keys.sorted())
        }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool { isSlugByte(byte) && byte != 0x2D }

    /// `[-a-zA-Z0-9_]`
    private static func isSlugByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: true
        default: false
        }
    }
}

extension PathPattern {
    /// The values of `path` (no leading slash) when the whole of it matches.
    func match(_ path: UnsafeBufferPointer<UInt8>) -> [PathValue]? {
        // Most tables are mostly literals: those are decided without touching an array.
        if case .literal(let first)? = elements.first {
            guard Self.hasBytes(first, path, at: 0) else { return nil }
            if elements.count == 1 { return first.count == path.count ? [] : nil }
        } else if elements.isEmpty {
            return path.isEmpty ? [] : nil
        }
        var values: [PathValue] = []
        values.reserveCapacity(parameterNames.count)
        return match(path, from: 0, element: 0, &values) ? values : nil
    }

    private func match(
        _ path: UnsafeBufferPointer<UInt8>, from start: Int, element index: Int, _ values: inout [PathValue]
    ) -> Bool {
        guard index < elements.count else { return start == path.count }
        switch elements[index] {
        case .literal(let bytes):
            return Self.hasBytes(bytes, path, at: start)
                && match(path, from: start + bytes.count, element: index + 1, &values)
        case .parameter(let converter):
            // The longest run first, then shorter ones, as a greedy expression would.
            var end = Self.run(converter, path, from: start)
            if index == elements.count - 1 && end < path.count { return false }
            while end > start {
                let piece = UnsafeBufferPointer(rebasing: path[start..<end])
                if let value = Self.value(converter, piece) {
                    values.append(value)
                    if match(path, from: end, element: index + 1, &values) { return true }
                    values.removeLast()
                }
                end -= 1
            }
            return false
        }
    }

    @inline(__always)
    private static func hasBytes(_ bytes: [UInt8], _ path: UnsafeBufferPointer<UInt8>, at start: Int) -> Bool {
        guard path.count - start >= bytes.count else { return false }
        for index in 0..<bytes.count where path[start + index] != bytes[index] { return false }
        return true
    }

    /// Where the longest run of bytes this converter may take ends.
    private static func run(_ converter: Converter, _ path: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        var end = start
        switch converter {
        case .int: while end < path.count, path[end] &- 0x30 < 10 { end += 1 }
        case .slug: while end < path.count, isSlugByte(path[end]) { end += 1 }
        case .str, .custom: while end < path.count, path[end] != 0x2F { end += 1 }
        case .uuid: end = min(start + 36, path.count)
        case .path: end = path.count
        }
        return end
    }

    private static func value(_ converter: Converter, _ piece: UnsafeBufferPointer<UInt8>) -> PathValue? {
        switch converter {
        case .int:
            // A number too large for an id names nothing.
            return Int(String(decoding: piece, as: UTF8.self)).map(PathValue.int)
        case .str, .slug, .path: return .string(String(decoding: piece, as: UTF8.self))
        case .uuid:
            let text = String(decoding: piece, as: UTF8.self)
            // As Django: the canonical form in lower case, so that each page has one URL.
            guard piece.count == 36, text == text.lowercased() else { return nil }
            return UUID(uuidString: text).map(PathValue.uuid)
        case .custom(let converter): return converter.value(of: String(decoding: piece, as: UTF8.self))
        }
    }

    /// The path with `values` put in, percent-encoded; nil when one of them does not fit its converter.
    func text(_ values: [PathValue]) -> String? {
        guard values.count == parameterNames.count else { return nil }
        var text = ""
        var next = values.makeIterator()
        for element in elements {
            switch element {
            case .literal(let bytes): text += PercentCoding.encodePath(bytes)
            case .parameter(let converter):
                guard let value = next.next(), let piece = Self.text(converter, value) else { return nil }
                text += PercentCoding.encodePath(piece)
            }
        }
        return text
    }

    private static func text(_ converter: Converter, _ value: PathValue) -> String? {
        if case .custom(let own) = converter { return own.text(for: value) }
        var text = value.description
        return text.withUTF8 { bytes in
            !bytes.isEmpty && run(converter, bytes, from: 0) == bytes.count && Self.value(converter, bytes) != nil
        } ? text : nil
    }
}
