/// Forms of text that have no type of their own.
enum TextForm: Sendable {
    case siteName, settingName, headerName, headerValue, mediaType, host, allowedHost, route, urlPath, pythonTarget
    case requestTarget, redirectTarget, cache, fileName, account, fileMode, programName, variableName, probeURL
    case probeAddress, checkID, method, fieldName, token, statuses, adminAddress, editorURL

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
        case .requestTarget: "a path that begins with '/', with or without a query"
        case .pythonTarget: "module:callable"
        case .redirectTarget: "a path that begins with '/' or a URL with http:// or https://"
        case .cache: "a duration (such as 1y) or the text of a Cache-Control header"
        case .fileName: "a file's name without '/'"
        case .account: "a name or a number of the password database"
        case .fileMode: "permissions in octal, from 0 to 0777 (such as 0660)"
        case .programName: "a program's name (letters, digits, - and _)"
        case .variableName: "the name of an environment variable"
        case .probeURL: "a URL such as http://127.0.0.1:8080/health"
        case .probeAddress: "an address to connect to (host:port or unix:/path)"
        case .method: "a request method in capitals, such as POST"
        case .checkID: "the id of a check, such as deploy.W003"
        case .fieldName: "a field's name"
        case .token: "a header's name"
        case .statuses: "a status (404) or a class of them (1xx to 5xx)"
        case .adminAddress: "an address that names its host (127.0.0.1:9000, [::1]:9000, unix:/path or unix:@name)"
        case .editorURL: "a URL with {file} in it"
        }
    }

    func accepts(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        switch self {
        case .siteName, .settingName, .programName:
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
        case .requestTarget:
            return bytes.first == UInt8(ascii: "/")
                && bytes.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "#") }
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
        case .adminAddress:
            switch ListenAddress(parsing: text) {
            case .tcp(let host, _): return host != nil
            case .unix: return true
            case .inherited, nil: return false
            }
        case .editorURL: return text.contains("{file}") && text.contains(":") && Self.isHeaderValue(bytes)
        case .fileName:
            return !bytes.isEmpty && text != "." && text != ".."
                && !bytes.contains { $0 == UInt8(ascii: "/") || $0 == 0 }
        case .account:
            // No user is called by what would be a path, an option or two names; the number -1 means "unchanged".
            let isName = bytes.allSatisfy { Self.isNameByte($0) || $0 == 0x2E || $0 == 0x24 } && bytes.first != 0x2D
            return !bytes.isEmpty && bytes.count <= 256 && isName
                && (!bytes.allSatisfy(Self.isDigit) || UInt32(text).map { $0 < .max } ?? false)
        case .fileMode:
            let digits = text.hasPrefix("0o") ? bytes.dropFirst(2) : bytes[...]
            return (1...4).contains(digits.count) && digits.allSatisfy { (0x30...0x37).contains($0) }
                && Int(String(decoding: digits, as: UTF8.self), radix: 8).map { $0 <= 0o777 } ?? false
        case .variableName:
            return !bytes.isEmpty && !bytes.contains { $0 == UInt8(ascii: "=") || $0 == 0 }
        case .probeURL:
            guard text.hasPrefix("http://") else { return false }
            let authority = text.dropFirst(7).prefix { $0 != "/" }
            return !authority.isEmpty && !authority.contains("@") && bytes.allSatisfy { $0 > 0x20 && $0 != 0x7F }
        case .probeAddress:
            switch ListenAddress(parsing: text) {
            case .tcp(_, let port): return port > 0
            case .unix: return true
            case .inherited, nil: return false
            }
        case .method:
            return !bytes.isEmpty && bytes.count <= 32
                && bytes.allSatisfy { Self.isLetter($0) && $0 < 0x61 || $0 == 0x2D }
        case .checkID:
            let parts = text.split(separator: ".", omittingEmptySubsequences: false)
            return parts.count == 2 && parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(Self.isNameByte) }
        case .fieldName:
            return !bytes.isEmpty
        case .token:
            return !bytes.isEmpty && bytes.count <= 256 && bytes.allSatisfy(Self.isTokenByte)
        case .statuses: return StatusSet(text) != nil
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
