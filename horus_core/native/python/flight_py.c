/* _native.Flight: the writer's side of a scheduler's record. */
#include "flight_py.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

const char *const horus_state_names[HORUS_STATES] = {
    "uninitialized", "initializing", "running", "paused", "error", "hung", "crashed", "stopping", "stopped"};

static const char *const event_names[] = {NULL,    "start",  "stop",     "state", "failure",
                                          "miss",  "ladder", "recovery", "hung",  "returned",
                                          "estop", "log",    "note"};

const char *horus_event_name(unsigned kind) {
    return kind < sizeof event_names / sizeof *event_names ? event_names[kind] : NULL;
}

static int kind_of(const char *name) {
    for (unsigned kind = 1; kind < sizeof event_names / sizeof *event_names; kind++)
        if (strcmp(event_names[kind], name) == 0)
            return (int)kind;
    PyErr_Format(PyExc_ValueError, "not a kind of event: '%s'", name);
    return -1;
}

/* The file must be as long as the flight that is to lie in it. */
static int check_file(int fd, const horus_flight_params *params) {
    struct stat file;
    if (fd < 0)
        return 0;
    if (fstat(fd, &file) < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    if ((size_t)file.st_size == horus_flight_size(params))
        return 0;
    PyErr_Format(PyExc_ValueError, "expected a file of %zu bytes, got %lld", horus_flight_size(params),
                 (long long)file.st_size);
    return -1;
}

static PyObject *flight_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static char *keywords[] = {"fd", "name", "ident", "rows", "ticks", "events", NULL};
    int fd = -1;
    unsigned long long ident = 0;
    horus_flight_params params = {.name = ""};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|isKIII:Flight", keywords, &fd, &params.name, &ident,
                                     &params.rows, &params.ticks, &params.events))
        return NULL;
    params.ident = ident;
    if (check_file(fd, &params) < 0)
        return NULL;
    flight_object *self = (flight_object *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    horus_error error;
    self->flight = horus_flight_create(fd, &params, &error);
    if (self->flight == NULL) {
        Py_DECREF(self);
        PyObject *module = PyType_GetModule(type);
        return module == NULL ? NULL : horus_raise(horus_state_of(module)->errors.RegionError, &error);
    }
    return (PyObject *)self;
}

static void flight_dealloc(flight_object *self) {
    PyTypeObject *type = Py_TYPE(self);
    horus_flight_free(self->flight);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *flight_event(flight_object *self, PyObject *args, PyObject *kwargs) {
    static char *keywords[] = {"kind", "text", "row", "detail", NULL};
    const char *name, *text = "";
    Py_ssize_t length = 0;
    int row = -1;
    unsigned char detail = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "s|s#ib:event", keywords, &name, &text, &length, &row,
                                     &detail))
        return NULL;
    int kind = kind_of(name);
    if (kind < 0)
        return NULL;
    uint16_t node = row < 0 || row >= (int)HORUS_FLIGHT_NO_NODE ? HORUS_FLIGHT_NO_NODE : (uint16_t)row;
    horus_flight_write_event(self->flight, node, (uint8_t)kind, detail, text, (size_t)length);
    Py_RETURN_NONE;
}

static PyObject *flight_end(flight_object *self, PyObject *Py_UNUSED(ignored)) {
    horus_flight_end(self->flight);
    Py_RETURN_NONE;
}

static PyObject *get_size(flight_object *self, void *Py_UNUSED(closure)) {
    return PyLong_FromSize_t(self->flight->size);
}
static PyObject *get_ended(flight_object *self, void *Py_UNUSED(closure)) {
    return PyBool_FromLong(horus_load_relaxed(&self->flight->header->ended_ns) != 0);
}

#define METHOD(function) ((PyCFunction)(void (*)(void))(function))

static PyMethodDef flight_methods[] = {
    {"event", METHOD(flight_event), METH_VARARGS | METH_KEYWORDS,
     "event($self, kind, text='', row=-1, detail=0)\n--\n\nRecord something that happened; kind by name, row "
     "-1: to no node."},
    {"end", METHOD(flight_end), METH_NOARGS,
     "end($self, /)\n--\n\nMark a run that ended as it should, and give back memory that was never "
     "written."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef flight_getset[] = {
    {"size", (getter)get_size, NULL, "Bytes of memory.", NULL},
    {"ended", (getter)get_ended, NULL, "Whether end() was called.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot flight_slots[] = {
    {Py_tp_doc, "A scheduler's record: live rows of its nodes, ticks and events. fd -1: private memory."},
    {Py_tp_new, flight_new},
    {Py_tp_dealloc, flight_dealloc},
    {Py_tp_methods, flight_methods},
    {Py_tp_getset, flight_getset},
    {0, NULL},
};

static PyType_Spec flight_spec = {
    .name = "horus_core._native.Flight",
    .basicsize = sizeof(flight_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = flight_slots,
};

static PyObject *size_of(PyObject *Py_UNUSED(module), PyObject *args, PyObject *kwargs) {
    static char *keywords[] = {"rows", "ticks", "events", NULL};
    horus_flight_params params = {.name = ""};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|III:flight_size", keywords, &params.rows, &params.ticks,
                                     &params.events))
        return NULL;
    return PyLong_FromSize_t(horus_flight_size(&params));
}

static PyMethodDef functions[] = {
    {"flight_size", METHOD(size_of), METH_VARARGS | METH_KEYWORDS,
     "flight_size(rows=0, ticks=0, events=0)\n--\n\nHow long the file of a Flight must be; 0 is the "
     "default."},
    {NULL, NULL, 0, NULL},
};

int horus_add_flight(PyObject *module, horus_state *state) {
    state->Flight = (PyTypeObject *)PyType_FromModuleAndSpec(module, &flight_spec, NULL);
    if (state->Flight == NULL || PyModule_AddType(module, state->Flight) < 0 ||
        PyModule_AddFunctions(module, functions) < 0)
        return -1;
    return horus_add_flight_reader(module) < 0 ? -1 : horus_add_watchdog(module);
}
