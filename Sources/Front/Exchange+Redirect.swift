import Gateway
import HTTP
import NIOCore

extension Exchange {
    /// Sends the client to `location`.
    func redirect(_ location: String, _ status: Status) {
        respond(ResponseHead(status, ["Location": location, "Content-Length": "0"]), ByteBuffer())
    }
}
