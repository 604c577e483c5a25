/* NodeBase: what a node does on every tick, without running Python code of ours.
 *
 * `send` and `recv` look the topic up by its name (or message class) in a dict and call the topic's C
 * functions directly; a name that is not there yet goes to Node._horus_open_to_send or
 * _horus_open_to_receive, which open the topic and bind it here. */
#include "node.h"
#include "topic.h"

/* How many unread messages a tick still sees: frames are large, and only the newest matter. */
#define AUTO_DEPTH 4
#define AUTO_DEPTH_POOLED 2

/* ---- topics ---- */

static PyObject *open_topic(horus_node *self, PyObject *table, PyObject *key, const char *opener) {
    PyObject *done = PyObject_CallMethod((PyObject *)self, opener, "O", key);
    if (done == NULL)
        return NULL;
    Py_DECREF(done);
    PyObject *topic = PyDict_GetItemWithError(table, key);
    if (topic == NULL && !PyErr_Occurred())
        PyErr_Format(PyExc_RuntimeError, "%s opened nothing for %R", opener, key);
    return Py_XNewRef(topic);
}

/* A new reference: user code in another thread may close the node's topics during a call. */
static inline PyObject *find_topic(horus_node *self, PyObject *table, PyObject *key, const char *opener) {
    PyObject *topic = PyDict_GetItemWithError(table, key);
    if (HORUS_LIKELY(topic != NULL))
        return Py_NewRef(topic);
    if (PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_TypeError)) /* unhashable: the opener has the better message */
            return NULL;
        PyErr_Clear();
    }
    return open_topic(self, table, key, opener);
}

static PyObject *node_send(horus_node *self, PyObject *const *args, Py_ssize_t nargs) {
    if (nargs != 2) {
        PyErr_Format(PyExc_TypeError, "send() takes a topic and a message (%zd given)", nargs);
        return NULL;
    }
    PyObject *topic = find_topic(self, self->to_send, args[0], "_horus_open_to_send");
    if (topic == NULL)
        return NULL;
    PyObject *stored = horus_topic_send(topic, args[1]);
    Py_DECREF(topic);
    return stored;
}

static PyObject *node_recv(horus_node *self, PyObject *key) {
    PyObject *topic = find_topic(self, self->to_receive, key, "_horus_open_to_receive");
    if (topic == NULL)
        return NULL;
    PyObject *message = horus_topic_recv(topic);
    Py_DECREF(topic);
    return message;
}

static PyObject *node_has_msg(horus_node *self, PyObject *key) {
    PyObject *topic = find_topic(self, self->to_receive, key, "_horus_open_to_receive");
    if (topic == NULL)
        return NULL;
    int waiting = horus_topic_has_msg(topic);
    Py_DECREF(topic);
    return waiting < 0 ? NULL : PyBool_FromLong(waiting);
}

static int require_topic(PyTypeObject *defining, PyObject *topic) {
    horus_state *state = PyType_GetModuleState(defining);
    if (PyObject_TypeCheck(topic, state->TopicBase))
        return 0;
    PyErr_Format(PyExc_TypeError, "expected a Topic, got %.200s", Py_TYPE(topic)->tp_name);
    return -1;
}

static PyObject *node_bind_send(horus_node *self, PyTypeObject *defining, PyObject *const *args,
                                Py_ssize_t nargs, PyObject *kwnames) {
    if (nargs != 2 || kwnames != NULL) {
        PyErr_SetString(PyExc_TypeError, "_horus_bind_send() takes a key and a topic");
        return NULL;
    }
    if (require_topic(defining, args[1]) < 0 || PyDict_SetItem(self->to_send, args[0], args[1]) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static int add_inlet(horus_node *self, PyObject *topic, Py_ssize_t depth) {
    for (Py_ssize_t i = 0; i < self->n_inlets; i++)
        if (self->inlets[i].topic == topic) { /* bound under a second key: its name and its class */
            self->inlets[i].depth = depth;
            return 0;
        }
    horus_inlet *grown = PyMem_Realloc(self->inlets, (size_t)(self->n_inlets + 1) * sizeof *grown);
    if (grown == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    self->inlets = grown;
    self->inlets[self->n_inlets++] = (horus_inlet){Py_NewRef(topic), depth};
    return 0;
}

static PyObject *node_bind_receive(horus_node *self, PyTypeObject *defining, PyObject *const *args,
                                   Py_ssize_t nargs, PyObject *kwnames) {
    if (nargs != 3 || kwnames != NULL) {
        PyErr_SetString(PyExc_TypeError, "_horus_bind_receive() takes a key, a topic and a depth");
        return NULL;
    }
    Py_ssize_t depth = PyLong_AsSsize_t(args[2]);
    if ((depth == -1 && PyErr_Occurred()) || require_topic(defining, args[1]) < 0 ||
        add_inlet(self, args[1], depth) < 0 || PyDict_SetItem(self->to_receive, args[0], args[1]) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static void drop_inlets(horus_node *self) {
    horus_inlet *inlets = self->inlets;
    Py_ssize_t n = self->n_inlets;
    self->inlets = NULL;
    self->n_inlets = 0;
    for (Py_ssize_t i = 0; i < n; i++)
        Py_DECREF(inlets[i].topic);
    PyMem_Free(inlets);
}

static PyObject *node_unbind(horus_node *self, PyObject *Py_UNUSED(ignored)) {
    drop_inlets(self);
    PyDict_Clear(self->to_send);
    PyDict_Clear(self->to_receive);
    Py_RETURN_NONE;
}

/* ---- callbacks ---- */

/* A tick that turns out to be a coroutine would never run: say so instead of dropping it. */
static int refuse_coroutine(PyObject *result) {
    if (HORUS_LIKELY(!PyCoro_CheckExact(result)))
        return 0;
    Py_XDECREF(PyObject_CallMethod(result, "close", NULL));
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_TypeError, "A tick returned a coroutine: expected it to run, got something to "
                                         "await. Make it a plain function.");
    return -1;
}

static void refresh(const horus_inlet *inlet) {
    Py_ssize_t depth = inlet->depth;
    if (depth == 0) /* looked up each time: a topic learns its kind when it is connected */
        depth = ((topic_object *)inlet->topic)->kind == HORUS_DESCRIPTOR ? AUTO_DEPTH_POOLED : AUTO_DEPTH;
    horus_topic_begin_tick(inlet->topic, depth);
}

uint64_t horus_node_enter(horus_node *self, uint32_t tid) {
    for (Py_ssize_t i = 0; i < self->n_inlets; i++)
        refresh(&self->inlets[i]);
    self->in_callback++;
    if (self->row->tid != tid)
        horus_store_relaxed(&self->row->tid, tid);
    uint64_t start_ns = horus_now_ns();
    horus_store_relaxed(&self->row->started_ns, start_ns);
    return start_ns;
}

void horus_node_leave(horus_node *self) {
    self->in_callback--;
    horus_store_relaxed(&self->row->started_ns, 0);
}

bool horus_node_tick(horus_node *self, PyObject *callback, uint32_t tid, horus_tick_result *result) {
    for (Py_ssize_t i = 0; i < self->n_inlets; i++)
        refresh(&self->inlets[i]);
    int outer = self->in_callback;
    self->in_callback = 1;
    if (HORUS_UNLIKELY(self->row->tid != tid))
        horus_store_relaxed(&self->row->tid, tid);
    result->start_ns = horus_now_ns();
    horus_store_relaxed(&self->row->started_ns, result->start_ns);
    PyObject *returned = PyObject_CallNoArgs(callback);
    result->end_ns = horus_now_ns();
    horus_store_relaxed(&self->row->started_ns, 0); /* read again: the node may have a new row */
    self->in_callback = outer;
    result->failed = false;
    if (HORUS_LIKELY(returned != NULL)) {
        int refused = refuse_coroutine(returned);
        Py_DECREF(returned);
        if (HORUS_LIKELY(refused == 0))
            return true;
    }
    result->failed = PyErr_ExceptionMatches(PyExc_Exception); /* not SystemExit and its like */
    return false;
}

static PyObject *node_run(horus_node *self, PyObject *const *args, Py_ssize_t nargs) {
    if (nargs < 1) {
        PyErr_SetString(PyExc_TypeError, "_horus_run() takes a callback and its arguments");
        return NULL;
    }
    int outer = self->in_callback;
    self->in_callback = 1;
    PyObject *result = PyObject_Vectorcall(args[0], args + 1, (size_t)(nargs - 1), NULL);
    self->in_callback = outer;
    if (result == NULL)
        return NULL;
    Py_DECREF(result);
    Py_RETURN_NONE;
}

/* ---- the type ---- */

static PyObject *node_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs)) {
    horus_node *self = (horus_node *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->to_send = PyDict_New();
    self->to_receive = PyDict_New();
    self->row = self->home = PyMem_Calloc(1, sizeof *self->home);
    if (self->to_send == NULL || self->to_receive == NULL || self->home == NULL)
        Py_CLEAR(self);
    return (PyObject *)self;
}

static int node_traverse(horus_node *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->to_send);
    Py_VISIT(self->to_receive);
    Py_VISIT(self->flight);
    Py_VISIT(self->log_levels);
    Py_VISIT(self->log_write);
    for (Py_ssize_t i = 0; i < self->n_inlets; i++)
        Py_VISIT(self->inlets[i].topic);
    return 0;
}

static int node_clear(horus_node *self) {
    drop_inlets(self);
    Py_CLEAR(self->to_send);
    Py_CLEAR(self->to_receive);
    Py_CLEAR(self->log_levels);
    Py_CLEAR(self->log_write);
    return 0;
}

static void node_dealloc(horus_node *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    node_clear(self);
    Py_CLEAR(self->flight); /* with the row: not in node_clear, after which callbacks may still run */
    PyMem_Free(self->home);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef node_methods[] = {
    {"send", METHOD(node_send), METH_FASTCALL,
     "send($self, topic, message, /)\n--\n\nPublish a message; True when it was stored."},
    {"recv", METHOD(node_recv), METH_O,
     "recv($self, topic, /)\n--\n\nThe next message of the topic, or None."},
    {"get", METHOD(node_recv), METH_O, "get($self, topic, /)\n--\n\nThe same as recv()."},
    {"has_msg", METHOD(node_has_msg), METH_O,
     "has_msg($self, topic, /)\n--\n\nWhether a message waits on the topic."},
    {"log_debug", METHOD(horus_node_log_debug), METH_FASTCALL | METH_KEYWORDS,
     "log_debug($self, message, every=None)\n--\n\nLog at level debug; with `every`, this line of code at "
     "most once in so many seconds."},
    {"log_info", METHOD(horus_node_log_info), METH_FASTCALL | METH_KEYWORDS,
     "log_info($self, message, every=None)\n--\n\nLog at level info; with `every`, this line of code at most "
     "once in so many seconds."},
    {"log_warning", METHOD(horus_node_log_warning), METH_FASTCALL | METH_KEYWORDS,
     "log_warning($self, message, every=None)\n--\n\nLog at level warning; with `every`, this line of code "
     "at most once in so many seconds."},
    {"log_error", METHOD(horus_node_log_error), METH_FASTCALL | METH_KEYWORDS,
     "log_error($self, message, every=None)\n--\n\nLog at level error; with `every`, this line of code at "
     "most once in so many seconds."},
    {"_horus_bind_log", METHOD(horus_node_bind_log), METH_FASTCALL,
     "_horus_bind_log($self, levels, write, /)\n--\n\nMake log_*() call write(level, message, every) unless "
     "levels says "
     "False."},
    {"_horus_bind_send", METHOD(node_bind_send), METH_METHOD | METH_FASTCALL | METH_KEYWORDS,
     "_horus_bind_send($self, key, topic, /)\n--\n\nMake send(key, ...) use the topic."},
    {"_horus_bind_receive", METHOD(node_bind_receive), METH_METHOD | METH_FASTCALL | METH_KEYWORDS,
     "_horus_bind_receive($self, key, topic, depth, /)\n--\n\nMake recv(key) use the topic; depth 0 suits "
     "its "
     "kind, below 0 is strict FIFO."},
    {"_horus_unbind", METHOD(node_unbind), METH_NOARGS, "_horus_unbind($self, /)\n--\n\nForget all topics."},
    {"_horus_run", METHOD(node_run), METH_FASTCALL,
     "_horus_run($self, callback, /, *args)\n--\n\nCall another callback of the node."},
    {"_horus_attach", METHOD(horus_node_attach), METH_METHOD | METH_FASTCALL | METH_KEYWORDS,
     "_horus_attach($self, flight, name, /)\n--\n\nKeep the figures in a row of the flight; its index, -1 "
     "when all are taken."},
    {"_horus_detach", METHOD(horus_node_detach), METH_O,
     "_horus_detach($self, free, /)\n--\n\nTake the figures home; `free`: another node may take the row."},
    {"_horus_quantile", METHOD(horus_node_quantile), METH_O,
     "_horus_quantile($self, share, /)\n--\n\nThe duration in ns below which that share of the ticks "
     "lies."},
    {"_horus_forgive", METHOD(horus_node_forgive), METH_NOARGS,
     "_horus_forgive($self, /)\n--\n\nStart counting failures in a row from zero."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef node_members[] = {
    {"_horus_in_callback", T_INT, offsetof(horus_node, in_callback), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot node_slots[] = {
    {Py_tp_doc, "The native part of a node: its topics by name, its callbacks and their counters."},
    {Py_tp_new, node_new},
    {Py_tp_dealloc, node_dealloc},
    {Py_tp_traverse, node_traverse},
    {Py_tp_clear, node_clear},
    {Py_tp_methods, node_methods},
    {Py_tp_members, node_members},
    {Py_tp_getset, horus_node_row_getset},
    {0, NULL},
};

static PyType_Spec node_spec = {
    .name = "horus_core._native.NodeBase",
    .basicsize = sizeof(horus_node),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = node_slots,
};

int horus_add_node(PyObject *module, horus_state *state) {
    state->NodeBase = (PyTypeObject *)PyType_FromModuleAndSpec(module, &node_spec, NULL);
    if (state->NodeBase == NULL || PyModule_AddType(module, state->NodeBase) < 0)
        return -1;
    return horus_add_alarm(module, state);
}
