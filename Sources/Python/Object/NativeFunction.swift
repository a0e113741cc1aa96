import CPython

/// What Swift offers to Python as a callable: a definition that lives for ever, because callables point to it.
struct NativeFunction: @unchecked Sendable {
    // Sendable: written once, read by CPython only.
    let definition: UnsafeMutablePointer<PyMethodDef>

    /// `body` is called with the interpreter entered, the bound object and positional arguments (METH_FASTCALL).
    init(_ name: StaticString, _ body: @escaping PyCFunctionFast) {
        definition = .allocate(capacity: 1)
        definition.initialize(
            to: PyMethodDef(
                ml_name: UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self), ml_meth: body,
                ml_flags: Int32(METH_FASTCALL), ml_doc: nil))
    }

    /// As ``init(_:_:)``, with the names of those arguments, the last ones, that were given by name.
    init(_ name: StaticString, withNames body: @escaping PyCFunctionFastWithKeywords) {
        self.init(name, unsafeBitCast(body, to: PyCFunctionFast.self))
        definition.pointee.ml_flags |= Int32(METH_KEYWORDS)
    }

    /// A callable bound to `object`.
    @inline(__always)
    func bound(to object: OpaquePointer?) -> OpaquePointer? { PyCFunction_NewEx(definition, object, nil) }
}
