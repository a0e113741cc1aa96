import CPython

/// Starts the calls of applications as tasks of an asyncio loop: at once, up to where they first wait, as asyncio's
/// `eager_start` does from CPython 3.12 on.
///
/// They are asyncio's own tasks: what looks at them (`current_task`, `timeout`, `TaskGroup`, anyio) finds what it knows. What
/// a task costs is mostly what asyncio calls in Python while it makes one; the guest loop has that natively.
final class TaskStarter {
    /// What the loop calls to run a task's first step, and the context to run it in: owned.
    private struct FirstStep {
        let step: OpaquePointer
        let context: OpaquePointer
    }

    private let loop: OpaquePointer
    private let isGuest: Bool
    /// Whether asyncio's tasks can start eagerly by themselves.
    private let hasEagerTasks: Bool
    private let taskType, taskKeywords, createTask, createTaskKeywords, callName, factoryName: OpaquePointer
    /// The loop's own `call_soon`; nil where it is not caught.
    private var callSoon: OpaquePointer?
    private var isCatching = false
    private var caught: FirstStep?

    nonisolated(unsafe) private static var type: NativeType?

    /// A task's first step, which `Task()` schedules, is caught while one is started.
    private static let callSoon = NativeFunction(
        "call_soon",
        withNames: { me, arguments, count, names in
            cpython_called()
            defer { cpython_returning() }
            return me.flatMap(TaskStarter.of)?.callSoon(arguments, count, names)
        })

    /// `loop` is a guest loop or, when not `isGuest`, one that runs by itself. The interpreter is entered.
    init(_ loop: OpaquePointer, _ module: OpaquePointer, isGuest: Bool, header: Int) throws(PythonError) {
        self.loop = loop
        self.isGuest = isGuest
        let eager = try Py.check(PyObject_GetAttrString(module, "HAS_EAGER_TASKS"))
        defer { Py_DecRef(eager) }
        hasEagerTasks = eager == _Py_TrueStruct()
        taskType = try Py.check(PyObject_GetAttrString(module, "Task"))
        taskKeywords = try Self.names(["loop", "name"] + (hasEagerTasks ? ["eager_start"] : []))
        createTask = try Py.check(PyObject_GetAttrString(loop, "create_task"))
        createTaskKeywords = try Self.names(["name"])
        callName = try Py.check(PyUnicode_InternFromString("request"))
        factoryName = try Py.check(PyUnicode_InternFromString(isGuest ? "_task_factory" : "get_task_factory"))
        if isGuest, !hasEagerTasks { try catchFirstSteps(header) }
    }

    private static func names(_ names: [String]) throws(PythonError) -> OpaquePointer {
        let tuple = try Py.check(PyTuple_New(names.count))
        for (index, name) in names.enumerated() {
            try Py.check(PyTuple_SetItem(tuple, index, try Py.check(PyUnicode_InternFromString(name))))
        }
        return tuple
    }

    private func catchFirstSteps(_ header: Int) throws(PythonError) {
        if Self.type == nil {
            Self.type = try NativeType("_portico.TaskStarter", header: header, .init()) { TaskStarter.type?.free($0) }
        }
        callSoon = try Py.check(PyObject_GetAttrString(loop, "call_soon"))
        let me = try Py.check(Self.type?.make(self))
        defer { Py_DecRef(me) }
        let function = try Py.check(Self.callSoon.bound(to: me))
        defer { Py_DecRef(function) }
        try Py.check(PyObject_SetAttrString(loop, "call_soon", function))
    }

    private static func of(_ instance: OpaquePointer) -> TaskStarter? {
        type?.object(of: instance, as: TaskStarter.self)
    }

    /// Makes `call`, which is a coroutine to asyncio, a task and runs it. The result is the task, as a reference that the caller
    /// owns. The interpreter is entered.
    func start(_ call: OpaquePointer) throws(PythonError) -> OpaquePointer {
        let task: OpaquePointer
        // A step inside a step is more than asyncio knew before 3.12.
        if hasEagerTasks || (isGuest && cpython_is_called() == 0), hasNoFactory {
            isCatching = callSoon != nil
            defer { isCatching = false }
            task = try Py.check(
                Self.vectorcall(taskType, (nil, call, loop, callName, _Py_TrueStruct()), taskKeywords))
        } else {
            task = try Py.check(Self.vectorcall(createTask, (nil, call, callName, nil, nil), createTaskKeywords))
        }
        guard let first = caught else { return task }
        caught = nil
        do {
            try run(first)
        } catch {
            Py_DecRef(task)
            throw error
        }
        return task
    }

    private var hasNoFactory: Bool {
        var me: OpaquePointer? = loop
        let found = isGuest ? PyObject_GetAttr(loop, factoryName) : PyObject_VectorcallMethod(factoryName, &me, 1, nil)
        guard let found else {
            PyErr_Clear()
            return false
        }
        defer { Py_DecRef(found) }
        return Py.isNone(found)
    }

    private typealias Arguments = (
        OpaquePointer?, OpaquePointer?, OpaquePointer?, OpaquePointer?, OpaquePointer?
    )

    /// Calls `function` with the second of `arguments` and, by the names in `keywords`, those behind it. The first place
    /// belongs to the callee.
    @inline(__always)
    private static func vectorcall(
        _ function: OpaquePointer, _ arguments: Arguments, _ keywords: OpaquePointer
    ) -> OpaquePointer? {
        withUnsafePointer(to: arguments) { arguments in
            arguments.withMemoryRebound(to: OpaquePointer?.self, capacity: 5) {
                PyObject_Vectorcall(function, $0 + 1, cpython_arguments_offset(1), keywords)
            }
        }
    }

    private func run(_ first: FirstStep) throws(PythonError) {
        defer {
            Py_DecRef(first.step)
            Py_DecRef(first.context)
        }
        try Py.check(PyContext_Enter(first.context))
        let result = PyObject_CallNoArgs(first.step)
        let error = result == nil ? PythonError.take() : nil
        PyContext_Exit(first.context)
        if let error { throw error }
        Py_DecRef(result)
    }

    private func callSoon(
        _ arguments: UnsafePointer<OpaquePointer>?, _ count: Int, _ names: OpaquePointer?
    ) -> OpaquePointer? {
        guard isCatching, count == 1, let arguments, names.map({ PyTuple_Size($0) == 1 }) ?? false else {
            guard let callSoon else { return nil }
            return PyObject_Vectorcall(
                callSoon,
                UnsafePointer(arguments.map { UnsafeRawPointer($0).assumingMemoryBound(to: OpaquePointer?.self) }),
                count, names)
        }
        isCatching = false
        caught = FirstStep(step: Py.new(arguments[0]), context: Py.new(arguments[1]))
        return Py.none
    }
}
