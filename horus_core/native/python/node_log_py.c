/* node.log_debug() and its kin: whether the line is wanted costs a look-up, and all else is Python's. */
#include "node.h"

/* stdlib logging keeps, for each logger, which levels are wanted; it empties the dict whenever a level is set
 * anywhere, so that what stands in it is true. A level that does not stand in it is asked for by `write`. */
static bool is_unwanted(const horus_node *self, PyObject *level) {
    if (self->log_levels == NULL)
        return self->log_write == NULL;
    PyObject *wanted = PyDict_GetItemWithError(self->log_levels, level);
    if (wanted == NULL)
        PyErr_Clear();
    return wanted == Py_False;
}

static int parse(const char *name, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames,
                 PyObject *found[2]) {
    static const char *const names[] = {"message", "every"};
    if (nargs > 2) {
        PyErr_Format(PyExc_TypeError, "%s() takes a message and every= (%zd given)", name, nargs);
        return -1;
    }
    for (Py_ssize_t i = 0; i < nargs; i++)
        found[i] = args[i];
    for (Py_ssize_t i = 0; kwnames != NULL && i < PyTuple_GET_SIZE(kwnames); i++) {
        PyObject *key = PyTuple_GET_ITEM(kwnames, i);
        int place = PyUnicode_CompareWithASCIIString(key, names[0]) == 0   ? 0
                    : PyUnicode_CompareWithASCIIString(key, names[1]) == 0 ? 1
                                                                           : -1;
        if (place < 0 || found[place] != NULL) {
            PyErr_Format(PyExc_TypeError, "%s() got %s argument '%U'", name,
                         place < 0 ? "an unexpected" : "twice the", key);
            return -1;
        }
        found[place] = args[nargs + i];
    }
    if (found[0] == NULL) {
        PyErr_Format(PyExc_TypeError, "%s() takes a message (none given)", name);
        return -1;
    }
    return 0;
}

static PyObject *node_log(horus_node *self, const char *name, long number, PyObject *const *args,
                          Py_ssize_t nargs, PyObject *kwnames) {
    PyObject *call[4] = {PyLong_FromLong(number), NULL, NULL, NULL};
    PyObject *result = NULL;
    if (call[0] == NULL || parse(name, args, nargs, kwnames, call + 1) < 0)
        goto done;
    if (is_unwanted(self, call[0])) {
        result = Py_NewRef(Py_None);
        goto done;
    }
    PyObject *write = Py_NewRef(self->log_write); /* another thread may give the node another name */
    result = PyObject_Vectorcall(write, call, call[2] == NULL ? 2 : 3, NULL);
    Py_DECREF(write);
done:
    Py_XDECREF(call[0]);
    return result;
}

#define LOG(level, number)                                                                                   \
    PyObject *horus_node_log_##level(horus_node *self, PyObject *const *args, Py_ssize_t nargs,              \
                                     PyObject *kwnames) {                                                    \
        return node_log(self, "log_" #level, number, args, nargs, kwnames);                                  \
    }
LOG(debug, 10)
LOG(info, 20)
LOG(warning, 30)
LOG(error, 40)

PyObject *horus_node_bind_log(horus_node *self, PyObject *const *args, Py_ssize_t nargs) {
    if (nargs != 2 || !(args[0] == Py_None || PyDict_Check(args[0])) || !PyCallable_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "_horus_bind_log() takes a dict or None, and a function");
        return NULL;
    }
    PyObject *levels = args[0] == Py_None ? NULL : Py_NewRef(args[0]);
    Py_XSETREF(self->log_levels, levels);
    Py_XSETREF(self->log_write, Py_NewRef(args[1]));
    Py_RETURN_NONE;
}
