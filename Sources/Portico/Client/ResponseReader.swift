/// Puts an answer together from what arrives (RFC 9112 §6.3): by length, in chunks, or up to the end of the connection.
struct ResponseReader {
    private enum Stage {
        case head
        case length(Int)
        case chunks
        case untilClose
    }

    private let isHead: Bool
    private var stage = Stage.head
    private var buffer: [UInt8] = []
    private var response = ClientResponse(status: 0, fields: [])

    /// - Parameter isHead: the answer to HEAD has no body, whatever its fields say.
    init(isHead: Bool = false) { self.isHead = isHead }

    /// Takes the next bytes, none at the end of the connection; the answer when that was all of it.
    mutating func take(_ bytes: ArraySlice<UInt8>) throws(ClientFailure) -> ClientResponse? {
        buffer += bytes
        guard buffer.count + response.body.count <= ClientResponse.maximumBytes else { throw .tooLarge }
        while case .head = stage {
            guard try takeHead() else {
                if bytes.isEmpty { throw .noAnswer }
                return nil
            }
        }
        switch stage {
        case .head: return nil
        case .length(let length):
            if buffer.count >= length { return finished(Array(buffer.prefix(length))) }
        case .chunks:
            if try takeChunks() { return response }
        case .untilClose:
            if bytes.isEmpty { return finished(buffer) }
        }
        if bytes.isEmpty { throw .incomplete }
        return nil
    }

    private func finished(_ body: [UInt8]) -> ClientResponse {
        var response = response
        response.body = body
        return response
    }

    /// Whether the buffer had a whole head; interim answers are dropped.
    private mutating func takeHead() throws(ClientFailure) -> Bool {
        guard let end = buffer.firstRange(of: Array("\r\n\r\n".utf8)) else {
            // A status line at least begins as one.
            guard buffer.prefix(5).elementsEqual("HTTP/".utf8.prefix(buffer.count)) else { throw .noAnswer }
            return false
        }
        let lines = String(decoding: buffer[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        buffer.removeSubrange(..<end.upperBound)
        let words = (lines.first ?? "").split(separator: " ")
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), words[1].utf8.count == 3, let status = Int(words[1])
        else { throw .noAnswer }
        if (100..<200).contains(status), status != 101 { return true }
        var fields: [(name: String, value: String)] = []
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { throw .noAnswer }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            fields.append((String(line[..<colon]), String(value)))
        }
        response = ClientResponse(status: status, fields: fields)
        if isHead || status == 101 || status == 204 || status == 304 {
            stage = .length(0)
        } else if response.values("Transfer-Encoding").last?.lowercased().hasSuffix("chunked") == true {
            stage = .chunks
        } else if let length = response.values("Content-Length").first {
            guard let length = Int(length), length >= 0 else { throw .noAnswer }
            stage = .length(length)
        } else {
            stage = .untilClose
        }
        return true
    }

    /// Whether the last chunk and the trailers are there.
    private mutating func takeChunks() throws(ClientFailure) -> Bool {
        let lineEnd = Array("\r\n".utf8)
        while let end = buffer.firstRange(of: lineEnd) {
            let line = String(decoding: buffer[..<end.lowerBound], as: UTF8.self)
            let digits = line.prefix { $0 != ";" && $0 != " " }
            guard let size = Int(digits, radix: 16), size >= 0 else { throw .noAnswer }
            if size == 0 {
                // Trailers end with an empty line.
                let rest = buffer[end.lowerBound...]
                return rest.firstRange(of: lineEnd + lineEnd) != nil
            }
            guard size <= ClientResponse.maximumBytes else { throw .tooLarge }
            guard buffer.count >= end.upperBound + size + 2 else { return false }
            response.body += buffer[end.upperBound..<end.upperBound + size]
            buffer.removeSubrange(..<(end.upperBound + size + 2))
        }
        return false
    }
}
