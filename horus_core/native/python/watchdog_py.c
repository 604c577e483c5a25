/* _native.Watchdog: the native thread that sees ticks which do not end. */
#include "core_py.h"
#include "flight_py.h"

#include "horus/watchdog.h"

typedef struct {
    PyObject_HEAD
    horus_watchdog *watchdog; /* NULL once stopped */
    PyObject *flight;
    PyObject *rings; /* list: those that it may publish on */
    horus_state *state;
} watchdog_object;

static PyObject *watchdog_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static char *keywords[] = {"flight", NULL};
    horus_state *state = PyType_GetModuleState(type);
    PyObject *flight;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!:Watchdog", keywords, state->Flight, &flight))
        return NULL;
    watchdog_object *self = (watchdog_object *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->state = state;
    self->flight = Py_NewRef(flight);
    self->rings = PyList_New(0);
    horus_error error;
    if (self->rings != NULL)
        self->watchdog = horus_watchdog_start(((flight_object *)flight)->flight, &error);
    if (self->watchdog == NULL) {
        if (!PyErr_Occurred())
            horus_raise(state->errors.HorusError, &error);
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static void end(watchdog_object *self) {
    horus_watchdog *watchdog = self->watchdog;
    self->watchdog = NULL;
    if (watchdog == NULL)
        return;
    Py_BEGIN_ALLOW_THREADS
    horus_watchdog_stop(watchdog);
    Py_END_ALLOW_THREADS
}

static void watchdog_dealloc(watchdog_object *self) {
    PyTypeObject *type = Py_TYPE(self);
    end(self);
    Py_CLEAR(self->flight);
    Py_CLEAR(self->rings);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *watchdog_stop(watchdog_object *self, PyObject *Py_UNUSED(ignored)) {
    end(self);
    if (PyList_SetSlice(self->rings, 0, PyList_GET_SIZE(self->rings), NULL) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *watchdog_look(watchdog_object *self, PyObject *Py_UNUSED(ignored)) {
    if (self->watchdog != NULL)
        horus_watchdog_look(self->watchdog);
    Py_RETURN_NONE;
}

static PyObject *watchdog_arm(watchdog_object *self, PyObject *args) {
    unsigned int row;
    PyObject *ring;
    Py_buffer data;
    if (!PyArg_ParseTuple(args, "IO!y*:arm", &row, self->state->Ring, &ring, &data))
        return NULL;
    horus_error error = {.text = "the watchdog was stopped"};
    int done = -1, known = PySequence_Contains(self->rings, ring);
    if (self->watchdog != NULL && known >= 0 && (known || PyList_Append(self->rings, ring) == 0))
        done = horus_watchdog_arm(self->watchdog, row, horus_ring_of(ring), data.buf, (uint32_t)data.len,
                                  &error);
    PyBuffer_Release(&data);
    if (done == 0)
        Py_RETURN_NONE;
    return PyErr_Occurred() ? NULL : horus_raise(self->state->errors.HorusError, &error);
}

static PyObject *get_running(watchdog_object *self, void *Py_UNUSED(closure)) {
    return PyBool_FromLong(self->watchdog != NULL);
}

static PyMethodDef watchdog_methods[] = {
    {"stop", (PyCFunction)watchdog_stop, METH_NOARGS, "stop($self, /)\n--\n\nEnd the thread."},
    {"look", (PyCFunction)watchdog_look, METH_NOARGS,
     "look($self, /)\n--\n\nLook now: a row's watchdog_ns was changed."},
    {"arm", (PyCFunction)watchdog_arm, METH_VARARGS,
     "arm($self, row, ring, data, /)\n--\n\nPublish these wire bytes when that row is critical and hangs; "
     "b'' "
     "takes them away."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef watchdog_getset[] = {
    {"running", (getter)get_running, NULL, "Whether its thread runs.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot watchdog_slots[] = {
    {Py_tp_doc, "Watchdog(flight): a thread without the GIL that marks rows HUNG whose tick does not end."},
    {Py_tp_new, watchdog_new},
    {Py_tp_dealloc, watchdog_dealloc},
    {Py_tp_methods, watchdog_methods},
    {Py_tp_getset, watchdog_getset},
    {0, NULL},
};

static PyType_Spec watchdog_spec = {
    .name = "horus_core._native.Watchdog",
    .basicsize = sizeof(watchdog_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = watchdog_slots,
};

int horus_add_watchdog(PyObject *module) {
    PyObject *type = PyType_FromModuleAndSpec(module, &watchdog_spec, NULL);
    int added = type == NULL ? -1 : PyModule_AddType(module, (PyTypeObject *)type);
    Py_XDECREF(type);
    return added;
}
