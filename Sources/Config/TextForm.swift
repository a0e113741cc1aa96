/// Forms of text that have no type of their own.
enum TextForm: Sendable {
    case siteName, settingName, headerName, headerValue, mediaType, host, allowedHost, route, urlPath, pythonTarget
    case redirectTarget, cache, fileName

    var expected: String {
        switch self {
        case .siteName: "a site's name (letters, digits, - and _)"
        case .settingName: "a setting's name"
        case .headerName:
            "a header's name (not Connection, Content-Length or Transfer-Encoding, which the server writes)"
        case .headerValue: "text without control characters"
        case .mediaType: "a media type (type/subtype or type/*)"
        case .host: "a host name (example.org or *.example.org)"
        case .allowedHost: "a host name (example.org, .example.org or *)"
        case .route: "a path that begins with '/', '=/' or '~'"
        case .urlPath: "a path that begins with '/'"
        case .pythonTarget: "module:callable"
        case .redirectTarget: "a path that begins with '/' or a URL with http:// or https://"
        case .cache: "a duration (such as 1y) or the text of a Cache-Control header"
        case .fileName: "a file's name without '/'"
        }
    }

    var words: [String] { [] }

    func accepts(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        switch self {
        case .siteName, .settingName:
            return bytes.first.map(Self.isLetter) == true && bytes.count <= 64 && bytes.allSatisfy(Self.isNameByte)
        case .headerName:
            return !bytes.isEmpty && bytes.count <= 256 && bytes.allSatisfy(Self.isTokenByte)
                && !Self.framing.contains(text.lowercased())
        case .headerValue:
            return Self.isHeaderValue(bytes)
        case .mediaType:
            let parts = bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            return parts.count == 2 && parts.allSatisfy { !$0.isEmpty && $0.allSatisfy(Self.isTokenByte) }
        case .host:
            return Self.isHost(text.hasPrefix("*.") ? text.dropFirst(2) : text[...])
        case .allowedHost:
            return text == "*" || Self.isHost(text.hasPrefix(".") ? text.dropFirst() : text[...])
        case .route:
            if text.hasPrefix("~") { return bytes.count > 1 }
            return Self.isURLPath(text.hasPrefix("=") ? bytes.dropFirst() : bytes[...])
        case .urlPath:
            return Self.isURLPath(bytes[...])
        case .pythonTarget:
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2 else { return false }
            // `make_app()` is called for the application.
            let callable = parts[1].hasSuffix("()") ? parts[1].dropLast(2) : parts[1]
            return [parts[0], callable].allSatisfy { part in
                part.split(separator: ".", omittingEmptySubsequences: false).allSatisfy(Self.isIdentifier)
            }
        case .redirectTarget:
            let rest =
                text.hasPrefix("https://") ? text.dropFirst(8) : text.hasPrefix("http://") ? text.dropFirst(7) : nil
            if let rest, !rest.isEmpty, rest.first != "/" { return bytes.allSatisfy { $0 > 0x20 && $0 != 0x7F } }
            return bytes.first == UInt8(ascii: "/") && bytes.allSatisfy { $0 > 0x20 && $0 != 0x7F }
        case .cache:
            if bytes.first.map({ (0x30...0x39).contains($0) }) == true {
                return Duration(configurationText: text) != nil
            }
            return !bytes.isEmpty && Self.isHeaderValue(bytes)
        case .fileName:
            return !bytes.isEmpty && text != "." && text != ".."
                && !bytes.contains { $0 == UInt8(ascii: "/") || $0 == 0 }
        }
    }

    /// What says where a message ends (RFC 9112 §6) is not for a configuration to change.
    private static let framing: Set = ["connection", "content-length", "transfer-encoding"]

    private static func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte & 0xDF) }
    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        isLetter(byte) || isDigit(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }

    /// RFC 9110 §5.6.2.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        isLetter(byte) || isDigit(byte) || "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }

    /// RFC 9110 §5.5, without space at the ends.
    private static func isHeaderValue(_ bytes: [UInt8]) -> Bool {
        bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 } && bytes.first != 0x20 && bytes.last != 0x20
    }

    private static func isHost(_ text: Substring) -> Bool {
        if text.hasPrefix("["), text.hasSuffix("]") {
            return text.dropFirst().dropLast().utf8.allSatisfy {
                $0 == UInt8(ascii: ":") || isNameByte($0) || $0 == 0x2E
            }
        }
        return text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            !label.isEmpty && label.utf8.count <= 63 && label.utf8.allSatisfy(isNameByte)
        }
    }

    private static func isURLPath(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.first == UInt8(ascii: "/")
            && bytes.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
    }

    private static func isIdentifier(_ text: Substring) -> Bool {
        guard let first = text.unicodeScalars.first else { return false }
        return (first == "_" || first.properties.isXIDStart)
            && text.unicodeScalars.dropFirst().allSatisfy { $0.properties.isXIDContinue }
    }
}
