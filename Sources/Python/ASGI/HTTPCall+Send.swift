import CPython
import Gateway
import Glibc
import HTTP
import NIOCore

/// The events of a response, and what they do.
extension HTTPCall {
    /// False with an exception set.
    func take(_ event: ASGIEvent) -> Bool {
        let keys = context.keys
        if event.isType(keys.responseBody) { return body(event) }
        if event.isType(keys.responseStart) { return start(event) }
        if event.isType(keys.responseTrailers) { return trailers(event) }
        if event.isType(keys.pathSend) { return path(event) }
        if event.isType(keys.zeroCopySend) { return file(event) }
        if event.isType(keys.earlyHint) { return earlyHint(event) }
        Py.raise(PyExc_ValueError(), "'\(event.name)' is no event that an HTTP application may send")
        return false
    }

    private func start(_ event: ASGIEvent) -> Bool {
        guard case .waiting = phase else { return refuse("the response has been started already") }
        guard let start = ASGIHead.response(event, context.keys, context.heads),
            let trailers = event.flag(context.keys.trailers)
        else { return false }
        wantsTrailers = trailers
        phase = .held(start.head, length: start.length)
        return true
    }

    private func body(_ event: ASGIEvent) -> Bool {
        if case .streaming = phase, let sent = lend(event) { return sent }
        guard let bytes = bytes(event), let moreBody = event.flag(context.keys.moreBody) else { return false }
        switch phase {
        case .held(let head, let length):
            if !moreBody, !wantsTrailers { return respond(head, length, bytes) }
            guard begin(head, length) else { return false }
        case .streaming: break
        case .waiting: return refuse("'http.response.body' came before 'http.response.start'")
        case .trailing: return refuse("'http.response.body' came after the last of it")
        case .complete, .aborted: return true
        }
        guard account(bytes.readableBytes) else { return false }
        if bytes.readableBytes > 0 { exchange.write(bytes) }
        return moreBody ? push() : finish()
    }

    /// Sends a large part of the body that more will follow, without a copy of it; nil for all others.
    private func lend(_ event: ASGIEvent) -> Bool? {
        guard let content = event.value(context.keys.body).flatMap(context.largeBody),
            event.flag(context.keys.moreBody) == true
        else {
            // Whoever takes it instead meets the same error.
            PyErr_Clear()
            return nil
        }
        guard account(content.count) else { return false }
        exchange.write(lent: content)
        return true
    }

    private func bytes(_ event: ASGIEvent) -> ByteBuffer? {
        guard let object = event.value(context.keys.body) else { return PyErr_Occurred() == nil ? ByteBuffer() : nil }
        if let small = context.smallBody(object) { return small }
        return ASGIHead.body(object)
    }

    /// A response of one piece.
    private func respond(_ head: ResponseHead, _ length: Int?, _ bytes: ByteBuffer) -> Bool {
        if let length, length != bytes.readableBytes, !isBodiless(head) {
            // Nothing is out yet: the error page takes its place when this exception ends the application.
            return refuse("the body has \(bytes.readableBytes) bytes, but Content-Length is \(length)")
        }
        complete(head, bytes)
        return true
    }

    private func complete(_ head: ResponseHead, _ bytes: ByteBuffer) {
        // The exchange first: `complete()` lets the application run on.
        exchange.respond(head, bytes)
        context.giveBack(bytes)
        complete()
    }

    private func isBodiless(_ head: ResponseHead) -> Bool {
        exchange.request.method == .head || head.status.isBodiless
    }

    /// Sends the head.
    private func begin(_ head: ResponseHead, _ length: Int?) -> Bool {
        phase = .streaming
        remaining = isBodiless(head) ? nil : length
        exchange.start(head)
        return true
    }

    /// Holds a body against `Content-Length`.
    private func account(_ count: Int) -> Bool {
        guard let left = remaining else { return true }
        guard count <= left else {
            phase = .aborted
            exchange.abort()
            return refuse("the body is longer than Content-Length")
        }
        remaining = left - count
        return true
    }

    private func push() -> Bool {
        exchange.flush()
        return true
    }

    private func finish() -> Bool {
        if let left = remaining, left > 0 {
            phase = .aborted
            exchange.abort()
            return refuse("the body is shorter than Content-Length by \(left) bytes")
        }
        guard !wantsTrailers else {
            phase = .trailing
            return push()
        }
        exchange.finish()
        complete()
        return true
    }

    private func trailers(_ event: ASGIEvent) -> Bool {
        guard case .trailing = phase else {
            return refuse("'http.response.trailers' came before the end of a body that announced them")
        }
        var length: Int?
        guard let fields = ASGIHead.fields(event, context.keys.headers, &length),
            let more = event.flag(context.keys.moreTrailers)
        else { return false }
        trailerFields.append(contentsOf: fields)
        guard !more else { return true }
        exchange.finish(trailers: trailerFields)
        complete()
        return true
    }

    private func earlyHint(_ event: ASGIEvent) -> Bool {
        switch phase {
        case .held: break
        case .waiting: return refuse("'http.response.early_hint' came before 'http.response.start'")
        // Too late to be early.
        case .streaming, .trailing, .complete, .aborted: return true
        }
        guard let links = event.value(context.keys.links), let tuple = PySequence_Tuple(links) else {
            if PyErr_Occurred() == nil { Py.raise(PyExc_ValueError(), "'http.response.early_hint' has no 'links'") }
            return false
        }
        defer { Py_DecRef(tuple) }
        var fields = Fields()
        for index in 0..<PyTuple_Size(tuple) {
            guard let link = PyTuple_GetItem(tuple, index), let value = Py.content(link) else { return false }
            do throws(Fields.Invalid) {
                try fields.append(name: Array("link".utf8), value: Array(value))
            } catch {
                Py.raise(PyExc_ValueError(), "\(error)")
                return false
            }
        }
        if !fields.isEmpty { exchange.inform(103, fields) }
        return true
    }

    // MARK: Files

    private func path(_ event: ASGIEvent) -> Bool {
        guard case .held(let head, let length) = phase else {
            return refuse("'http.response.pathsend' comes once, after 'http.response.start' and in place of a body")
        }
        guard let value = event.value(context.keys.path), let encoded = PyUnicode_EncodeFSDefault(value) else {
            if PyErr_Occurred() == nil { Py.raise(PyExc_ValueError(), "'http.response.pathsend' has no 'path'") }
            return false
        }
        defer { Py_DecRef(encoded) }
        guard let path = PyBytes_AsString(encoded) else { return false }
        guard path.pointee == 0x2F else { return refuse("the path of 'http.response.pathsend' must be absolute") }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0, let file = SentFile(descriptor) else {
            return refuse("cannot open \(String(cString: path)): \(String(cString: strerror(errno)))")
        }
        guard begin(head, length), send(file, offset: 0, count: min(file.size, remaining ?? file.size)) else {
            return false
        }
        return finish()
    }

    private func file(_ event: ASGIEvent) -> Bool {
        guard let object = event.value(context.keys.file) else {
            if PyErr_Occurred() == nil { Py.raise(PyExc_ValueError(), "'http.response.zerocopysend' has no 'file'") }
            return false
        }
        let original = PyObject_AsFileDescriptor(object)
        let offset = event.integer(context.keys.offset)
        let count = event.integer(context.keys.count)
        guard original >= 0, PyErr_Occurred() == nil, let moreBody = event.flag(context.keys.moreBody) else {
            return false
        }
        switch phase {
        case .held(let head, let length): guard begin(head, length) else { return false }
        case .streaming: break
        case .waiting, .trailing, .complete, .aborted:
            return refuse("'http.response.zerocopysend' comes after 'http.response.start', as part of the body")
        }
        // The application closes its own; ours lives until the last byte is out.
        guard let file = SentFile(fcntl(original, F_DUPFD_CLOEXEC, 0)) else {
            return refuse("'http.response.zerocopysend' needs a regular file")
        }
        let start = max(0, offset ?? Int(lseek(original, 0, SEEK_CUR)))
        let size = max(0, min(count ?? .max, file.size - start))
        guard account(size), send(file, offset: start, count: size) else { return false }
        if offset == nil { lseek(original, off_t(start + size), SEEK_SET) }
        return moreBody ? push() : finish()
    }

    private func send(_ file: SentFile, offset: Int, count: Int) -> Bool {
        if count > 0 { exchange.write(file.region(offset, count), keeping: file) }
        if let left = remaining { remaining = max(0, left - count) }
        return true
    }

    private func refuse(_ message: String) -> Bool {
        Py.raise(PyExc_RuntimeError(), message)
        return false
    }
}

/// A regular file that is being sent; closed when the connection lets go of it.
final class SentFile {
    let size: Int
    private let handle: NIOFileHandle

    /// Takes over the descriptor, also when it returns nil because that is no regular file.
    init?(_ descriptor: Int32) {
        guard descriptor >= 0 else { return nil }
        let handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: descriptor)
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            _ = try? handle.close()
            return nil
        }
        size = Int(status.st_size)
        self.handle = handle
    }

    deinit {
        // Closing a file that was only read loses nothing, whatever it returns.
        _ = try? handle.close()
    }

    func region(_ offset: Int, _ count: Int) -> FileRegion {
        FileRegion(fileHandle: handle, readerIndex: offset, endIndex: offset + count)
    }
}
