import HTTP

/// The hosts a route is for.
struct HostPattern: Sendable, Hashable {
    /// In lower case; behind the `*` for a wildcard.
    let name: [UInt8]
    let isWildcard: Bool

    /// Reads `example.org`, `[::1]` or `*.example.org`; nil when it is neither.
    init?(_ text: String) {
        isWildcard = text.hasPrefix("*.")
        let bytes = (isWildcard ? text.dropFirst(2) : text[...]).utf8.map(Token.lower)
        guard !bytes.isEmpty, !bytes.contains(0x2A), !bytes.contains(0x2F), !bytes.contains(0x20),
            bytes.first == UInt8(ascii: "[") || !bytes.contains(0x3A)
        else { return nil }
        name = bytes
    }

    /// Whether `host`, without port and in any case, is one of them. A wildcard stands for one or more labels.
    func matches(_ host: UnsafeRawBufferPointer) -> Bool {
        let surplus = host.count - name.count
        guard isWildcard ? surplus >= 2 && host[surplus - 1] == 0x2E : surplus == 0 else { return false }
        for index in 0..<name.count where Token.lower(host[surplus + index]) != name[index] { return false }
        return true
    }

    /// The host in an authority: without port and without the dot that ends an absolute name.
    static func host(of authority: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var end = authority.count
        if authority.first == UInt8(ascii: "[") {
            end = authority.firstIndex(of: UInt8(ascii: "]")).map { $0 + 1 } ?? end
        } else if let colon = authority.firstIndex(of: 0x3A) {
            end = colon
        }
        if end > 1, authority[end - 1] == 0x2E { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: authority[..<end])
    }
}
