/* Topic.wait: all of it is C, since a process that has just been woken runs everything with cold caches. */
#include "topic.h"

#define LOOK_NS 1000000000u /* a sleeper looks this often whether its region still has a name */
#define FOREVER_S 1e9

/* The one argument, timeout, by position or by name. 0, or -1 with an exception. */
static int parse_timeout(PyObject *const *args, Py_ssize_t nargs, PyObject *names, double *timeout) {
    Py_ssize_t named = names == NULL ? 0 : PyTuple_GET_SIZE(names);
    *timeout = FOREVER_S;
    if (nargs + named > 1 ||
        (named == 1 && PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, 0), "timeout") != 0)) {
        PyErr_SetString(PyExc_TypeError,
                        "wait() takes one argument, timeout: seconds, or None to wait for ever");
        return -1;
    }
    if (nargs + named == 0 || args[0] == Py_None)
        return 0;
    double seconds = PyFloat_AsDouble(args[0]);
    if (seconds == -1.0 && PyErr_Occurred())
        return -1;
    if (seconds < FOREVER_S)
        *timeout = seconds > 0 ? seconds : 0;
    return 0;
}

/* The cursor is looked at and moved with the GIL, since other threads may receive on the same handle; only
 * the sleep is without it. 0, or -1 with an exception (of a signal's handler). */
static int sleep_on_ring(topic_object *self, uint64_t until_ns) {
    horus_wait ticket;
    if (horus_subscriber_wait_begin(&self->sub, until_ns, &ticket) != 0 || ticket.until_ns == 0)
        return 0;
    PyObject *keep = Py_NewRef(self->ring_object); /* close() in another thread must not unmap under us */
    Py_BEGIN_ALLOW_THREADS
    horus_wait_sleep(&ticket);
    Py_END_ALLOW_THREADS
    Py_DECREF(keep);
    return PyErr_CheckSignals();
}

static int call(topic_object *self, const char *method, uint64_t until_ns) {
    PyObject *done = PyObject_CallMethod((PyObject *)self, method, "K", until_ns);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* 1 a message is there, 0 time is up, -1 an exception. */
static int wait_until(topic_object *self, uint64_t deadline_ns) {
    uint64_t look_ns = horus_now_ns() + LOOK_NS;
    for (;;) {
        int there = horus_topic_has_msg((PyObject *)self);
        if (there != 0)
            return there;
        uint64_t now = horus_now_ns();
        if (self->closed || now >= deadline_ns)
            return 0;
        if (now >= look_ns) {
            if (call(self, "_upkeep", now) < 0)
                return -1;
            look_ns = now + LOOK_NS;
        }
        uint64_t until_ns = deadline_ns < look_ns ? deadline_ns : look_ns;
        if ((self->ring != NULL ? sleep_on_ring(self, until_ns) : call(self, "_await_topic", until_ns)) < 0)
            return -1;
    }
}

PyObject *topic_wait(topic_object *self, PyObject *const *args, Py_ssize_t nargs, PyObject *names) {
    double timeout;
    if (parse_timeout(args, nargs, names, &timeout) < 0)
        return NULL;
    int there = wait_until(self, horus_now_ns() + (uint64_t)(timeout * 1e9));
    if (there < 0 && self->closed && PyErr_ExceptionMatches(self->state->errors.HorusError)) {
        PyErr_Clear(); /* closed by another thread, which is one way to end a wait */
        there = 0;
    }
    return there < 0 ? NULL : PyBool_FromLong(there);
}
