import Platform

/// One GET over a connection of its own, of whose answer only the status matters.
public struct StatusRequest: Equatable, Sendable {
    /// Where to.
    public let address: ClientAddress
    /// The path and query.
    public let target: String

    public init(_ address: ClientAddress, target: String) {
        self.address = address
        self.target = target
    }

    /// Why there is no status.
    public enum Failure: Error, Equatable, CustomStringConvertible {
        case socket(ClientSocket.Failure)
        case noHTTP

        public var description: String {
            switch self {
            case .socket(let failure): failure.description
            case .noHTTP: "the answer is not HTTP"
            }
        }
    }

    /// The status of the answer.
    public func status(before deadline: MonotonicTime) throws(Failure) -> Int {
        let answer: [UInt8]
        do throws(ClientSocket.Failure) { answer = try line(before: deadline) } catch { throw .socket(error) }
        let parts = String(decoding: answer, as: UTF8.self).split(separator: " ")
        guard parts.count >= 2, parts[0].hasPrefix("HTTP/1."), let status = Int(parts[1]) else { throw .noHTTP }
        return status
    }

    /// The first line of the answer; empty when there is none.
    private func line(before deadline: MonotonicTime) throws(ClientSocket.Failure) -> [UInt8] {
        let socket = try ClientSocket(to: address, before: deadline)
        let host = if case .unix = address { "localhost" } else { address.description }
        try socket.send(
            Array("GET \(target) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\nUser-Agent: app-health\r\n\r\n".utf8)
        )
        var answer: [UInt8] = []
        while !answer.contains(0x0A), answer.count < 8192 {
            let piece = try socket.receive()
            if piece.isEmpty { return [] }
            answer += piece
        }
        return Array(answer.prefix { $0 != 0x0D && $0 != 0x0A })
    }
}
