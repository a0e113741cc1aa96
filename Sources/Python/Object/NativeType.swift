import CPython
import Glibc

/// A Python type whose instances carry one Swift object. They can be made by Swift alone, have no `__dict__`, and are not
/// subclassed; the Swift object is released with the instance.
struct NativeType: @unchecked Sendable {
    // Sendable: written once, while the interpreter starts.
    private let type: OpaquePointer
    /// The size of an object's header in the build at hand: `object.__basicsize__`.
    private let header: Int
    private let vectorcall: vectorcallfunc?

    /// The method, and the protocols behind `await` and `for`.
    struct Slots {
        var methods: [NativeFunction] = []
        var iterator: (@convention(c) (OpaquePointer) -> OpaquePointer?)?
        var next: (@convention(c) (OpaquePointer) -> OpaquePointer?)?
        var await: (@convention(c) (OpaquePointer) -> OpaquePointer?)?
        var send: (@convention(c) (OpaquePointer, OpaquePointer?, UnsafeMutablePointer<OpaquePointer?>) -> Int32)?
        /// What calls an instance.
        var call: vectorcallfunc?
    }

    /// `name` is dotted: module and type.
    init(_ name: String, header: Int, _ slots: Slots, dealloc: @convention(c) (OpaquePointer) -> Void)
        throws(PythonError)
    {
        self.header = header
        vectorcall = slots.call
        var list = [
            PyType_Slot(slot: Int32(Py_tp_dealloc), pfunc: unsafeBitCast(dealloc, to: UnsafeMutableRawPointer.self))
        ]
        func add(_ slot: Int32, _ function: UnsafeMutableRawPointer?) {
            if let function { list.append(PyType_Slot(slot: slot, pfunc: function)) }
        }
        add(Int32(Py_tp_iter), slots.iterator.map { unsafeBitCast($0, to: UnsafeMutableRawPointer.self) })
        add(Int32(Py_tp_iternext), slots.next.map { unsafeBitCast($0, to: UnsafeMutableRawPointer.self) })
        add(Int32(Py_am_await), slots.await.map { unsafeBitCast($0, to: UnsafeMutableRawPointer.self) })
        add(Int32(Py_am_send), slots.send.map { unsafeBitCast($0, to: UnsafeMutableRawPointer.self) })
        // Types keep pointing to their methods: neither is ever freed.
        let methods = UnsafeMutablePointer<PyMethodDef>.allocate(capacity: slots.methods.count + 1)
        for (index, method) in slots.methods.enumerated() {
            (methods + index).initialize(to: method.definition.pointee)
        }
        (methods + slots.methods.count).initialize(to: PyMethodDef())
        add(Int32(Py_tp_methods), UnsafeMutableRawPointer(methods))
        let word = MemoryLayout<UnsafeRawPointer>.size
        var size = header + word
        var flags = UInt32(Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION)
        if slots.call != nil {
            // Behind the Swift object, at the place that this member names: what calls the instance (PEP 590).
            let members = UnsafeMutablePointer<PyMemberDef>.allocate(capacity: 2)
            members.initialize(
                to: PyMemberDef(
                    name: strdup("__vectorcalloffset__"), type: Int32(T_PYSSIZET), offset: size, flags: Int32(READONLY),
                    doc: nil))
            (members + 1).initialize(to: PyMemberDef())
            add(Int32(Py_tp_members), UnsafeMutableRawPointer(members))
            add(Int32(Py_tp_call), UnsafeMutableRawPointer(bitPattern: cpython_vectorcall_address()))
            flags |= UInt32(Py_TPFLAGS_HAVE_VECTORCALL)
            size += word
        }
        list.append(PyType_Slot(slot: 0, pfunc: nil))
        let made: OpaquePointer? = list.withUnsafeMutableBufferPointer { list in
            guard let base = list.baseAddress, let name = strdup(name) else { return nil }
            var spec = PyType_Spec(
                name: name, basicsize: Int32(size), itemsize: 0, flags: flags, slots: base)
            return PyType_FromSpec(&spec)
        }
        type = try Py.check(made)
    }

    /// An instance that holds `object`.
    func make(_ object: AnyObject) -> OpaquePointer? {
        guard let instance = PyType_GenericAlloc(type, 0) else { return nil }
        let payload = cpython_payload(instance, header)
        payload.pointee = Unmanaged.passRetained(object).toOpaque()
        if let vectorcall { payload[1] = unsafeBitCast(vectorcall, to: UnsafeMutableRawPointer.self) }
        return instance
    }

    /// The Swift object inside `instance`, which is one of this type.
    @inline(__always)
    func object<T: AnyObject>(of instance: OpaquePointer, as: T.Type) -> T? {
        guard let pointer = cpython_payload(instance, header).pointee else { return nil }
        return Unmanaged<T>.fromOpaque(pointer).takeUnretainedValue()
    }

    /// To be called by the type's `dealloc`: releases the Swift object, the instance, and its reference to the type.
    func free(_ instance: OpaquePointer) {
        let payload = cpython_payload(instance, header)
        if let pointer = payload.pointee { Unmanaged<AnyObject>.fromOpaque(pointer).release() }
        payload.pointee = nil
        PyObject_Free(UnsafeMutableRawPointer(instance))
        Py_DecRef(type)
    }
}
