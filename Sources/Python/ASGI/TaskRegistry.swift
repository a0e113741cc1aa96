import CPython

/// asyncio's set of all tasks with `add` made native. It is a `WeakSet`, which is written in Python and called for every
/// task, at its birth and at its death; what it holds stays what it was.
final class TaskRegistry {
    private let data, iterating, pending, commit: OpaquePointer
    /// Called with the weak reference when a task has died. Owned.
    private var remove: OpaquePointer?

    nonisolated(unsafe) private static var type: NativeType?

    private static let add = NativeFunction("add") { me, arguments, count in
        guard let arguments, count == 1 else {
            Py.raise(PyExc_TypeError(), "add() takes one task")
            return nil
        }
        return me.flatMap(TaskRegistry.of)?.add(arguments[0]) == true ? Py.none : nil
    }
    private static let remove = NativeFunction("remove") { me, arguments, count in
        guard let arguments, count == 1 else { return Py.none }
        return me.flatMap(TaskRegistry.of)?.remove(arguments[0]) == true ? Py.none : nil
    }

    /// Takes over `set`, a `WeakSet`. The interpreter is entered.
    static func adopt(_ set: OpaquePointer, _ header: Int) throws(PythonError) {
        guard type == nil else { return }
        type = try NativeType("_portico.TaskRegistry", header: header, .init()) { TaskRegistry.type?.free($0) }
        let registry = try TaskRegistry(set)
        let me = try Py.check(type?.make(registry))
        defer { Py_DecRef(me) }
        registry.remove = try Py.check(remove.bound(to: me))
        let function = try Py.check(add.bound(to: me))
        defer { Py_DecRef(function) }
        try Py.check(PyObject_SetAttrString(set, "add", function))
    }

    private init(_ set: OpaquePointer) throws(PythonError) {
        func attribute(_ name: String) throws(PythonError) -> OpaquePointer {
            try Py.check(PyObject_GetAttrString(set, name))
        }
        data = try attribute("data")
        iterating = try attribute("_iterating")
        pending = try attribute("_pending_removals")
        commit = try attribute("_commit_removals")
    }

    private static func of(_ instance: OpaquePointer) -> TaskRegistry? {
        type?.object(of: instance, as: TaskRegistry.self)
    }

    private func add(_ task: OpaquePointer) -> Bool {
        if PyList_Size(pending) > 0 {
            guard let done = PyObject_CallNoArgs(commit) else { return false }
            Py_DecRef(done)
        }
        guard let reference = PyWeakref_NewRef(task, remove) else { return false }
        defer { Py_DecRef(reference) }
        return PySet_Add(data, reference) == 0
    }

    /// While somebody goes through the set, what leaves it waits.
    private func remove(_ reference: OpaquePointer) -> Bool {
        PyObject_Size(iterating) > 0 ? PyList_Append(pending, reference) == 0 : PySet_Discard(data, reference) >= 0
    }
}
