#include "cpython.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

struct cpython_table cpython_table;
__thread PyThreadState *cpython_own_state;
__thread int cpython_depth;
uint64_t *cpython_lock_waits;
__thread int cpython_kept;
Py_ssize_t cpython_type_offset;

// CPython 3.10 has these two as inline functions only, over one that it exports.
static PyObject *(*vectorcall_dict)(PyObject *, PyObject *const *, size_t, PyObject *);

static PyObject *vectorcall(PyObject *callable, PyObject *const *arguments, size_t count, PyObject *names) {
    if (!names) return vectorcall_dict(callable, arguments, count, NULL);
    PyObject *keywords = PyDict_New();
    if (!keywords) return NULL;
    size_t positional = count & ~cpython_arguments_offset(0);
    PyObject *result = NULL;
    Py_ssize_t index = 0, total = PyTuple_Size(names);
    for (; index < total; index++) {
        PyObject *name = PyTuple_GetItem(names, index);
        if (!name || PyDict_SetItem(keywords, name, arguments[positional + (size_t)index]) < 0) break;
    }
    if (index == total) result = vectorcall_dict(callable, arguments, count, keywords);
    Py_DecRef(keywords);
    return result;
}

static PyObject *call_one_argument(PyObject *callable, PyObject *argument) {
    PyObject *arguments[] = {NULL, argument};
    return vectorcall_dict(callable, arguments + 1, cpython_arguments_offset(1), NULL);
}

static void *substitute(void *library, const char *name) {
    void *found = dlsym(library, "PyObject_VectorcallDict");
    if (!found) return NULL;
    memcpy(&vectorcall_dict, &found, sizeof found);
    if (strcmp(name, "PyObject_Vectorcall") == 0) return (void *)vectorcall;
    if (strcmp(name, "PyObject_CallOneArg") == 0) return (void *)call_one_argument;
    return NULL;
}

// From 3.13 on, in builds without a global lock: says that a module does not need one. Without it, the lock comes back.
static int (*set_module_lock)(PyObject *module, void *lock);

const char *cpython_load(void *library) {
    void *found;
    if ((found = dlsym(library, "PyUnstable_Module_SetGIL"))) memcpy(&set_module_lock, &found, sizeof found);
#define BIND(result, name, parameters, arguments)                                                                      \
    if (!(found = dlsym(library, #name)) && !(found = substitute(library, #name))) return #name;                       \
    memcpy(&cpython_table.name, &found, sizeof found);
    CPYTHON_FUNCTIONS(BIND)
#undef BIND
#define BIND(name)                                                                                                     \
    if (!(cpython_table.name = dlsym(library, #name))) return #name;
    CPYTHON_OBJECTS(BIND)
#undef BIND
    // An exception is exported as a variable that points to it.
#define BIND(name)                                                                                                     \
    if (!(found = dlsym(library, #name))) return #name;                                                                \
    cpython_table.name = *(PyObject **)found;
    CPYTHON_EXCEPTIONS(BIND)
#undef BIND
    return NULL;
}

void cpython_find_type(Py_ssize_t header) {
    PyObject *known[] = {_Py_NoneStruct(), _Py_TrueStruct(), PyBytes_Type(), PyExc_TypeError()};
    Py_ssize_t offset = header - (Py_ssize_t)sizeof(PyObject *);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        PyObject *type = PyObject_Type(known[i]);
        int is_there = type && *(PyObject **)((char *)known[i] + offset) == type;
        Py_DecRef(type);
        if (!is_there) return;
    }
    cpython_type_offset = offset;
}

// PyModuleDef (stable ABI) after its object header, whose size depends on the build.
struct module_definition {
    PyObject *(*init)(void);
    Py_ssize_t index;
    PyObject *copy;
    const char *name;
    const char *doc;
    Py_ssize_t size;
    PyMethodDef *methods;
    void *slots, *traverse, *clear, *free;
};

static union {
    char bytes[32 + sizeof(struct module_definition)];
    void *alignment;
} module;
static size_t module_header;

static struct module_definition *definition(void) { return (struct module_definition *)(module.bytes + module_header); }

static PyObject *make_module(void) {
    PyObject *made = PyModule_Create2(module.bytes, 1013);
    // Py_MOD_GIL_NOT_USED
    if (made && set_module_lock) set_module_lock(made, (void *)1);
    return made;
}

int cpython_add_module(const char *name, PyMethodDef *methods, int is_free_threaded) {
    // What PyObject_HEAD_INIT writes: one reference, or the mark of an object that is never freed.
    if (is_free_threaded) {
        uint32_t immortal = UINT32_MAX;
        memcpy(module.bytes + 12, &immortal, sizeof immortal);
        module_header = 32;
    } else {
        Py_ssize_t one = 1;
        memcpy(module.bytes, &one, sizeof one);
        module_header = 16;
    }
    // CPython keeps the name's address.
    name = strdup(name);
    if (!name) return -1;
    definition()->name = name;
    definition()->size = -1;
    definition()->methods = methods;
    return PyImport_AppendInittab(name, make_module);
}
