/// The lines of ``Fields/wire`` in order, looked at in place.
package struct FieldLines: Sequence, IteratorProtocol {
    /// One field.
    package struct Line {
        package let name: UnsafeRawBufferPointer
        package let value: UnsafeRawBufferPointer
        /// Where the line stands, with its line end.
        package let range: Range<Int>
    }

    private let wire: UnsafeRawBufferPointer
    private var position = 0

    package init(_ wire: UnsafeRawBufferPointer) { self.wire = wire }

    package mutating func next() -> Line? {
        let start = position
        var colon = start
        while colon < wire.count, wire[colon] != 0x3A { colon += 1 }
        var feed = colon
        while feed < wire.count, wire[feed] != 0x0A { feed += 1 }
        // `name: value CR LF` is what ``Fields`` writes, and nothing else.
        guard feed < wire.count, feed >= colon + 3 else { return nil }
        position = feed + 1
        return Line(
            name: UnsafeRawBufferPointer(rebasing: wire[start..<colon]),
            value: UnsafeRawBufferPointer(rebasing: wire[(colon + 2)..<(feed - 1)]), range: start..<position)
    }
}

extension UnsafeRawBufferPointer {
    /// Whether these bytes are `text` (given in lower case), compared without case.
    @inlinable
    package func equals(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        let wanted = text.utf8Start
        for index in 0..<count where Token.lower(self[index]) != wanted[index] { return false }
        return true
    }

    /// Whether `text` stands somewhere in these bytes, compared without case. Empty text does not.
    package func contains(_ text: StaticString) -> Bool {
        let length = text.utf8CodeUnitCount
        guard length > 0, count >= length else { return false }
        for start in 0...(count - length)
        where UnsafeRawBufferPointer(rebasing: self[start..<(start + length)]).equals(text) {
            return true
        }
        return false
    }

    /// Whether these bytes are `name`, compared without case.
    func equals(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        guard count == name.count else { return false }
        for index in 0..<count where Token.lower(self[index]) != Token.lower(name[index]) { return false }
        return true
    }
}
