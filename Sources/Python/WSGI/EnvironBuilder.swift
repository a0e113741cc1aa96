import CPython
import Gateway
import Glibc
import HTTP
import NIOCore

/// Makes `environ` (PEP 3333, "environ Variables"): a copy of a dictionary that has every usual key already, with what is the
/// same for most requests as its values, so that it neither grows nor is set more than the request needs.
final class EnvironBuilder {
    private let base: OpaquePointer
    private var connection: ConnectionVariables
    /// `SCRIPT_NAME` in `base`.
    private var scriptName = ""
    private let keys: Keys
    private let types: WSGITypes
    private let names: HeaderNames
    private var request: UInt64 = 0

    /// The variables of every request, as interned strings.
    private struct Keys {
        let method, scriptName, pathInfo, query, uri, rawURI, protocolName: OpaquePointer
        let contentLength, scheme, input, earlyHints: OpaquePointer
        let get, http10, http11, http, https, empty: OpaquePointer
        let connection: ConnectionVariables.Keys

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
            protocolName = try text("SERVER_PROTOCOL")
            connection = .init(
                serverName: try text("SERVER_NAME"), serverPort: try text("SERVER_PORT"),
                remoteAddress: try text("REMOTE_ADDR"), remotePort: try text("REMOTE_PORT"))
            contentLength = try text("CONTENT_LENGTH")
            scheme = try text("wsgi.url_scheme")
            input = try text("wsgi.input")
            earlyHints = try text("wsgi.early_hints")
            get = try text("GET")
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
        connection = ConnectionVariables(base, keys.connection)
        let defaults = [
            (keys.method, keys.get), (keys.scriptName, keys.empty), (keys.pathInfo, keys.empty),
            (keys.query, keys.empty), (keys.uri, keys.empty), (keys.rawURI, keys.empty),
            (keys.protocolName, keys.http11), (keys.scheme, keys.http), (keys.earlyHints, keys.empty),
            (keys.connection.remotePort, keys.empty),
        ]
        for (key, value) in defaults { try Py.check(PyDict_SetItem(base, key, value)) }
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
    func dictionary(for request: WSGIRequest, _ call: OpaquePointer) -> OpaquePointer? {
        guard
            connection.update(local: request.connection.localAddress, remote: request.connection.remoteAddress),
            updateScriptName(request.scriptName), let dictionary = PyDict_Copy(base)
        else { return nil }
        guard PyDict_SetItem(dictionary, keys.earlyHints, call) == 0, fill(dictionary, request) else {
            Py_DecRef(dictionary)
            return nil
        }
        return dictionary
    }

    /// Where a site is mounted seldom changes.
    private func updateScriptName(_ name: String) -> Bool {
        guard name != scriptName else { return true }
        guard set(base, keys.scriptName, Py.text(name)) else { return false }
        scriptName = name
        return true
    }

    private func fill(_ dictionary: OpaquePointer, _ request: WSGIRequest) -> Bool {
        let head = request.head
        return head.bytes.withUnsafeReadableBytes { bytes in
            if head.method != .get, !set(dictionary, keys.method, types.method(head.method)) { return false }
            if head.version == .http10, PyDict_SetItem(dictionary, keys.protocolName, keys.http10) != 0 { return false }
            if request.connection.isSecure, PyDict_SetItem(dictionary, keys.scheme, keys.https) != 0 { return false }
            if let query = head.rawQuery, !set(dictionary, keys.query, Py.latin1(Self.slice(bytes, query))) {
                return false
            }
            return setPaths(dictionary, request, bytes)
                && set(dictionary, keys.connection.remotePort, connection.port(request.connection.remoteAddress))
                && (head.framing == .none || setBody(dictionary, request)) && setFields(dictionary, head, bytes)
        }
    }

    @inline(__always)
    private static func slice(_ bytes: UnsafeRawBufferPointer, _ range: ByteRange) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[Int(range.start)..<Int(range.start + range.count)])
    }

    @inline(__always)
    private static func isSame(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
        guard a.count == b.count, let start = a.baseAddress, let other = b.baseAddress else { return false }
        return memcmp(start, other, a.count) == 0
    }

    private func setPaths(_ dictionary: OpaquePointer, _ request: WSGIRequest, _ bytes: UnsafeRawBufferPointer) -> Bool
    {
        let target = Self.slice(bytes, request.head.target)
        guard let uri = Py.latin1(target) else { return false }
        defer { Py_DecRef(uri) }
        guard PyDict_SetItem(dictionary, keys.uri, uri) == 0, PyDict_SetItem(dictionary, keys.rawURI, uri) == 0 else {
            return false
        }
        var path = request.pathInfo
        let isTarget = path.withUTF8 { Self.isSame(UnsafeRawBufferPointer($0), target) }
        if isTarget { return PyDict_SetItem(dictionary, keys.pathInfo, uri) == 0 }
        return set(dictionary, keys.pathInfo, pathInfo(request, Self.slice(bytes, request.head.rawPath)))
    }

    /// Takes over the reference to `value`.
    @inline(__always)
    private func set(_ dictionary: OpaquePointer, _ key: OpaquePointer, _ value: OpaquePointer?) -> Bool {
        guard let value else { return false }
        defer { Py_DecRef(value) }
        return PyDict_SetItem(dictionary, key, value) == 0
    }

    /// The bytes of the decoded path as code points; `pathInfo` has lost those that are not UTF-8.
    private func pathInfo(_ request: WSGIRequest, _ raw: UnsafeRawBufferPointer) -> OpaquePointer? {
        var path = request.pathInfo
        let plain: OpaquePointer?? = path.withUTF8 { utf8 in
            utf8.allSatisfy { $0 < 0x80 } ? .some(Py.latin1(UnsafeRawBufferPointer(utf8))) : .none
        }
        if let plain { return plain }
        guard case .changed(let bytes) = NormalizedPath(raw) else { return Py.latin1(raw) }
        return bytes.withUnsafeBytes {
            Py.latin1(UnsafeRawBufferPointer(rebasing: $0.dropFirst(request.scriptName.utf8.count)))
        }
    }

    /// `wsgi.input`, and the length as the framing says it, not as the field does: it is absent, or exact.
    private func setBody(_ dictionary: OpaquePointer, _ request: WSGIRequest) -> Bool {
        let length: Int? =
            switch request.head.framing {
            case .none: nil
            case .length(let count): count
            case .chunked: request.input.isComplete ? request.input.count : nil
            }
        if let length, !set(dictionary, keys.contentLength, Py.text(String(length))) { return false }
        return set(dictionary, keys.input, types.input(request.input))
    }

    private func setFields(_ dictionary: OpaquePointer, _ request: RequestHead, _ head: UnsafeRawBufferPointer) -> Bool
    {
        self.request &+= 1
        let number = self.request
        for field in request.fields.ranges {
            let name = Self.slice(head, field.name)
            let value = Self.slice(head, field.value)
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
