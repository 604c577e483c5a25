/* _native.Member: this process in a namespace. */
#include "core_py.h"

#include <sys/mman.h>

#include "horus/layouts.h"

static PyObject *member_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static char *keywords[] = {"fd", "namespace", "observe", NULL};
    int fd, observe = 0;
    const char *ns;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "is|p:Member", keywords, &fd, &ns, &observe))
        return NULL;
    member_object *self = (member_object *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    horus_error error;
    self->member = observe ? horus_member_observe(fd, ns, &error) : horus_member_join(fd, ns, &error);
    if (self->member == NULL) {
        Py_DECREF(self);
        PyObject *module = PyType_GetModule(type);
        return module == NULL ? NULL : horus_raise(horus_state_of(module)->errors.RegionError, &error);
    }
    return (PyObject *)self;
}

static void member_dealloc(member_object *self) {
    PyTypeObject *type = Py_TYPE(self);
    if (self->member != NULL)
        horus_member_leave(self->member);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *member_alive(member_object *self, PyObject *who) {
    uint64_t ident = PyLong_AsUnsignedLongLong(who);
    if (ident == (uint64_t)-1 && PyErr_Occurred())
        return NULL;
    return PyBool_FromLong(horus_member_alive(self->member, ident));
}

static PyObject *member_pid(member_object *self, PyObject *who) {
    uint64_t ident = PyLong_AsUnsignedLongLong(who);
    if (ident == (uint64_t)-1 && PyErr_Occurred())
        return NULL;
    return PyLong_FromUnsignedLong(horus_member_pid(self->member, ident));
}

static PyObject *member_living(member_object *self, PyObject *Py_UNUSED(ignored)) {
    PyObject *list = PyList_New(0);
    for (unsigned index = 0; list != NULL && index < HORUS_MAX_PROCESSES; index++) {
        horus_ident who = horus_member_at(self->member, index);
        if (who == 0 || !horus_member_alive(self->member, who))
            continue;
        PyObject *number = PyLong_FromUnsignedLongLong(who);
        if (number == NULL || PyList_Append(list, number) < 0)
            Py_CLEAR(list);
        Py_XDECREF(number);
    }
    return list;
}

static PyObject *member_bump(member_object *self, PyObject *Py_UNUSED(ignored)) {
    horus_member_bump(self->member);
    Py_RETURN_NONE;
}

static PyObject *member_wait(member_object *self, PyObject *args) {
    unsigned int seen;
    unsigned long long deadline_ns;
    if (!PyArg_ParseTuple(args, "IK:wait", &seen, &deadline_ns))
        return NULL;
    for (;;) {
        int rc;
        Py_BEGIN_ALLOW_THREADS
        rc = horus_member_wait(self->member, seen, deadline_ns);
        Py_END_ALLOW_THREADS
        if (PyErr_CheckSignals() < 0)
            return NULL;
        if (rc >= 0)
            return PyBool_FromLong(rc);
    }
}

static PyObject *get_ident(member_object *self, void *closure) {
    (void)closure;
    return PyLong_FromUnsignedLongLong(horus_member_self(self->member));
}
static PyObject *get_index(member_object *self, void *closure) {
    (void)closure;
    return PyLong_FromUnsignedLong(horus_ident_index(horus_member_self(self->member)));
}
static PyObject *get_namespace(member_object *self, void *closure) {
    (void)closure;
    return PyUnicode_FromString(horus_member_namespace(self->member));
}
static PyObject *get_epoch(member_object *self, void *closure) {
    (void)closure;
    return PyLong_FromUnsignedLong(horus_member_epoch(self->member));
}
static PyObject *get_linked(member_object *self, void *closure) {
    (void)closure;
    return PyBool_FromLong(horus_member_linked(self->member));
}
static PyObject *get_locked(member_object *self, void *closure) {
    (void)closure;
    return PyBool_FromLong(horus_member_locked(self->member));
}
static PyObject *get_forked(member_object *self, void *closure) {
    (void)closure;
    return PyBool_FromLong(horus_member_is_forked(self->member));
}

static PyMethodDef member_methods[] = {
    {"alive", (PyCFunction)member_alive, METH_O, "alive(ident) -> bool: whether that process lives."},
    {"pid", (PyCFunction)member_pid, METH_O, "pid(ident) -> int: its pid, 0 if unknown."},
    {"living", (PyCFunction)member_living, METH_NOARGS,
     "living() -> list[int]: identities of living processes."},
    {"bump", (PyCFunction)member_bump, METH_NOARGS, "bump(): tells all processes that a topic appeared."},
    {"wait", (PyCFunction)member_wait, METH_VARARGS,
     "wait(epoch, deadline_ns) -> bool: sleeps until the epoch differs or CLOCK_MONOTONIC passes the "
     "deadline."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef member_getset[] = {
    {"ident", (getter)get_ident, NULL, "This process's identity in the namespace; 0 of one that only looks.",
     NULL},
    {"index", (getter)get_index, NULL, "Its row in the table of processes, 0 to 511.", NULL},
    {"namespace", (getter)get_namespace, NULL, "The namespace's name.", NULL},
    {"epoch", (getter)get_epoch, NULL, "Counts the topics that appeared.", NULL},
    {"linked", (getter)get_linked, NULL, "Whether the index's file still has a name, and it is locked.",
     NULL},
    {"locked", (getter)get_locked, NULL, "Whether others see that it lives: its descriptor is still open.",
     NULL},
    {"forked", (getter)get_forked, NULL, "Whether a forked child inherited this membership.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot member_slots[] = {
    {Py_tp_doc,
     "Member(fd, namespace, observe=False): this process's membership of a namespace; observe: it takes no "
     "part and only looks."},
    {Py_tp_new, member_new},
    {Py_tp_dealloc, member_dealloc},
    {Py_tp_methods, member_methods},
    {Py_tp_getset, member_getset},
    {0, NULL},
};

static PyType_Spec member_spec = {
    .name = "horus_core._native.Member",
    .basicsize = sizeof(member_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = member_slots,
};

static PyObject *index_format(PyObject *Py_UNUSED(module), PyObject *arg) {
    int fd = (int)PyLong_AsLong(arg);
    if (fd == -1 && PyErr_Occurred())
        return NULL;
    void *memory = mmap(NULL, horus_index_size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        return PyErr_SetFromErrno(PyExc_OSError);
    horus_index_format(memory);
    munmap(memory, horus_index_size());
    Py_RETURN_NONE;
}

static PyObject *index_look(PyObject *Py_UNUSED(module), PyObject *arg) {
    int fd = (int)PyLong_AsLong(arg);
    if (fd == -1 && PyErr_Occurred())
        return NULL;
    horus_index_state state;
    horus_index_look(fd, &state);
    return Py_BuildValue("NNI", PyBool_FromLong(state.foreign), PyBool_FromLong(state.in_use), state.pid);
}

static PyMethodDef functions[] = {
    {"index_look", index_look, METH_O,
     "index_look(fd) -> (foreign, in_use, pid): of an index that cannot be joined, whether it is of another "
     "version, and who uses it."},
    {"index_format", index_format, METH_O, "index_format(fd): writes an empty index into a zeroed file."},
    {NULL, NULL, 0, NULL},
};

int horus_add_member(PyObject *module, horus_state *state) {
    state->Member = (PyTypeObject *)PyType_FromModuleAndSpec(module, &member_spec, NULL);
    if (state->Member == NULL || PyModule_AddType(module, state->Member) < 0 ||
        PyModule_AddFunctions(module, functions) < 0)
        return -1;
    PyObject *layouts = Py_BuildValue("IIII", HORUS_INDEX_LAYOUT, HORUS_TOPIC_LAYOUT, HORUS_POOL_LAYOUT,
                                      HORUS_MESSAGE_LAYOUT);
    int rc = layouts == NULL ? -1 : PyModule_AddObjectRef(module, "LAYOUTS", layouts);
    Py_XDECREF(layouts);
    if (rc < 0)
        return -1;
    return PyModule_AddIntConstant(module, "INDEX_SIZE", (long)horus_index_size());
}
