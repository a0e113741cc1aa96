import CPython

/// The keys and values of ASGI's messages as interned strings: one comparison by address finds most of them.
final class ASGIKeys {
    let type, body, moreBody, status, headers, trailers, moreTrailers, path, file, offset, count, links: OpaquePointer
    let text, bytes, code, reason, subprotocol, message: OpaquePointer
    let httpRequest, httpDisconnect, responseStart, responseBody, responseTrailers, pathSend, zeroCopySend,
        earlyHint: OpaquePointer
    let webSocketConnect, webSocketReceive, webSocketDisconnect, webSocketAccept, webSocketSend,
        webSocketClose: OpaquePointer
    let webSocketResponseStart, webSocketResponseBody: OpaquePointer
    let emptyBytes: OpaquePointer

    init() throws(PythonError) {
        func text(_ text: String) throws(PythonError) -> OpaquePointer {
            try Py.check(PyUnicode_InternFromString(text))
        }
        type = try text("type")
        body = try text("body")
        moreBody = try text("more_body")
        status = try text("status")
        headers = try text("headers")
        trailers = try text("trailers")
        moreTrailers = try text("more_trailers")
        path = try text("path")
        file = try text("file")
        offset = try text("offset")
        count = try text("count")
        links = try text("links")
        self.text = try text("text")
        bytes = try text("bytes")
        code = try text("code")
        reason = try text("reason")
        subprotocol = try text("subprotocol")
        message = try text("message")
        httpRequest = try text("http.request")
        httpDisconnect = try text("http.disconnect")
        responseStart = try text("http.response.start")
        responseBody = try text("http.response.body")
        responseTrailers = try text("http.response.trailers")
        pathSend = try text("http.response.pathsend")
        zeroCopySend = try text("http.response.zerocopysend")
        earlyHint = try text("http.response.early_hint")
        webSocketConnect = try text("websocket.connect")
        webSocketReceive = try text("websocket.receive")
        webSocketDisconnect = try text("websocket.disconnect")
        webSocketAccept = try text("websocket.accept")
        webSocketSend = try text("websocket.send")
        webSocketClose = try text("websocket.close")
        webSocketResponseStart = try text("websocket.http.response.start")
        webSocketResponseBody = try text("websocket.http.response.body")
        emptyBytes = try Py.check(PyBytes_FromStringAndSize(nil, 0))
    }
}

/// Reading an event that an application sends: what is wrong with it is raised out of `send` (ASGI 3.0).
struct ASGIEvent {
    let dict: OpaquePointer
    /// Borrowed.
    let type: OpaquePointer

    /// Nil with an exception set.
    init?(_ event: OpaquePointer, _ keys: ASGIKeys) {
        guard Py.isInstance(event, PyDict_Type()) else {
            PyErr_Clear()
            Py.raise(PyExc_TypeError(), "an ASGI event must be a dict")
            return nil
        }
        guard let type = PyDict_GetItemWithError(event, keys.type) else {
            if PyErr_Occurred() == nil { Py.raise(PyExc_ValueError(), "the ASGI event has no 'type'") }
            return nil
        }
        dict = event
        self.type = type
    }

    /// Whether the type is `name`, an interned string.
    @inline(__always)
    func isType(_ name: OpaquePointer) -> Bool {
        if type == name { return true }
        guard let mine = Py.utf8(type), let wanted = Py.utf8(name) else {
            PyErr_Clear()
            return false
        }
        return mine.elementsEqual(wanted)
    }

    /// Borrowed; nil when it is absent, or with an exception set.
    @inline(__always)
    func value(_ key: OpaquePointer) -> OpaquePointer? { PyDict_GetItemWithError(dict, key) }

    /// A truth value, false when absent; nil with an exception set.
    @inline(__always)
    func flag(_ key: OpaquePointer) -> Bool? {
        guard let value = value(key) else { return PyErr_Occurred() == nil ? false : nil }
        if value == _Py_FalseStruct() { return false }
        if value == _Py_TrueStruct() { return true }
        let truth = PyObject_IsTrue(value)
        return truth < 0 ? nil : truth == 1
    }

    /// An `int`; nil when absent or None, or with an exception set.
    func integer(_ key: OpaquePointer) -> Int? {
        guard let value = value(key), !Py.isNone(value) else { return nil }
        guard Py.isInstance(value, PyLong_Type()) else {
            PyErr_Clear()
            Py.raise(PyExc_TypeError(), "'\(Py.string(key) ?? "")' must be an int")
            return nil
        }
        let number = PyLong_AsLongLong(value)
        return number == -1 && PyErr_Occurred() != nil ? nil : Int(number)
    }

    /// The name of its type.
    var name: String { Py.string(type) ?? "?" }
}
