import Platform

/// One request over a connection of its own (HTTP/1.1), for commands that ask a server.
struct ClientRequest {
    let method: String
    /// The path, with the query.
    let target: String
    var fields: [(name: String, value: String)] = []
    var body: [UInt8]?

    init(_ method: String = "GET", _ target: String) {
        self.method = method
        self.target = target
    }

    /// The answer, whole, with interim ones (1xx) left out.
    func send(to address: ClientAddress, before deadline: MonotonicTime) throws(ClientFailure) -> ClientResponse {
        let socket: ClientSocket
        do throws(ClientSocket.Failure) { socket = try ClientSocket(to: address, before: deadline) } catch {
            throw .socket(error)
        }
        do throws(ClientSocket.Failure) { try socket.send(bytes(for: address)) } catch {
            // A server may refuse a body before it has all of it: its answer says why.
            guard case .lost = error else { throw .socket(error) }
        }
        var reader = ResponseReader(isHead: method == "HEAD")
        while true {
            let piece: ArraySlice<UInt8>
            do throws(ClientSocket.Failure) { piece = try socket.receive(atMost: 65_536) } catch {
                guard case .lost = error else { throw .socket(error) }
                piece = []
            }
            if let response = try reader.take(piece) { return response }
        }
    }

    private func bytes(for address: ClientAddress) -> [UInt8] {
        var all = fields
        func add(_ name: String, _ value: String) {
            if !all.contains(where: { $0.name.lowercased() == name.lowercased() }) { all.append((name, value)) }
        }
        add("Host", address.authority)
        add("User-Agent", "app/\(Version.number)")
        add("Accept", "*/*")
        if let body { add("Content-Length", String(body.count)) }
        add("Connection", "close")
        // What a URL may not hold as it is was written in the configuration for people to read.
        let target = target.utf8.reduce(into: "") { text, byte in
            text += byte < 0x80 ? String(UnicodeScalar(byte)) : "%" + String(byte, radix: 16, uppercase: true)
        }
        let lines = ["\(method) \(target) HTTP/1.1"] + all.map { "\($0.name): \($0.value)" }
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + (body ?? [])
    }
}

/// An answer, whole.
struct ClientResponse {
    /// An answer that is larger is refused.
    static let maximumBytes = 64 << 20

    let status: Int
    /// Fields in their order, names as they came.
    let fields: [(name: String, value: String)]
    var body: [UInt8] = []

    init(status: Int, fields: [(name: String, value: String)], body: [UInt8] = []) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    /// The values of all fields of this name.
    func values(_ name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    var text: String { String(decoding: body, as: UTF8.self) }
}
