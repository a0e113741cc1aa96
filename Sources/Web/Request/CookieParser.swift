/// Reads the `Cookie` field (RFC 6265 §5.4), as leniently as browsers and Django do.
enum CookieParser {
    /// Names and values. Where a name comes twice the first counts: browsers send the most specific path first.
    static func parse(_ field: String) -> [String: String] {
        var cookies: [String: String] = [:]
        for part in field.utf8.split(separator: UInt8(ascii: ";")) {
            let pair = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else { continue }
            let name = String(Substring(trim(pair[0])))
            var value = trim(pair[1])
            if value.count >= 2, value.first == 0x22, value.last == 0x22 { value = value.dropFirst().dropLast() }
            if !name.isEmpty, cookies[name] == nil { cookies[name] = String(Substring(value)) }
        }
        return cookies
    }

    private static func trim(_ bytes: Substring.UTF8View) -> Substring.UTF8View {
        var bytes = bytes
        while let first = bytes.first, first == 0x20 || first == 0x09 { bytes.removeFirst() }
        while let last = bytes.last, last == 0x20 || last == 0x09 { bytes.removeLast() }
        return bytes
    }
}
