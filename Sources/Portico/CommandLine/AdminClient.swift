import Glibc
import Platform

/// Speaks to a running server's admin listener: one request, one answer.
struct AdminClient {
    /// Why there is no answer.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    let address: Platform.ListenAddress
    /// For a listener on TCP.
    let token: String?

    /// What was answered.
    struct Answer {
        let status: Int
        let body: [UInt8]

        /// The body as text, without the line's end.
        var text: String {
            let text = String(decoding: body, as: UTF8.self)
            return text.hasSuffix("\n") ? String(text.dropLast()) : text
        }
    }

    /// Sends a request and reads the answer; `limit` is how long nothing may come.
    func send(_ method: String, _ target: String, within limit: Duration = .seconds(10)) throws(Failure) -> Answer {
        let bytes: [UInt8]
        do {
            let connection = try Descriptor.connecting(to: address)
            try connection.setTimeout(limit)
            if case .unix = address { try checkPeer(connection) }
            let host = if case .tcp(let host, let port) = address { "\(host):\(port)" } else { "localhost" }
            var request = "\(method) \(target) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n"
            if let token { request += "Authorization: Bearer \(token)\r\n" }
            if method == "POST" { request += "Content-Length: 0\r\n" }
            try Self.write(Array((request + "\r\n").utf8), to: connection)
            bytes = try Self.readToEnd(of: connection)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(description: "\(address): \(error)")
        }
        guard let answer = Self.parse(bytes) else {
            throw Failure(description: "\(address): what answers there is no admin listener")
        }
        return answer
    }

    /// Anybody may take an abstract name: only an answer of this user's or root's server counts.
    private func checkPeer(_ connection: borrowing Descriptor) throws(Failure) {
        guard let peer = PeerCredentials(of: connection.rawValue) else { return }
        guard peer.user == 0 || peer.user == geteuid() || geteuid() == 0 else {
            throw Failure(
                description: "\(address): it belongs to another user (uid \(peer.user)); try as root or as that user")
        }
    }

    private static func write(_ bytes: [UInt8], to connection: borrowing Descriptor) throws(SystemError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(connection.rawValue, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
            }
            if count > 0 {
                rest = rest.dropFirst(count)
            }
            // A server that has refused and closed may still have said why.
            else if errno == EPIPE {
                return
            } else if errno != EINTR {
                throw SystemError(operation: "write", code: errno)
            }
        }
    }

    private static func readToEnd(of connection: borrowing Descriptor) throws -> [UInt8] {
        var result: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = recv(connection.rawValue, &chunk, chunk.count, 0)
            if count > 0 {
                result += chunk[..<count]
            } else if count == 0 {
                return result
            } else if errno == EAGAIN {
                throw Failure(description: "no answer in time")
            } else if errno != EINTR {
                guard result.isEmpty else { return result }
                throw SystemError(operation: "read", code: errno)
            }
        }
    }

    /// A whole response with `Content-Length` or the connection's end behind its body.
    private static func parse(_ bytes: [UInt8]) -> Answer? {
        guard bytes.starts(with: "HTTP/1.".utf8), let end = headEnd(bytes) else { return nil }
        let line = String(decoding: bytes.prefix { $0 != 0x0D }, as: UTF8.self)
        let parts = line.split(separator: " ")
        guard parts.count > 1, let status = Int(parts[1]) else { return nil }
        return Answer(status: status, body: Array(bytes[end...]))
    }

    private static func headEnd(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 4 else { return nil }
        return (0...bytes.count - 4).first { bytes[$0..<$0 + 4].elementsEqual([0x0D, 0x0A, 0x0D, 0x0A]) }.map { $0 + 4 }
    }
}
