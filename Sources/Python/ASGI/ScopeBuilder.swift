import CPython
import Gateway
import HTTP
import NIOCore

/// Makes `scope` (ASGI HTTP 2.5): a copy of what is the same for every request, plus the request.
final class ScopeBuilder {
    private let http, webSocket: OpaquePointer
    private let httpVersion, method, scheme, path, rawPath, query, rootPath, headers, client, server, state,
        subprotocols, extensions: OpaquePointer
    private let http10, http11, empty, httpScheme, httpsScheme, wsScheme, wssScheme: OpaquePointer
    private let httpExtensions, webSocketExtensions: OpaquePointer
    private var methods: [HTTP.Method: OpaquePointer] = [:]
    private let names: HeaderNames
    private var ends = ConnectionEnds()

    init(_ keys: ASGIKeys) throws(PythonError) {
        func text(_ text: String) throws(PythonError) -> OpaquePointer {
            try Py.check(PyUnicode_InternFromString(text))
        }
        httpVersion = try text("http_version")
        method = try text("method")
        scheme = try text("scheme")
        path = try text("path")
        rawPath = try text("raw_path")
        query = try text("query_string")
        rootPath = try text("root_path")
        headers = try text("headers")
        client = try text("client")
        server = try text("server")
        state = try text("state")
        subprotocols = try text("subprotocols")
        extensions = try text("extensions")
        http10 = try text("1.0")
        http11 = try text("1.1")
        empty = try text("")
        httpScheme = try text("http")
        httpsScheme = try text("https")
        wsScheme = try text("ws")
        wssScheme = try text("wss")
        for method in [HTTP.Method.get, .head, .post, .put, .delete, .options, .patch] {
            methods[method] = try text(method.name)
        }
        http = try Self.base("http", spec: "2.5", keys)
        webSocket = try Self.base("websocket", spec: "2.5", keys)
        httpExtensions = try Self.named([
            "http.response.trailers", "http.response.pathsend", "http.response.zerocopysend",
            "http.response.early_hint",
        ])
        webSocketExtensions = try Self.named(["websocket.http.response"])
        names = HeaderNames { name in name.withUnsafeBytes(Py.bytes) }
        // Every key is in its place already, so that a copy never grows.
        let common = [httpVersion, scheme, path, rawPath, query, rootPath, headers, client, server, extensions]
        for key in common + [method] { try Py.check(PyDict_SetItem(http, key, _Py_NoneStruct())) }
        for key in common + [subprotocols] { try Py.check(PyDict_SetItem(webSocket, key, _Py_NoneStruct())) }
    }

    /// From now on every scope has a `state`.
    func offerState() throws(PythonError) {
        try Py.check(PyDict_SetItem(http, state, _Py_NoneStruct()))
        try Py.check(PyDict_SetItem(webSocket, state, _Py_NoneStruct()))
    }

    static func base(_ type: String, spec: String, _ keys: ASGIKeys) throws(PythonError) -> OpaquePointer {
        let scope = try Py.check(PyDict_New())
        let versions = try Py.check(PyDict_New())
        for (key, value) in [("version", "3.0"), ("spec_version", spec)] {
            let text = try Py.check(PyUnicode_InternFromString(value))
            defer { Py_DecRef(text) }
            try Py.check(PyDict_SetItemString(versions, key, text))
        }
        let name = try Py.check(PyUnicode_InternFromString(type))
        try Py.check(PyDict_SetItem(scope, keys.type, name))
        try Py.check(PyDict_SetItemString(scope, "asgi", versions))
        Py_DecRef(name)
        Py_DecRef(versions)
        return scope
    }

    private static func named(_ names: [String]) throws(PythonError) -> OpaquePointer {
        let dict = try Py.check(PyDict_New())
        for name in names {
            let nothing = try Py.check(PyDict_New())
            defer { Py_DecRef(nothing) }
            try Py.check(PyDict_SetItemString(dict, name, nothing))
        }
        return dict
    }

    /// A new `dict`; nil with an exception set. `state` is the lifespan's, copied.
    func scope(
        _ exchange: any Exchange, scriptName: String, path: String, state lifespanState: OpaquePointer?,
        isWebSocket: Bool
    ) -> OpaquePointer? {
        guard let scope = PyDict_Copy(isWebSocket ? webSocket : http) else { return nil }
        let request = exchange.request
        let isComplete = request.bytes.withUnsafeReadableBytes { head in
            fill(scope, exchange, request, head, scriptName: scriptName, path: path, isWebSocket: isWebSocket)
        }
        guard isComplete, addState(scope, lifespanState) else {
            Py_DecRef(scope)
            return nil
        }
        return scope
    }

    private func fill(
        _ scope: OpaquePointer, _ exchange: any Exchange, _ request: RequestHead, _ head: UnsafeRawBufferPointer,
        scriptName: String, path: String, isWebSocket: Bool
    ) -> Bool {
        func slice(_ range: ByteRange) -> UnsafeRawBufferPointer {
            UnsafeRawBufferPointer(rebasing: head[Int(range.start)..<Int(range.start + range.count)])
        }
        let isSecure = exchange.connection.isSecure
        let extensions = isWebSocket ? webSocketExtensions : request.version == .http10 ? nil : httpExtensions
        return PyDict_SetItem(scope, httpVersion, request.version == .http10 ? http10 : http11) == 0
            && (isWebSocket ? setSubprotocols(scope, request) : set(scope, method, methodName(request.method)))
            && PyDict_SetItem(
                scope, scheme, isWebSocket ? (isSecure ? wssScheme : wsScheme) : (isSecure ? httpsScheme : httpScheme))
                == 0
            // `path` includes `root_path`, as the specification has it since 2.3 and frameworks expect.
            && set(scope, self.path, Py.text(scriptName.isEmpty ? path : scriptName + path))
            && set(scope, rawPath, Py.bytes(slice(request.rawPath)))
            && set(
                scope, query,
                request.rawQuery.map { Py.bytes(slice($0)) } ?? Py.bytes(UnsafeRawBufferPointer(start: nil, count: 0)))
            && set(scope, rootPath, scriptName.isEmpty ? Py.new(empty) : Py.text(scriptName))
            && set(scope, headers, fields(request, head)) && setEnds(scope, exchange.connection)
            && set(scope, self.extensions, extensions.map { PyDict_Copy($0) } ?? PyDict_New())
    }

    /// Takes over the reference to `value`.
    @inline(__always)
    private func set(_ scope: OpaquePointer, _ key: OpaquePointer, _ value: OpaquePointer?) -> Bool {
        guard let value else { return false }
        defer { Py_DecRef(value) }
        return PyDict_SetItem(scope, key, value) == 0
    }

    private func methodName(_ method: HTTP.Method) -> OpaquePointer? {
        methods[method].map(Py.new) ?? Py.text(method.name)
    }

    private func setSubprotocols(_ scope: OpaquePointer, _ request: RequestHead) -> Bool {
        guard let list = PyList_New(0) else { return false }
        for name in WebSocketHandshake.subprotocols(of: request) {
            guard let text = Py.text(name) else { return false }
            defer { Py_DecRef(text) }
            guard PyList_Append(list, text) == 0 else { return false }
        }
        return set(scope, subprotocols, list)
    }

    private func addState(_ scope: OpaquePointer, _ state: OpaquePointer?) -> Bool {
        guard let state else { return true }
        return set(scope, self.state, PyDict_Copy(state))
    }

    private func setEnds(_ scope: OpaquePointer, _ connection: ConnectionInfo) -> Bool {
        guard let remote = ends.client(connection.remoteAddress), let local = ends.server(connection.localAddress)
        else { return false }
        return PyDict_SetItem(scope, client, remote) == 0 && PyDict_SetItem(scope, server, local) == 0
    }

    /// Pairs of `bytes`, names in lower case, order and duplicates kept.
    private func fields(_ request: RequestHead, _ head: UnsafeRawBufferPointer) -> OpaquePointer? {
        let ranges = request.fields.ranges
        guard let list = PyList_New(ranges.count) else { return nil }
        for (index, field) in ranges.enumerated() {
            let name = UnsafeRawBufferPointer(
                rebasing: head[Int(field.name.start)..<Int(field.name.start + field.name.count)])
            let value = UnsafeRawBufferPointer(
                rebasing: head[Int(field.value.start)..<Int(field.value.start + field.value.count)])
            let pair: OpaquePointer? = names.with(name) { entry in
                guard let key = entry.key else { return nil }
                return HeaderNames.item(&entry, value) { Self.pair(key, Py.bytes($0)) }.map(Py.new)
            }
            // The list owns what it is given, also when that fails.
            guard let pair, PyList_SetItem(list, index, pair) == 0 else {
                Py_DecRef(list)
                return nil
            }
        }
        return list
    }

    /// Takes over the reference to `value`.
    private static func pair(_ name: OpaquePointer, _ value: OpaquePointer?) -> OpaquePointer? {
        guard let value, let tuple = PyTuple_New(2) else {
            Py_DecRef(value)
            return nil
        }
        _ = PyTuple_SetItem(tuple, 0, Py.new(name))
        _ = PyTuple_SetItem(tuple, 1, value)
        return tuple
    }
}
