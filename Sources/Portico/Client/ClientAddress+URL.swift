import Platform
import Supervisor

extension ClientAddress {
    /// From `http://host:port/path` or `unix:/path`; what follows the authority is `path`.
    static func parse(_ url: String) throws -> (address: ClientAddress, path: String) {
        let probe = try HealthProbe(url: url, path: "")
        return (probe.request.address, probe.path)
    }

    /// The name, without the port.
    var host: String {
        if case .tcp(let host, _) = self { host } else { "localhost" }
    }

    /// The value of `Host`.
    var authority: String {
        if case .tcp = self { description } else { "localhost" }
    }
}

/// Why there is no answer.
enum ClientFailure: Error, Equatable, CustomStringConvertible {
    case socket(ClientSocket.Failure)
    case noAnswer
    /// The connection ended within the answer.
    case incomplete
    /// More than the client takes.
    case tooLarge

    var description: String {
        switch self {
        case .socket(let failure): failure.description
        case .noAnswer: "the answer is not HTTP"
        case .incomplete: "the connection ended within the answer"
        case .tooLarge: "the answer is larger than \(ClientResponse.maximumBytes >> 20) MiB"
        }
    }
}
