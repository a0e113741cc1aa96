import Config
import NIOCore
import Platform
import Server

extension ServerOptions {
    /// The server's part of the configuration.
    init(_ settings: Settings) {
        self.init()
        limits.headerSize = settings.limits.headerSize.bytes
        limits.fieldCount = settings.limits.headers
        limits.targetSize = settings.limits.targetSize.bytes
        limits.bodySize = settings.limits.bodySize.bytes
        timeouts.header = TimeAmount(settings.timeouts.header)
        timeouts.body = TimeAmount(settings.timeouts.body)
        timeouts.write = TimeAmount(settings.timeouts.write)
        timeouts.request = settings.timeouts.request.duration.map { TimeAmount($0) }
        timeouts.shortestRequest = settings.requestLimits.compactMap(\.duration).min().map { TimeAmount($0) }
        timeouts.keepAlive = TimeAmount(settings.timeouts.keepAlive)
        webSocket.maxSize = settings.websocket.maxSize.bytes
        webSocket.pingInterval = TimeAmount(settings.websocket.pingInterval)
        webSocket.pingTimeout = TimeAmount(settings.websocket.pingTimeout)
        webSocket.compresses = settings.websocket.compression
        switch settings.limits.connections {
        case .exactly(let number): connectionLimit = max(1, number / settings.workers.loopCount)
        case .auto:
            // What the descriptors allow, less some for files, databases and logs.
            let descriptors = Int(clamping: (try? FileLimit.current().soft) ?? 1024)
            connectionLimit = max(64, (descriptors - 64) / settings.workers.loopCount)
        }
        switch settings.serverHeader {
        case .standard: serverField = "portico"
        case .off: serverField = nil
        case .text(let text): serverField = text
        }
    }
}
