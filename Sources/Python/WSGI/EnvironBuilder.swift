import CPython
import Gateway
import HTTP
import NIOCore

/// Makes `environ` (PEP 3333, "environ Variables"): a copy of what is the same for every request, plus the request.
final class EnvironBuilder {
    private let base: OpaquePointer
    private let keys: Keys
    private let types: WSGITypes
    private let names: HeaderNames
    private var request: UInt64 = 0

    /// The variables of every request, as interned strings.
    private struct Keys {
        let method, scriptName, pathInfo, query, uri, rawURI, serverName, serverPort, protocolName: OpaquePointer
        let remoteAddress, remotePort, contentLength, scheme, input, earlyHints: OpaquePointer
        let http10, http11, http, https, empty: OpaquePointer

        init() throws(PythonError) {
            func text(_ text: String) throws(PythonError) -> OpaquePointer {
                try Py.check(PyUnicode_InternFromString(text))
            }
            method = try text("REQUEST_METHOD")
            scriptName = try text("SCRIPT_NAME")
            pathInfo = try text("PATH_INFO")
            query = try text("QUERY_STRING")
            uri = try text("REQUEST_URI")
            rawURI = try text("RAW_URI")
            serverName = try text("SERVER_NAME")
            serverPort = try text("SERVER_PORT")
            protocolName = try text("SERVER_PROTOCOL")
            remoteAddress = try text("REMOTE_ADDR")
            remotePort = try text("REMOTE_PORT")
            contentLength = try text("CONTENT_LENGTH")
            scheme = try text("wsgi.url_scheme")
            input = try text("wsgi.input")
            earlyHints = try text("wsgi.early_hints")
            http10 = try text("HTTP/1.0")
            http11 = try text("HTTP/1.1")
            http = try text("http")
            https = try text("https")
            empty = try text("")
        }
    }

    /// The interpreter is entered.
    init(_ types: WSGITypes, isMultithreaded: Bool, isMultiprocess: Bool) throws(PythonError) {
        self.types = types
        keys = try Keys()
        names = HeaderNames(makeKey: Self.variable)
        base = try Py.check(types.baseEnviron(isMultithreaded: isMultithreaded, isMultiprocess: isMultiprocess))
    }

    /// `HTTP_…` for a field; nil for those that are no `HTTP_` variable: what has a variable of its own or is the server's
    /// business, `Proxy` (httpoxy), and names with an underscore, which could pass for others.
    private static func variable(_ name: [UInt8]) -> OpaquePointer? {
        let text = String(decoding: name, as: UTF8.self)
        switch text {
        case "content-type": return PyUnicode_InternFromString("CONTENT_TYPE")
        case "content-length", "transfer-encoding", "proxy": return nil
        default:
            guard !text.contains("_") else { return nil }
            return PyUnicode_InternFromString(
                "HTTP_" + String(text.uppercased().map { $0 == "-" ? "_" : $0 }))
        }
    }

    /// A new `dict`; nil with an exception set. `call` carries the call of the application.
    func dictionary(for environ: Environ, _ call: OpaquePointer) -> OpaquePointer? {
        guard let dictionary = PyDict_Copy(base) else { return nil }
        guard fill(dictionary, environ), set(dictionary, keys.earlyHints, WSGICall.earlyHints.bound(to: call)) else {
            Py_DecRef(dictionary)
            return nil
        }
        return dictionary
    }

    private func fill(_ dictionary: OpaquePointer, _ environ: Environ) -> Bool {
        let request = environ.request
        return request.bytes.withUnsafeReadableBytes { head in
            func slice(_ range: ByteRange) -> UnsafeRawBufferPointer {
                UnsafeRawBufferPointer(rebasing: head[Int(range.start)..<Int(range.start + range.count)])
            }
            let target = Py.latin1(slice(request.target))
            defer { Py_DecRef(target) }
            return set(dictionary, keys.method, types.method(request.method))
                && set(dictionary, keys.scriptName, text(environ.scriptName))
                && set(dictionary, keys.pathInfo, pathInfo(environ, slice(request.rawPath)))
                && set(dictionary, keys.query, request.rawQuery.map { Py.latin1(slice($0)) } ?? Py.new(keys.empty))
                && set(dictionary, keys.uri, target.map(Py.new)) && set(dictionary, keys.rawURI, target.map(Py.new))
                && set(
                    dictionary, keys.protocolName, Py.new(request.version == .http10 ? keys.http10 : keys.http11))
                && set(dictionary, keys.scheme, Py.new(environ.connection.isSecure ? keys.https : keys.http))
                && set(dictionary, keys.input, types.input(environ.input))
                && setAddresses(dictionary, environ) && setLength(dictionary, environ)
                && setFields(dictionary, request, head)
        }
    }

    /// Takes over the reference to `value`.
    @inline(__always)
    private func set(_ dictionary: OpaquePointer, _ key: OpaquePointer, _ value: OpaquePointer?) -> Bool {
        guard let value else { return false }
        defer { Py_DecRef(value) }
        return PyDict_SetItem(dictionary, key, value) == 0
    }

    private func text(_ text: String) -> OpaquePointer? { text.isEmpty ? Py.new(keys.empty) : Py.text(text) }

    /// The bytes of the decoded path as code points; `environ.pathInfo` has lost those that are not UTF-8.
    private func pathInfo(_ environ: Environ, _ raw: UnsafeRawBufferPointer) -> OpaquePointer? {
        var path = environ.pathInfo
        let plain: OpaquePointer?? = path.withUTF8 { utf8 in
            utf8.allSatisfy { $0 < 0x80 } ? .some(Py.latin1(UnsafeRawBufferPointer(utf8))) : .none
        }
        if let plain { return plain }
        guard case .changed(let bytes) = NormalizedPath(raw) else { return Py.latin1(raw) }
        return bytes.withUnsafeBytes {
            Py.latin1(UnsafeRawBufferPointer(rebasing: $0.dropFirst(environ.scriptName.utf8.count)))
        }
    }

    private func setAddresses(_ dictionary: OpaquePointer, _ environ: Environ) -> Bool {
        let local = types.address(environ.connection.localAddress, isLocal: true)
        let remote = types.address(environ.connection.remoteAddress, isLocal: false)
        guard let local, let remote else { return false }
        return PyDict_SetItem(dictionary, keys.serverName, local.host) == 0
            && PyDict_SetItem(dictionary, keys.serverPort, local.port) == 0
            && PyDict_SetItem(dictionary, keys.remoteAddress, remote.host) == 0
            && PyDict_SetItem(dictionary, keys.remotePort, remote.port) == 0
    }

    /// What the framing says, not what the field says: it is absent, or exact.
    private func setLength(_ dictionary: OpaquePointer, _ environ: Environ) -> Bool {
        switch environ.request.framing {
        case .none: true
        case .length(let count): set(dictionary, keys.contentLength, Py.text(String(count)))
        case .chunked:
            environ.input.isComplete
                ? set(dictionary, keys.contentLength, Py.text(String(environ.input.count))) : true
        }
    }

    private func setFields(_ dictionary: OpaquePointer, _ request: RequestHead, _ head: UnsafeRawBufferPointer) -> Bool
    {
        self.request &+= 1
        let number = self.request
        for field in request.fields.ranges {
            let name = UnsafeRawBufferPointer(
                rebasing: head[Int(field.name.start)..<Int(field.name.start + field.name.count)])
            let value = UnsafeRawBufferPointer(
                rebasing: head[Int(field.value.start)..<Int(field.value.start + field.value.count)])
            let isSet = names.with(name) { entry in
                guard let key = entry.key else { return PyErr_Occurred() == nil }
                if entry.request == number { return append(dictionary, key, value, isCookie: name.count == 6) }
                entry.request = number
                guard let item = HeaderNames.item(&entry, value, Py.latin1) else { return false }
                return PyDict_SetItem(dictionary, key, item) == 0
            }
            guard isSet else { return false }
        }
        return true
    }

    /// A field that came before (RFC 9110 §5.3; cookies RFC 6265 §5.4).
    private func append(
        _ dictionary: OpaquePointer, _ key: OpaquePointer, _ value: UnsafeRawBufferPointer, isCookie: Bool
    ) -> Bool {
        guard let first = PyDict_GetItemWithError(dictionary, key), let bytes = PyUnicode_AsLatin1String(first) else {
            return false
        }
        defer { Py_DecRef(bytes) }
        guard let before = Py.content(bytes) else { return false }
        let isCookie = isCookie && Py.string(key) == "HTTP_COOKIE"
        let joined = Array(before) + Array((isCookie ? "; " : ",").utf8) + Array(value)
        return joined.withUnsafeBytes { set(dictionary, key, Py.latin1($0)) }
    }
}
