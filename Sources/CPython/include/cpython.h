// CPython's C API as Portico uses it: our own declarations of functions that libpython exports, bound when the library is
// opened at run time, so that one binary runs every CPython from 3.10 on. Objects are opaque: nothing here depends on how
// a version lays out its structures. What a function does, and who owns what it returns, is said in CPython's manual.
#ifndef CPYTHON_H
#define CPYTHON_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#pragma clang assume_nonnull begin

typedef struct cpython_object PyObject;
typedef struct cpython_thread_state PyThreadState;
typedef struct cpython_interpreter_state PyInterpreterState;
typedef ssize_t Py_ssize_t;

typedef PyObject *_Nullable (*PyCFunctionFast)(PyObject *_Nullable self, PyObject *_Nonnull const *_Nullable arguments,
                                               Py_ssize_t count);
typedef PyObject *_Nullable (*PyCFunctionFastWithKeywords)(PyObject *_Nullable self,
                                                           PyObject *_Nonnull const *_Nullable arguments,
                                                           Py_ssize_t count, PyObject *_Nullable names);

/// As in methodobject.h (stable ABI).
typedef struct {
    const char *_Nullable ml_name;
    PyCFunctionFast _Nullable ml_meth;
    int ml_flags;
    const char *_Nullable ml_doc;
} PyMethodDef;

/// As in structmember.h (stable ABI).
typedef struct {
    const char *_Nullable name;
    int type;
    Py_ssize_t offset;
    int flags;
    const char *_Nullable doc;
} PyMemberDef;

/// What an object is called by without a tuple being made of its arguments (PEP 590).
typedef PyObject *_Nullable (*vectorcallfunc)(PyObject *callable, PyObject *_Nonnull const *_Nullable arguments,
                                              size_t count, PyObject *_Nullable names);

/// As in object.h (stable ABI).
typedef struct {
    int slot;
    void *_Nullable pfunc;
} PyType_Slot;

typedef struct {
    const char *name;
    int basicsize;
    int itemsize;
    unsigned int flags;
    PyType_Slot *slots;
} PyType_Spec;

enum {
    METH_KEYWORDS = 0x0002,
    METH_FASTCALL = 0x0080,
    Py_TPFLAGS_DEFAULT = 1 << 18,
    Py_TPFLAGS_DISALLOW_INSTANTIATION = 1 << 7,
    Py_TPFLAGS_HAVE_VECTORCALL = 1 << 11,
    // Member types and flags of structmember.h (stable ABI).
    T_PYSSIZET = 19,
    READONLY = 1,
    // Slot numbers of typeslots.h (stable ABI).
    Py_tp_call = 50,
    Py_tp_dealloc = 52,
    Py_tp_iter = 62,
    Py_tp_iternext = 63,
    Py_tp_methods = 64,
    Py_tp_members = 72,
    Py_tp_free = 74,
    Py_am_await = 77,
    Py_am_send = 81,
    // PySendResult
    PYGEN_RETURN = 0,
    PYGEN_ERROR = -1,
    PYGEN_NEXT = 1,
    Py_file_input = 257,
};

// F(result, name, parameters, arguments)
#define CPYTHON_FUNCTIONS(F)                                                                                           \
    F(const char *_Nonnull, Py_GetVersion, (void), ())                                                                         \
    F(int, Py_BytesMain, (int argc, char *_Nullable *_Nonnull argv), (argc, argv))                                     \
    F(int, PyImport_AppendInittab, (const char *name, PyObject *_Nullable (*_Nonnull make)(void)), (name, make))        \
    F(PyObject *_Nullable, PyModule_Create2, (void *definition, int version), (definition, version))                   \
    F(PyThreadState *_Nullable, PyEval_SaveThread, (void), ())                                                         \
    F(void, PyEval_RestoreThread, (PyThreadState * state), (state))                                                    \
    F(PyThreadState *_Nullable, PyThreadState_New, (PyInterpreterState * interpreter), (interpreter))                  \
    F(void, PyThreadState_Clear, (PyThreadState * state), (state))                                                     \
    F(void, PyThreadState_DeleteCurrent, (void), ())                                                                   \
    F(PyThreadState *_Nullable, PyThreadState_Get, (void), ())                                                         \
    F(PyInterpreterState *_Nullable, PyInterpreterState_Get, (void), ())                                               \
    F(int, PyThreadState_SetAsyncExc, (unsigned long thread, PyObject *_Nullable exception), (thread, exception))      \
    F(void, Py_IncRef, (PyObject *_Nullable object), (object))                                                         \
    F(void, Py_DecRef, (PyObject *_Nullable object), (object))                                                         \
    F(PyObject *_Nullable, PyObject_Type, (PyObject * object), (object))                                               \
    F(PyObject *_Nullable, PyObject_Str, (PyObject * object), (object))                                                \
    F(PyObject *_Nullable, PyObject_Repr, (PyObject * object), (object))                                               \
    F(PyObject *_Nullable, PyObject_GetAttr, (PyObject * object, PyObject *name), (object, name))                      \
    F(PyObject *_Nullable, PyObject_GetAttrString, (PyObject * object, const char *name), (object, name))              \
    F(int, PyObject_SetAttr, (PyObject * object, PyObject *name, PyObject *_Nullable value), (object, name, value))    \
    F(int, PyObject_SetAttrString, (PyObject * object, const char *name, PyObject *value), (object, name, value))      \
    F(PyObject *_Nullable, PyObject_Vectorcall,                                                                        \
      (PyObject * callable, PyObject *_Nullable const *_Nullable arguments, size_t count, PyObject *_Nullable names),  \
      (callable, arguments, count, names))                                                                             \
    F(PyObject *_Nullable, PyObject_VectorcallMethod,                                                                  \
      (PyObject * name, PyObject *_Nullable const *_Nonnull arguments, size_t count, PyObject *_Nullable names),       \
      (name, arguments, count, names))                                                                                 \
    F(PyObject *_Nullable, PyVectorcall_Call,                                                                          \
      (PyObject * callable, PyObject * arguments, PyObject *_Nullable names), (callable, arguments, names))             \
    F(PyObject *_Nullable, PyObject_CallNoArgs, (PyObject * callable), (callable))                                     \
    F(PyObject *_Nullable, PyObject_CallOneArg, (PyObject * callable, PyObject *argument), (callable, argument))       \
    F(int, PyCallable_Check, (PyObject * object), (object))                                                            \
    F(int, PyObject_IsTrue, (PyObject * object), (object))                                                             \
    F(int, PyObject_IsInstance, (PyObject * object, PyObject *type), (object, type))                                   \
    F(Py_ssize_t, PyObject_Size, (PyObject * object), (object))                                                        \
    F(int, PyObject_AsFileDescriptor, (PyObject * object), (object))                                                   \
    F(PyObject *_Nullable, PyObject_GetIter, (PyObject * object), (object))                                            \
    F(PyObject *_Nullable, PyIter_Next, (PyObject * iterator), (iterator))                                             \
    F(int, PyIter_Send, (PyObject * iterator, PyObject *argument, PyObject *_Nullable *_Nonnull result),               \
      (iterator, argument, result))                                                                                    \
    F(PyObject *_Nullable, PyUnicode_FromStringAndSize, (const char *_Nullable text, Py_ssize_t count), (text, count)) \
    F(PyObject *_Nullable, PyUnicode_InternFromString, (const char *text), (text))                                     \
    F(PyObject *_Nullable, PyUnicode_DecodeLatin1,                                                                     \
      (const char *_Nullable text, Py_ssize_t count, const char *_Nullable errors), (text, count, errors))             \
    F(PyObject *_Nullable, PyUnicode_DecodeUTF8,                                                                       \
      (const char *_Nullable text, Py_ssize_t count, const char *_Nullable errors), (text, count, errors))             \
    F(const char *_Nullable, PyUnicode_AsUTF8AndSize, (PyObject * object, Py_ssize_t *_Nullable count),                \
      (object, count))                                                                                                 \
    F(Py_ssize_t, PyUnicode_GetLength, (PyObject * object), (object))                                                  \
    F(PyObject *_Nullable, PyUnicode_AsLatin1String, (PyObject * object), (object))                                    \
    F(PyObject *_Nullable, PyUnicode_EncodeFSDefault, (PyObject * object), (object))                                   \
    F(PyObject *_Nullable, PyUnicode_DecodeFSDefault, (const char *text), (text))                                      \
    F(PyObject *_Nullable, PyBytes_FromStringAndSize, (const char *_Nullable bytes, Py_ssize_t count), (bytes, count)) \
    F(char *_Nullable, PyBytes_AsString, (PyObject * object), (object))                                                \
    F(int, PyBytes_AsStringAndSize, (PyObject * object, char *_Nullable *_Nonnull bytes, Py_ssize_t *count),           \
      (object, bytes, count))                                                                                          \
    F(PyObject *_Nullable, PyBytes_FromObject, (PyObject * object), (object))                                          \
    F(PyObject *_Nullable, PyDict_New, (void), ())                                                                     \
    F(PyObject *_Nullable, PyDict_Copy, (PyObject * dict), (dict))                                                     \
    F(int, PyDict_SetItem, (PyObject * dict, PyObject *key, PyObject *value), (dict, key, value))                      \
    F(int, PyDict_SetItemString, (PyObject * dict, const char *key, PyObject *value), (dict, key, value))              \
    F(PyObject *_Nullable, PyDict_GetItemWithError, (PyObject * dict, PyObject *key), (dict, key))                     \
    F(PyObject *_Nullable, PyList_New, (Py_ssize_t count), (count))                                                    \
    F(Py_ssize_t, PyList_Size, (PyObject * list), (list))                                                              \
    F(PyObject *_Nullable, PyList_GetItem, (PyObject * list, Py_ssize_t index), (list, index))                         \
    F(int, PyList_SetItem, (PyObject * list, Py_ssize_t index, PyObject *item), (list, index, item))                   \
    F(int, PyList_Append, (PyObject * list, PyObject *item), (list, item))                                             \
    F(PyObject *_Nullable, PyTuple_New, (Py_ssize_t count), (count))                                                   \
    F(Py_ssize_t, PyTuple_Size, (PyObject * tuple), (tuple))                                                           \
    F(PyObject *_Nullable, PyTuple_GetItem, (PyObject * tuple, Py_ssize_t index), (tuple, index))                      \
    F(int, PyTuple_SetItem, (PyObject * tuple, Py_ssize_t index, PyObject *item), (tuple, index, item))                \
    F(PyObject *_Nullable, PySequence_Tuple, (PyObject * object), (object))                                            \
    F(int, PySet_Add, (PyObject * set, PyObject *item), (set, item))                                                   \
    F(int, PySet_Discard, (PyObject * set, PyObject *item), (set, item))                                               \
    F(PyObject *_Nullable, PyWeakref_NewRef, (PyObject * object, PyObject *_Nullable callback), (object, callback))    \
    F(int, PyContext_Enter, (PyObject * context), (context))                                                           \
    F(int, PyContext_Exit, (PyObject * context), (context))                                                            \
    F(PyObject *_Nullable, PyLong_FromLongLong, (long long value), (value))                                            \
    F(long long, PyLong_AsLongLong, (PyObject * object), (object))                                                     \
    F(PyObject *_Nullable, PyFloat_FromDouble, (double value), (value))                                                \
    F(double, PyFloat_AsDouble, (PyObject * object), (object))                                                         \
    F(PyObject *_Nullable, PyErr_Occurred, (void), ())                                                                 \
    F(void, PyErr_Clear, (void), ())                                                                                   \
    F(int, PyErr_CheckSignals, (void), ())                                                                             \
    F(int, PyErr_ExceptionMatches, (PyObject * exception), (exception))                                                \
    F(void, PyErr_SetString, (PyObject * type, const char *message), (type, message))                                  \
    F(void, PyErr_SetObject, (PyObject * type, PyObject *_Nullable value), (type, value))                              \
    F(void, PyErr_SetNone, (PyObject * type), (type))                                                                  \
    F(void, PyErr_Fetch,                                                                                               \
      (PyObject *_Nullable *_Nonnull type, PyObject *_Nullable *_Nonnull value, PyObject *_Nullable *_Nonnull trace),  \
      (type, value, trace))                                                                                            \
    F(void, PyErr_Restore,                                                                                             \
      (PyObject *_Nullable type, PyObject *_Nullable value, PyObject *_Nullable trace), (type, value, trace))          \
    F(void, PyErr_NormalizeException,                                                                                  \
      (PyObject *_Nullable *_Nonnull type, PyObject *_Nullable *_Nonnull value, PyObject *_Nullable *_Nonnull trace),  \
      (type, value, trace))                                                                                            \
    F(void, PyErr_WriteUnraisable, (PyObject *_Nullable object), (object))                                             \
    F(int, PyException_SetTraceback, (PyObject * exception, PyObject *trace), (exception, trace))                      \
    F(PyObject *_Nullable, PyErr_NewException,                                                                         \
      (const char *name, PyObject *_Nullable base, PyObject *_Nullable dict), (name, base, dict))                      \
    F(PyObject *_Nullable, PyType_FromSpec, (PyType_Spec * spec), (spec))                                              \
    F(PyObject *_Nullable, PyType_GenericAlloc, (PyObject * type, Py_ssize_t items), (type, items))                    \
    F(void, PyObject_Free, (void *_Nullable memory), (memory))                                                         \
    F(PyObject *_Nullable, PyCFunction_NewEx,                                                                          \
      (PyMethodDef * definition, PyObject *_Nullable self, PyObject *_Nullable module), (definition, self, module))    \
    F(PyObject *_Nullable, PyImport_ImportModule, (const char *name), (name))                                          \
    F(PyObject *_Nullable, PyImport_AddModule, (const char *name), (name))                                             \
    F(PyObject *_Nullable, PyModule_GetDict, (PyObject * module), (module))                                            \
    F(PyObject *_Nullable, Py_CompileString, (const char *source, const char *file, int start), (source, file, start)) \
    F(PyObject *_Nullable, PyEval_EvalCode, (PyObject * code, PyObject *globals, PyObject *locals),                    \
      (code, globals, locals))

// Objects that libpython exports as they are, and pointers to objects that it exports.
#define CPYTHON_OBJECTS(F)                                                                                             \
    F(_Py_NoneStruct)                                                                                                  \
    F(_Py_TrueStruct)                                                                                                  \
    F(_Py_FalseStruct)                                                                                                 \
    F(PyBytes_Type)                                                                                                    \
    F(PyUnicode_Type)                                                                                                  \
    F(PyList_Type)                                                                                                     \
    F(PyTuple_Type)                                                                                                    \
    F(PyDict_Type)                                                                                                     \
    F(PyCoro_Type)                                                                                                     \
    F(PyLong_Type)                                                                                                     \
    F(PyBool_Type)

#define CPYTHON_EXCEPTIONS(F)                                                                                          \
    F(PyExc_Exception)                                                                                                 \
    F(PyExc_BaseException)                                                                                             \
    F(PyExc_TypeError)                                                                                                 \
    F(PyExc_ValueError)                                                                                                \
    F(PyExc_KeyError)                                                                                                  \
    F(PyExc_RuntimeError)                                                                                              \
    F(PyExc_AssertionError)                                                                                            \
    F(PyExc_OSError)                                                                                                   \
    F(PyExc_ConnectionError)                                                                                           \
    F(PyExc_StopIteration)                                                                                             \
    F(PyExc_SystemExit)                                                                                                \
    F(PyExc_MemoryError)

#define CPYTHON_MEMBER(result, name, parameters, arguments) result(*_Nonnull name) parameters;
#define CPYTHON_POINTER(name) PyObject *name;
/// Where the opened library's functions and objects are; filled by cpython_load, constant afterwards.
struct cpython_table {
    CPYTHON_FUNCTIONS(CPYTHON_MEMBER)
    CPYTHON_OBJECTS(CPYTHON_POINTER)
    CPYTHON_EXCEPTIONS(CPYTHON_POINTER)
};
extern struct cpython_table cpython_table;
#undef CPYTHON_MEMBER
#undef CPYTHON_POINTER

#define CPYTHON_WRAPPER(result, name, parameters, arguments)                                                           \
    static inline result name parameters { return cpython_table.name arguments; }
CPYTHON_FUNCTIONS(CPYTHON_WRAPPER)
#undef CPYTHON_WRAPPER

#define CPYTHON_GETTER(name)                                                                                           \
    static inline PyObject *name(void) { return cpython_table.name; }
CPYTHON_OBJECTS(CPYTHON_GETTER)
CPYTHON_EXCEPTIONS(CPYTHON_GETTER)
#undef CPYTHON_GETTER

/// Binds everything above to the library that dlopen returned. Returns null, or the first name that it does not export.
const char *_Nullable cpython_load(void *library);

/// Where in an object its type is found; 0: only PyObject_Type knows. Set by cpython_find_type.
extern Py_ssize_t cpython_type_offset;

/// Looks whether the type stands at the end of the object header of `header` bytes, as the stable ABI has it, by asking
/// PyObject_Type about some objects. The interpreter is entered.
void cpython_find_type(Py_ssize_t header);

/// Whether the type of `object` is exactly `type`.
static inline int cpython_is_exactly(PyObject *object, PyObject *type) {
    if (cpython_type_offset) return *(PyObject **)((char *)object + cpython_type_offset) == type;
    PyObject *actual = PyObject_Type(object);
    Py_DecRef(actual);
    return actual == type;
}

/// Registers the built-in module `name` with `methods` (ended by an empty one; kept for ever). Called before Py_BytesMain,
/// once. `is_free_threaded` says that the library was built without a global interpreter lock: its objects are larger.
int cpython_add_module(const char *name, PyMethodDef *methods, int is_free_threaded);

/// What PyVectorcall_NARGS strips: allows the callee to use the place before the first argument.
static inline size_t cpython_arguments_offset(size_t count) { return count | ((size_t)1 << (8 * sizeof(size_t) - 1)); }

/// The calling thread's own Python thread state, made when it first enters the interpreter; and how deep it is inside.
extern __thread PyThreadState *_Nullable cpython_own_state;
extern __thread int cpython_depth;
/// How deep it is while it runs no Python: 1 when it keeps the interpreter between two calls.
extern __thread int cpython_kept;

/// Two numbers that grow: how often the interpreter's lock was asked for, and how many nanoseconds that took. Set once,
/// before any thread enters; null counts nothing.
extern uint64_t *_Nullable cpython_lock_waits;

static inline void cpython_count_lock_waits(uint64_t *numbers) { cpython_lock_waits = numbers; }

/// Takes the interpreter's lock, and counts how long that took.
static inline void cpython_take_lock(PyThreadState *state) {
    uint64_t *waits = cpython_lock_waits;
    if (!waits) {
        PyEval_RestoreThread(state);
        return;
    }
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    PyEval_RestoreThread(state);
    clock_gettime(CLOCK_MONOTONIC, &after);
    // Without a global lock, several may be here at once.
    __atomic_fetch_add(&waits[0], 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&waits[1],
                       (uint64_t)((after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec - before.tv_nsec),
                       __ATOMIC_RELAXED);
}

/// Attaches the calling thread to the interpreter (and takes its lock); nested calls are free. Ended by cpython_leave.
static inline void cpython_enter(PyInterpreterState *interpreter) {
    if (cpython_depth++ > 0) return;
    if (!cpython_own_state) cpython_own_state = PyThreadState_New(interpreter);
    cpython_take_lock(cpython_own_state);
}

/// Not zero in a process that the application forked off, which must never come back into the server.
extern int cpython_is_forked;
/// Ends such a process.
void cpython_end_forked(void) __attribute__((noreturn));
/// To be called first in such a process: closes the server's sockets, those that accept and those accepted.
void cpython_begin_forked(void);
/// Says which sockets accept for the server.
void cpython_set_listeners(const int *descriptors, int count);

static inline void cpython_leave(void) {
    if (--cpython_depth > cpython_kept) return;
    if (__builtin_expect(cpython_is_forked, 0)) cpython_end_forked();
    if (cpython_depth == 0) cpython_own_state = PyEval_SaveThread();
}

/// As cpython_enter, to be kept from one call of Python to the next, until cpython_let_go: once on a thread.
static inline void cpython_keep(PyInterpreterState *interpreter) {
    cpython_enter(interpreter);
    cpython_kept = 1;
}

static inline void cpython_let_go(void) {
    cpython_kept = 0;
    cpython_leave();
}

/// Whether the calling thread is attached.
static inline int cpython_is_inside(void) { return cpython_depth > 0; }

/// Whether the calling thread, which has entered the interpreter, was called by Python and not by the server's loop.
static inline int cpython_is_called(void) { return cpython_depth > cpython_kept + 1; }

/// Around what Python calls, on whichever thread: the lock is held already.
static inline void cpython_called(void) { cpython_depth++; }
static inline void cpython_returning(void) { cpython_depth--; }

/// Lets other threads run Python while this one waits; gives what cpython_regain needs.
typedef struct {
    PyThreadState *_Nullable state;
    int depth;
} cpython_released;

static inline cpython_released cpython_release(void) {
    if (__builtin_expect(cpython_is_forked, 0)) cpython_end_forked();
    cpython_released released = {NULL, cpython_depth};
    cpython_depth = 0;
    released.state = PyEval_SaveThread();
    cpython_own_state = released.state;
    return released;
}

static inline void cpython_regain(cpython_released released) {
    cpython_take_lock(released.state);
    cpython_depth = released.depth;
}

/// PyVectorcall_Call itself, for Py_tp_call.
static inline uintptr_t cpython_vectorcall_address(void) { return (uintptr_t)cpython_table.PyVectorcall_Call; }

/// The payload of an instance of one of our own types, whose object header takes `header` bytes.
static inline void *_Nullable *_Nonnull cpython_payload(PyObject *object, Py_ssize_t header) {
    return (void **)((char *)object + header);
}

#pragma clang assume_nonnull end
#endif
