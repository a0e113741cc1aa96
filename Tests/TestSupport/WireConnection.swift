import Glibc
import Platform

/// Why there is no (whole) response.
package enum WireError: Error, Equatable {
    /// The connection ended before a byte of the response.
    case noResponse
    /// It ended within the response.
    case incomplete(String)
    /// Nothing came for a minute.
    case silence
    /// What came is not HTTP.
    case malformed(String)
}

/// A client's connection: sends exactly the bytes it is given, and reads responses one by one. Blocking.
package final class WireConnection {
    private let socket: Descriptor
    private var buffer: [UInt8] = []

    package init(_ endpoint: Endpoint) throws(SystemError) { socket = try endpoint.connected() }

    /// For how long nothing has come, as the kernel knows it: since the connection was made, at first.
    package var silence: Duration {
        var info = tcp_info()
        var length = socklen_t(MemoryLayout<tcp_info>.size)
        guard getsockopt(socket.rawValue, Int32(IPPROTO_TCP), TCP_INFO, &info, &length) == 0 else { return .zero }
        return .milliseconds(info.tcpi_last_data_recv)
    }

    package func send(_ text: String) throws { try send(Array(text.utf8)) }

    package func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(socket.rawValue, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw WireError.noResponse }
            rest = rest.dropFirst(count)
        }
    }

    /// GET, and the response.
    package func get(_ path: String, _ fields: [String] = []) throws -> WireResponse {
        try send((["GET \(path) HTTP/1.1", "Host: localhost"] + fields).map { $0 + "\r\n" }.joined() + "\r\n")
        return try receive()
    }

    /// POST of a form, and the response.
    package func post(_ path: String, form: String, _ fields: [String] = []) throws -> WireResponse {
        let head = [
            "POST \(path) HTTP/1.1", "Host: localhost", "Content-Type: application/x-www-form-urlencoded",
            "Content-Length: \(form.utf8.count)",
        ]
        try send((head + fields).map { $0 + "\r\n" }.joined() + "\r\n" + form)
        return try receive()
    }

    /// Says that nothing more will be sent.
    package func finishSending() { shutdown(socket.rawValue, Int32(SHUT_WR)) }

    /// The next response, whole. Interim responses (100) are responses, too.
    package func receive(toHead: Bool = false) throws -> WireResponse {
        let head = try receiveHead()
        var response = try WireResponse(head: head)
        if toHead || response.status < 200 || response.status == 204 || response.status == 304 { return response }
        if response["transfer-encoding"]?.lowercased() == "chunked" {
            response.body = try receiveChunks()
        } else if let length = response["content-length"].flatMap({ Int($0) }) {
            while buffer.count < length {
                guard try fill() else { throw WireError.incomplete(head) }
            }
            response.body = take(length)
        } else {
            while try fill() {}
            response.body = take(buffer.count)
        }
        return response
    }

    /// The next chunk of a body whose head came by `receive(toHead: true)`; nil at the body's end, when that is in order.
    package func receiveChunk() throws -> [UInt8]? {
        guard let size = Int(try receiveLine("a chunk").prefix { $0 != ";" }, radix: 16) else {
            throw WireError.malformed("a chunk's size")
        }
        if size == 0 {
            while try !receiveLine("the last chunk").isEmpty {}
            return nil
        }
        while buffer.count < size + 2 {
            guard try fill() else { throw WireError.incomplete("a chunk") }
        }
        return Array(take(size + 2).dropLast(2))
    }

    /// Everything that comes until the server closes.
    package func receiveToEnd() throws -> String {
        while try fill() {}
        return String(decoding: take(buffer.count), as: UTF8.self)
    }

    /// Whether the server closed, with nothing more said.
    package func isAtEnd() throws -> Bool {
        if !buffer.isEmpty { return false }
        do { return try !fill() } catch WireError.noResponse { return true }
    }

    /// Opens a WebSocket at `path`; the response to the handshake.
    package func openSocket(_ path: String, _ fields: [String] = []) throws -> WireResponse {
        let head = [
            "GET \(path) HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ]
        try send((head + fields).map { $0 + "\r\n" }.joined() + "\r\n")
        return try receive()
    }

    /// The server's next frame: its first byte and its payload.
    package func receiveFrame() throws -> (first: UInt8, payload: [UInt8]) {
        func need(_ count: Int) throws {
            while buffer.count < count {
                guard try fill() else { throw WireError.incomplete("a frame") }
            }
        }
        try need(2)
        let extra = buffer[1] == 126 ? 2 : 0
        try need(2 + extra)
        let length = extra == 0 ? Int(buffer[1]) : Int(buffer[2]) << 8 | Int(buffer[3])
        try need(2 + extra + length)
        let first = buffer[0]
        return (first, Array(take(2 + extra + length).dropFirst(2 + extra)))
    }

    /// Sends a short frame, masked by zeros.
    package func sendFrame(_ first: UInt8, _ payload: [UInt8]) throws {
        try send([first, 0x80 | UInt8(payload.count), 0, 0, 0, 0] + payload)
    }

    private func receiveHead() throws -> String {
        let end = Array("\r\n\r\n".utf8)
        var searched = 0
        while true {
            if buffer.count >= 4 {
                for start in searched...(buffer.count - 4)
                where buffer[start] == 13 && buffer[start..<start + 4].elementsEqual(end) {
                    return String(decoding: take(start + 4).dropLast(4), as: UTF8.self)
                }
                searched = buffer.count - 3
            }
            let hadBytes = !buffer.isEmpty
            guard try fill() else { throw hadBytes ? WireError.incomplete("a head") : WireError.noResponse }
        }
    }

    private func receiveChunks() throws -> [UInt8] {
        var body: [UInt8] = []
        while let chunk = try receiveChunk() { body += chunk }
        return body
    }

    private func receiveLine(_ head: String) throws -> String {
        while true {
            if let end = buffer.firstIndex(of: 10) { return String(decoding: take(end + 1).dropLast(2), as: UTF8.self) }
            guard try fill() else { throw WireError.incomplete(head) }
        }
    }

    private func take(_ count: Int) -> [UInt8] {
        defer { buffer.removeFirst(count) }
        return Array(buffer.prefix(count))
    }

    /// More bytes; false at the end of the connection.
    private func fill() throws -> Bool {
        var waiting = pollfd(fd: socket.rawValue, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, 60_000) > 0 else { throw WireError.silence }
        var piece = [UInt8](repeating: 0, count: 65_536)
        let count = recv(socket.rawValue, &piece, piece.count, 0)
        if count < 0, errno == ECONNRESET {
            throw buffer.isEmpty ? WireError.noResponse : WireError.incomplete("reset")
        }
        guard count > 0 else { return false }
        buffer += piece[..<count]
        return true
    }
}

/// A response as it came over the wire.
package struct WireResponse {
    package let status: Int
    package let fields: [(name: String, value: String)]
    package var body: [UInt8] = []

    package init(head: String) throws {
        let lines = head.split(separator: "\r\n", omittingEmptySubsequences: false)
        let words = lines[0].split(separator: " ")
        guard words.count >= 2, words[0] == "HTTP/1.1", let status = Int(words[1]) else {
            throw WireError.malformed(head)
        }
        self.status = status
        fields = try lines.dropFirst().map { line in
            guard let colon = line.firstIndex(of: ":") else { throw WireError.malformed(String(line)) }
            return (line[..<colon].lowercased(), String(line[line.index(after: colon)...].drop { $0 == " " }))
        }
    }

    package subscript(name: String) -> String? { fields.first { $0.name == name }?.value }
    package var text: String { String(decoding: body, as: UTF8.self) }
}
