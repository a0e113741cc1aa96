import CPython
import Gateway
import HTTP
import NIOCore

/// A head that `http.response.start` may give, and what it says of the body.
struct ASGIResponseHead {
    var head: ResponseHead
    let length: Int?
}

/// ASGI's heads are made of `bytes`, and an `int`.
enum ASGIHeadKind: HeadKind {
    typealias StatusKey = Int
    typealias Head = ASGIResponseHead

    static var textType: OpaquePointer { PyBytes_Type() }
    static func bytes(_ text: OpaquePointer) -> UnsafeRawBufferPointer? { Py.content(text) }
}

/// Reading status, headers and bodies of events. Each function returns nil with a Python exception set.
enum ASGIHead {
    /// `status` and `headers` of a response's start.
    static func response(_ event: ASGIEvent, _ keys: ASGIKeys, _ cache: HeadCache<ASGIHeadKind>) -> ASGIResponseHead? {
        guard let code = event.integer(keys.status) else {
            if PyErr_Occurred() == nil { Py.raise(PyExc_ValueError(), "'\(event.name)' has no 'status'") }
            return nil
        }
        guard (200...999).contains(code) else {
            Py.raise(PyExc_ValueError(), "\(code) is no final status")
            return nil
        }
        let headers = event.value(keys.headers)
        if let headers, let known = cache.find(code, headers) { return known }
        guard headers != nil || PyErr_Occurred() == nil else { return nil }
        var length: Int?
        guard let fields = fields(headers, &length) else { return nil }
        let head = ASGIResponseHead(head: ResponseHead(Status(code), fields), length: length)
        if let headers { cache.note(code, headers, fields, head) }
        return head
    }

    /// The fields that the event has under `key`.
    static func fields(_ event: ASGIEvent, _ key: OpaquePointer, _ length: inout Int?) -> Fields? {
        guard let headers = event.value(key) else { return PyErr_Occurred() == nil ? Fields() : nil }
        return fields(headers, &length)
    }

    /// An iterable of pairs of `bytes`, or nothing. `Transfer-Encoding` is left out: the server frames.
    private static func fields(_ headers: OpaquePointer?, _ length: inout Int?) -> Fields? {
        var fields = Fields()
        guard let headers, !Py.isNone(headers) else { return fields }
        if Py.isExactly(headers, PyList_Type()) {
            for index in 0..<PyList_Size(headers) {
                guard let pair = PyList_GetItem(headers, index), append(pair, &fields, &length) else { return nil }
            }
            return fields
        }
        guard let tuple = PySequence_Tuple(headers) else { return nil }
        defer { Py_DecRef(tuple) }
        for index in 0..<PyTuple_Size(tuple) {
            guard let pair = PyTuple_GetItem(tuple, index), append(pair, &fields, &length) else { return nil }
        }
        return fields
    }

    private static func append(_ pair: OpaquePointer, _ fields: inout Fields, _ length: inout Int?) -> Bool {
        guard !Py.isExactly(pair, PyTuple_Type()) else { return appendTuple(pair, &fields, &length) }
        guard let tuple = PySequence_Tuple(pair) else { return false }
        defer { Py_DecRef(tuple) }
        return appendTuple(tuple, &fields, &length)
    }

    private static func appendTuple(_ pair: OpaquePointer, _ fields: inout Fields, _ length: inout Int?) -> Bool {
        guard PyTuple_Size(pair) == 2, let nameObject = PyTuple_GetItem(pair, 0),
            let valueObject = PyTuple_GetItem(pair, 1), let name = Py.content(nameObject),
            let value = Py.content(valueObject)
        else {
            PyErr_Clear()
            Py.raise(PyExc_TypeError(), "headers must be pairs of bytes")
            return false
        }
        if name.count == 17, isNamed(name, "transfer-encoding") { return true }
        if name.count == 14, isNamed(name, "content-length") {
            guard let number = Int(String(decoding: value, as: UTF8.self)), number >= 0, length ?? number == number
            else {
                Py.raise(PyExc_ValueError(), "invalid Content-Length")
                return false
            }
            length = number
        }
        do throws(Fields.Invalid) {
            try fields.append(name: name, value: value)
            return true
        } catch {
            Py.raise(PyExc_ValueError(), "\(error)")
            return false
        }
    }

    private static func isNamed(_ name: UnsafeRawBufferPointer, _ wanted: StaticString) -> Bool {
        wanted.withUTF8Buffer { wanted in
            for index in 0..<name.count where name[index] | 0x20 != wanted[index] { return false }
            return true
        }
    }

    /// A copy of `bytes`, or of what has a buffer like them.
    static func body(_ object: OpaquePointer?) -> ByteBuffer? {
        guard let object else { return PyErr_Occurred() == nil ? ByteBuffer() : nil }
        if let content = Py.content(object) { return content.isEmpty ? ByteBuffer() : ByteBuffer(bytes: content) }
        PyErr_Clear()
        guard
            let name = PyObject_Type(object).flatMap({ type -> String? in
                defer { Py_DecRef(type) }
                return Py.attribute(type, "__name__").flatMap(Py.consumeText)
            }), name == "bytearray" || name == "memoryview", let bytes = PyBytes_FromObject(object)
        else {
            PyErr_Clear()
            Py.raise(PyExc_TypeError(), "a body must be bytes")
            return nil
        }
        defer { Py_DecRef(bytes) }
        return Py.content(bytes).map { ByteBuffer(bytes: $0) }
    }
}
