import CPython
import Gateway
import HTTP

/// What `start_response` is given, checked when it is called, so that the traceback names who is to blame. Each function
/// returns nil with a Python exception set.
enum WSGIHead {
    /// `"200 OK"`: three digits, a space, a reason without control characters.
    static func status(_ object: OpaquePointer) -> Status? {
        guard let text = latin1(object, "status must be a str") else { return nil }
        let bytes = text.bytes
        let digits = bytes.prefix(3)
        guard digits.count == 3, digits.allSatisfy({ 0x30...0x39 ~= $0 }), bytes.count == 3 || bytes[3] == 0x20,
            bytes.allSatisfy(Token.isFieldValueByte)
        else {
            Py.raise(
                PyExc_ValueError(),
                "status must be three digits, a space and a reason: \(string(bytes).debugDescription)")
            return nil
        }
        let code = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        let reason = bytes.dropFirst(4)
        let registered = Status(code)
        return reason.elementsEqual(registered.reason.utf8) ? registered : Status(code, reason: string(reason))
    }

    /// Status and headers as `start_response` was given them; `contentLength` and what a server must not be asked to send
    /// are looked at as well.
    static func head(_ status: OpaquePointer, _ headers: OpaquePointer) -> WSGIResponseHead? {
        guard let status = self.status(status), let fields = fields(headers) else { return nil }
        do throws(WSGIError) {
            return try WSGIResponseHead(ResponseHead(status, fields))
        } catch {
            Py.raise(PyExc_AssertionError(), explain(error))
            return nil
        }
    }

    /// ``head(_:_:)`` by way of what is known already.
    static func head(
        _ status: OpaquePointer, _ headers: OpaquePointer, _ cache: HeadCache<WSGIHeadKind>
    ) -> WSGIResponseHead? {
        let key = WSGIHeadKind.StatusKey(text: status)
        if let head = cache.find(key, headers) { return head }
        guard let head = head(status, headers) else { return nil }
        cache.note(key, headers, head.head.fields, head)
        return head
    }

    /// A list of pairs of `str`; order and duplicates are kept.
    static func fields(_ list: OpaquePointer) -> Fields? {
        guard Py.isInstance(list, PyList_Type()) else {
            Py.raise(PyExc_TypeError(), "headers must be a list")
            return nil
        }
        var fields = Fields()
        for index in 0..<PyList_Size(list) {
            guard let pair = PyList_GetItem(list, index), Py.isInstance(pair, PyTuple_Type()), PyTuple_Size(pair) == 2,
                let nameObject = PyTuple_GetItem(pair, 0), let valueObject = PyTuple_GetItem(pair, 1)
            else {
                PyErr_Clear()
                Py.raise(PyExc_TypeError(), "headers must be a list of (name, value) tuples")
                return nil
            }
            guard let name = latin1(nameObject, "header names must be str"),
                let value = latin1(valueObject, "header values must be str")
            else { return nil }
            do throws(Fields.Invalid) {
                try fields.append(name: name.bytes, value: value.bytes)
            } catch {
                Py.raise(PyExc_ValueError(), "\(error)")
                return nil
            }
        }
        return fields
    }

    /// What PEP 3333 says of an error, for the exception's text.
    static func explain(_ error: any Error) -> String {
        switch error as? WSGIError {
        case .responseAlreadyStarted: "start_response() was called again without exc_info"
        case .hopByHopField(let name): "'\(name)' is a hop-by-hop header; only the server may send it"
        case .invalidStatus(let code): "\(code) is no final status"
        case .contentLengthMismatch: "Content-Length does not match the body"
        case .disconnected: "the client has disconnected"
        default: "\(error)"
        }
    }

    /// The bytes of a `str` of code points up to U+00FF.
    private static func latin1(_ object: OpaquePointer, _ complaint: String) -> Latin1? {
        guard Py.isInstance(object, PyUnicode_Type()) else {
            PyErr_Clear()
            Py.raise(PyExc_TypeError(), complaint)
            return nil
        }
        // As many bytes as characters: each is one of ASCII.
        if let utf8 = Py.utf8(object), utf8.count == PyUnicode_GetLength(object) {
            return Latin1(bytes: utf8, owner: nil)
        }
        PyErr_Clear()
        guard let owner = PyUnicode_AsLatin1String(object) else {
            PyErr_Clear()
            Py.raise(PyExc_ValueError(), "\(complaint) of Latin-1 characters")
            return nil
        }
        return Py.content(owner).map { Latin1(bytes: $0, owner: owner) }
    }

    private static func string(_ bytes: some Sequence<UInt8>) -> String {
        String(decoding: Array(bytes), as: UTF8.self)
    }
}

/// WSGI's heads are made of `str`.
enum WSGIHeadKind: HeadKind {
    typealias Head = WSGIResponseHead

    struct StatusKey: HeadStatusKey {
        let text: OpaquePointer

        static func == (a: Self, b: Self) -> Bool {
            if a.text == b.text { return true }
            guard Py.isExactly(a.text, PyUnicode_Type()), Py.isExactly(b.text, PyUnicode_Type()),
                let mine = bytes(a.text), let other = bytes(b.text)
            else { return false }
            return mine.count == other.count && mine.elementsEqual(other)
        }

        func retain() { Py_IncRef(text) }
        func release() { Py_DecRef(text) }
    }

    static var textType: OpaquePointer { PyUnicode_Type() }

    static func bytes(_ text: OpaquePointer) -> UnsafeRawBufferPointer? {
        guard let utf8 = Py.utf8(text) else {
            PyErr_Clear()
            return nil
        }
        return utf8
    }
}

/// Bytes of a Python object, and the object when it was made for them.
private struct Latin1: ~Copyable {
    let bytes: UnsafeRawBufferPointer
    let owner: OpaquePointer?

    deinit { if let owner { Py_DecRef(owner) } }
}
