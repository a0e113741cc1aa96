import HTTP
import NIOCore

#if canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// The response events of ASGI's extensions: trailers, early hints, and bodies out of files.
extension ASGIExchange {
    /// Takes an event of an extension; true when the connection should be waited for before the next.
    func takeExtension(_ event: SendEvent) throws(ASGIError) -> Bool {
        switch event {
        case .responseTrailers(let fields, let isMore): return try takeTrailers(fields, isMore)
        case .responseEarlyHint(let links): return try hint(links)
        case .responsePath(let path): return try sendPath(path)
        case .responseFile(let descriptor, let offset, let count, let isMore):
            return try sendFile(descriptor, offset, count, moreBody: isMore)
        case .startupComplete, .startupFailed, .shutdownComplete, .shutdownFailed:
            throw .unexpectedEvent("a lifespan event in an HTTP scope")
        default: throw .unexpectedEvent("a WebSocket event in an HTTP scope")
        }
    }

    private func takeTrailers(_ fields: Fields, _ isMore: Bool) throws(ASGIError) -> Bool {
        switch phase {
        case .trailing(var trailers):
            guard exchange.isOpen else { throw .disconnected }
            trailers.append(contentsOf: fields)
            phase = .trailing(trailers)
            guard !isMore else { return false }
            phase = .complete
            exchange.finish(trailers: trailers)
            finishReceiving()
            return false
        case .complete: return false
        case .aborted: throw .disconnected
        case .initial, .held, .streaming: throw .unexpectedEvent("trailers before the end of the body")
        }
    }

    /// The response start is held until the body, so that hints can still go ahead of it.
    private func hint(_ links: [String]) throws(ASGIError) -> Bool {
        switch phase {
        case .initial: throw .unexpectedEvent("an early hint before the response start")
        case .held:
            guard exchange.isOpen else { throw .disconnected }
            var fields = Fields()
            for link in links { fields.append("Link", link) }
            if !fields.isEmpty { exchange.inform(.earlyHints, fields) }
            return false
        // Late hints help nobody, and harm nobody.
        case .streaming, .trailing, .complete: return false
        case .aborted: throw .disconnected
        }
    }

    private func sendPath(_ path: String) throws(ASGIError) -> Bool {
        guard case .held(var head) = phase else {
            if case .complete = phase { return false }
            if case .aborted = phase { throw .disconnected }
            throw .unexpectedEvent("a path that is not the whole body")
        }
        guard exchange.isOpen else { throw .disconnected }
        let body: FileBody
        do throws(FileBody.Failure) {
            guard path.hasPrefix("/") else { throw FileBody.Failure(errno: EINVAL) }
            body = try FileBody(path: path)
        } catch {
            throw .unreadableFile("\(path): \(error)")
        }
        let announced = try framing(head).contentLength
        guard announced == nil || announced == body.count || isBodiless(head) else { throw .contentLengthMismatch }
        if announced == nil, !head.status.isBodiless { head.fields.append("Content-Length", String(body.count)) }
        return try begin(head, body, moreBody: false)
    }

    private func sendFile(
        _ descriptor: Int32, _ offset: Int?, _ count: Int?, moreBody: Bool
    ) throws(ASGIError) -> Bool {
        switch phase {
        case .initial: throw .unexpectedEvent("a response body before the response start")
        case .trailing: throw .unexpectedEvent("a response body after its end")
        case .complete: return false
        case .aborted: throw .disconnected
        case .held, .streaming: break
        }
        guard exchange.isOpen else { throw .disconnected }
        let body = try Self.body(descriptor, offset, count)
        if case .held(let head) = phase { return try begin(head, body, moreBody: moreBody) }
        return try write(body, moreBody: moreBody)
    }

    private func begin(_ head: ResponseHead, _ body: FileBody, moreBody: Bool) throws(ASGIError) -> Bool {
        if let length = try framing(head).contentLength, !isBodiless(head),
            length < body.count || (length > body.count && !moreBody)
        {
            throw .contentLengthMismatch
        }
        let waits = try start(head, ByteBuffer())
        guard case .streaming = phase else { return waits }
        return try write(body, moreBody: moreBody)
    }

    private func write(_ body: FileBody, moreBody: Bool) throws(ASGIError) -> Bool {
        guard case .streaming(let remaining) = phase else { return false }
        let left = remaining.map { $0 - body.count }
        if let left, left < 0 || (left > 0 && !moreBody) {
            abort()
            throw .contentLengthMismatch
        }
        if let file = body.file, body.count > 0 { exchange.write(file.region(body.offset, body.count), keeping: file) }
        phase = .streaming(remaining: left)
        guard moreBody else { return endBody() }
        exchange.flush()
        return !exchange.isWritable
    }

    /// The part of an open file that is meant, behind a descriptor of our own: the application may close its.
    private static func body(_ descriptor: Int32, _ offset: Int?, _ count: Int?) throws(ASGIError) -> FileBody {
        let own = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard own >= 0 else { throw .unreadableFile("descriptor \(descriptor): \(FileBody.Failure(errno: errno))") }
        var file = FileBody(takingOwnershipOf: own, offset: 0, count: 0)
        defer { file.close() }
        var status = stat()
        guard fstat(own, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw .unreadableFile("descriptor \(descriptor) is no regular file")
        }
        let start = offset ?? Int(lseek(own, 0, SEEK_CUR))
        let rest = Int(status.st_size) - start
        guard start >= 0, rest >= 0, count ?? 0 >= 0, count ?? 0 <= rest else {
            throw .unreadableFile("descriptor \(descriptor) does not hold what was asked for")
        }
        return file.part(start, count ?? rest)
    }
}
