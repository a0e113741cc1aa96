/// The path of a request as routes and files see it: percent-decoded once, slashes merged, `.` and `..` resolved.
public enum NormalizedPath: Sendable, Equatable {
    /// The path stood that way already; nothing had to be copied.
    case unchanged
    /// The bytes after normalisation; not necessarily UTF-8.
    case changed([UInt8])
    /// Not a path to serve: not absolute, a broken escape, a NUL, or `..` above the root. Answered by 400.
    case invalid

    /// Normalises the raw path of a request target. An empty path is `/` (RFC 9110 §4.2.3).
    public init(_ raw: UnsafeRawBufferPointer) {
        guard let first = raw.first else {
            self = .changed([0x2F])
            return
        }
        guard first == 0x2F else {
            self = .invalid
            return
        }
        var previous: UInt8 = 0
        var isPlain = true
        for byte in raw {
            // A segment that starts with a dot may be an ordinary name; the slow way finds out.
            if byte == 0x25 || byte == 0 || (previous == 0x2F && (byte == 0x2F || byte == 0x2E)) {
                isPlain = false
                break
            }
            previous = byte
        }
        if isPlain {
            self = .unchanged
            return
        }
        guard let decoded = PercentCoding.decode(raw), !decoded.contains(0), let path = Self.resolved(decoded) else {
            self = .invalid
            return
        }
        self = path.count == raw.count && path.elementsEqual(raw) ? .unchanged : .changed(path)
    }

    /// As ``init(_:)``, of a string.
    public init(_ raw: String) {
        var copy = raw
        self = copy.withUTF8 { NormalizedPath(UnsafeRawBufferPointer($0)) }
    }

    /// `path` without empty and dot segments; nil when `..` leads above the root. A path that ends in a dot segment
    /// names a directory and keeps its last slash (RFC 3986 §5.2.4).
    private static func resolved(_ path: [UInt8]) -> [UInt8]? {
        var result: [UInt8] = []
        result.reserveCapacity(path.count)
        var position = 0
        while position < path.count {
            // At a slash: find the segment behind it.
            var end = position + 1
            while end < path.count, path[end] != 0x2F { end += 1 }
            let segment = path[(position + 1)..<end]
            let isLast = end == path.count
            if segment.isEmpty || segment.elementsEqual([0x2E]) {
                if isLast { result.append(0x2F) }
            } else if segment.elementsEqual([0x2E, 0x2E]) {
                guard let slash = result.lastIndex(of: 0x2F) else { return nil }
                result.removeSubrange(slash...)
                if isLast { result.append(0x2F) }
            } else {
                result.append(contentsOf: path[position..<end])
            }
            position = end
        }
        return result
    }
}
