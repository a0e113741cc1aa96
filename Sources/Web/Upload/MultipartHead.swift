import HTTP

/// What the header of a part says.
struct MultipartHead: Equatable {
    /// The name of the form's field.
    let name: String
    /// The name of the file on the client's machine, as it was sent; nil when the part is no file.
    let fileName: String?
    let contentType: String?

    /// Reads the lines of a header; the first empty line is not among them.
    init(_ bytes: some Collection<UInt8>) throws(MultipartParser.Malformed) {
        var disposition: HeaderParameters?
        var contentType: String?
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\r\n") {
            guard let colon = line.firstIndex(of: ":") else {
                throw MultipartParser.Malformed(text: "a line in the header of a part is no field")
            }
            let value = line[line.index(after: colon)...].trimmed
            switch line[..<colon].lowercased() {
            case "content-disposition": disposition = HeaderParameters(value)
            case "content-type": contentType = value
            default: break
            }
        }
        guard let disposition, disposition.value == "form-data", let name = disposition["name"] else {
            throw MultipartParser.Malformed(text: "a part has no name")
        }
        self.name = Self.unescaped(name)
        fileName = (disposition.extended("filename") ?? disposition["filename"].map(Self.unescaped))
        self.contentType = contentType
    }

    /// Browsers write `"`, CR and LF as `%22`, `%0D` and `%0A`, and `%` as itself (HTML, multipart form data).
    private static func unescaped(_ text: String) -> String {
        text.contains("%")
            ? text.replacing("%22", with: "\"").replacing("%0D", with: "\r").replacing("%0A", with: "\n") : text
    }
}

/// A field's value with parameters: `form-data; name="a"; filename="b.txt"`.
struct HeaderParameters {
    /// What stands before the parameters, in lower case.
    let value: String
    private var parameters: [(name: String, value: String)] = []

    init(_ text: some StringProtocol) {
        var rest = Substring(text)
        value = rest.prefix { $0 != ";" }.trimmed.lowercased()
        rest = rest.drop { $0 != ";" }
        while rest.popFirst() != nil {
            let name = rest.prefix { $0 != "=" && $0 != ";" }
            rest = rest.dropFirst(name.count)
            guard rest.first == "=" else { continue }
            rest = rest.dropFirst().drop { $0 == " " || $0 == "\t" }
            var value = ""
            if rest.first == "\"" {
                rest = rest.dropFirst()
                Self.readQuoted(&rest, into: &value)
                rest = rest.drop { $0 != ";" }
            } else {
                let token = rest.prefix { $0 != ";" }
                rest = rest.dropFirst(token.count)
                value = token.trimmed
            }
            parameters.append((name.trimmed.lowercased(), value))
        }
    }

    /// A backslash keeps a quote or itself only: Windows paths come with theirs as they are.
    private static func readQuoted(_ rest: inout Substring, into value: inout String) {
        while let character = rest.popFirst() {
            if character == "\"" { return }
            if character == "\\", let next = rest.first, next == "\"" || next == "\\" {
                value.append(next)
                rest = rest.dropFirst()
            } else {
                value.append(character)
            }
        }
    }

    subscript(name: String) -> String? { parameters.first { $0.name == name }?.value }

    /// `filename*=UTF-8''na%C3%AFve.txt` (RFC 8187).
    func extended(_ name: String) -> String? {
        guard let text = self["\(name)*"] else { return nil }
        let parts = text.split(separator: "'", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].lowercased() == "utf-8" else { return nil }
        return PercentCoding.decodeLeniently(parts[2].utf8)
    }
}

extension StringProtocol {
    /// Without spaces and tabs at its ends.
    fileprivate var trimmed: String {
        var text = Substring(self)
        text = text.drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text = text.dropLast() }
        return String(text)
    }
}
