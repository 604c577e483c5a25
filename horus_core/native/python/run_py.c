/* Run: one node being run. When its releases are, and what has become of its ticks.
 *
 * Release k is at base + k * period, rounded once from the exact product: nothing adds up, and nodes of equal
 * or harmonic rates share their releases to the nanosecond. */
#include "node.h"

#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RECOVER_AFTER 100
#define FIRST_HAS 10 /* times the time of a later tick: caches, imports, first connections */

uint32_t horus_thread_id(void) {
    static __thread uint32_t tid;
    if (HORUS_UNLIKELY(tid == 0))
        tid = (uint32_t)syscall(SYS_gettid);
    return tid;
}

/* ---- releases ---- */

static int64_t release_at(const horus_run *self, int64_t index) {
    double offset = (double)index * self->period + 0.5;
    return offset < 9e18 - (double)self->base_ns ? self->base_ns + (int64_t)offset : HORUS_NEVER;
}

static void count_skipped(horus_run *self, int64_t count) {
    uint64_t *skipped = &self->node->row->skipped;
    horus_store_relaxed(skipped, *skipped + (uint64_t)count);
}

static void skip_to(horus_run *self, int64_t now_ns) {
    int64_t newest = (int64_t)((double)(now_ns - self->base_ns) / self->period);
    while (release_at(self, newest) > now_ns) /* the division rounds */
        newest--;
    count_skipped(self, newest - self->index);
    self->index = newest;
    self->next_ns = release_at(self, newest);
}

void horus_run_begin(horus_run *self, int64_t now_ns) {
    self->release_ns = self->next_ns; /* also of those that are skipped: this tick is as late as the oldest */
    if (HORUS_UNLIKELY(self->on_demand)) {
        self->index = 0; /* the next is the only one */
    } else if (HORUS_UNLIKELY((double)(now_ns - self->next_ns) >= self->period))
        skip_to(self, now_ns);
    self->index++;
    self->next_ns = HORUS_UNLIKELY(self->on_demand) ? HORUS_NEVER : release_at(self, self->index);
    self->previous_ns = self->started_ns != 0 ? self->started_ns : now_ns - (int64_t)self->period;
    self->started_ns = now_ns;
    horus_store_relaxed(&self->node->row->release_ns, (uint64_t)self->release_ns);
}

/* The first release that is not before wake_ns, on the grid. */
static void rest_until(horus_run *self, int64_t wake_ns) {
    double index = (double)(wake_ns - self->base_ns) / self->period;
    if (wake_ns >= HORUS_NEVER || index >= 9e18) {
        self->next_ns = HORUS_NEVER;
        return;
    }
    self->index = (int64_t)index;
    while (self->index > 0 && release_at(self, self->index - 1) >= wake_ns)
        self->index--;
    while (release_at(self, self->index) < wake_ns)
        self->index++;
    self->next_ns = release_at(self, self->index);
}

/* ---- ticks ---- */

/* A first tick that was in time makes no other late: the node goes on with the next release to come. */
static void pass_over_until(horus_run *self, int64_t end_ns) {
    if (self->next_ns >= end_ns || self->on_demand)
        return;
    int64_t before = self->index;
    rest_until(self, end_ns);
    count_skipped(self, self->index - before);
}

static enum horus_reason judge_time(horus_run *self, int64_t end_ns, bool failed) {
    horus_flight_row *row = self->node->row;
    int64_t allowed = self->deadline_ns;
    if (HORUS_UNLIKELY(row->first)) {
        allowed *= FIRST_HAS;
        horus_store_relaxed(&row->first, 0);
        if (end_ns - self->release_ns <= allowed)
            pass_over_until(self, end_ns);
    }
    if (HORUS_UNLIKELY(allowed != 0 && end_ns - self->release_ns > allowed)) {
        horus_store_relaxed(&row->missed, row->missed + 1);
        horus_store_relaxed(&row->missed_in_row, row->missed_in_row + 1);
        self->good_in_row = 0;
        return HORUS_LANE_MISSED;
    }
    if (HORUS_UNLIKELY(row->missed_in_row != 0))
        horus_store_relaxed(&row->missed_in_row, 0);
    self->good_in_row = failed ? 0 : self->good_in_row + 1;
    if (HORUS_LIKELY(!self->degraded || self->good_in_row < self->recover_after))
        return HORUS_LANE_DONE;
    self->good_in_row = 0;
    return HORUS_LANE_RECOVERED;
}

enum horus_reason horus_run_judge(horus_run *self, int64_t end_ns, bool failed) {
    enum horus_reason reason = judge_time(self, end_ns, failed);
    uint32_t hung = horus_load_relaxed(&self->node->row->hung);
    if (HORUS_LIKELY(hung == self->hung_seen))
        return reason;
    self->hung_seen = hung;
    self->good_in_row = 0;
    return HORUS_LANE_RETURNED;
}

/* The watchdog has marked it while it hung: it was RUNNING, or ERROR, before. */
static void come_back(horus_node *node, uint64_t lasted_ns) {
    horus_flight_row *row = node->row;
    uint32_t hung = HORUS_HUNG;
    if (__atomic_compare_exchange_n(&row->state, &hung, horus_load_relaxed(&row->state_before), false,
                                    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED) &&
        node->flight != NULL) {
        char text[64];
        int length = snprintf(text, sizeof text, "its tick has ended after %.1f ms", (double)lasted_ns / 1e6);
        horus_flight_write_event(node->flight->flight, node->row_index, HORUS_EVENT_RETURNED, 0, text,
                                 (size_t)length);
    }
}

void horus_run_record(horus_run *self, const horus_tick_result *result, enum horus_reason judged,
                      int64_t late_ns, uint32_t tid) {
    horus_node *node = self->node;
    horus_flight_row *row = node->row;
    bool missed = row->missed_in_row != 0; /* as it was judged */
    uint64_t late = late_ns > 0 ? (uint64_t)late_ns : 0;
    uint32_t *bucket = &row->lateness[horus_flight_bucket(late)];
    horus_store_relaxed(bucket, *bucket + 1);
    if (HORUS_UNLIKELY(horus_load_relaxed(&row->state) == HORUS_HUNG))
        come_back(node, result->end_ns - result->start_ns);
    if (node->flight != NULL)
        horus_flight_write_tick(node->flight->flight, node->row_index,
                                (uint8_t)((result->failed ? HORUS_TICK_FAILED : 0) |
                                          (missed ? HORUS_TICK_MISSED : 0) |
                                          (judged == HORUS_LANE_RETURNED ? HORUS_TICK_HUNG : 0)),
                                result->start_ns, result->end_ns - result->start_ns, late, tid);
}

/* ---- for classes that do not use a lane ---- */

static PyObject *run_begin(horus_run *self, PyObject *now) {
    long long now_ns = PyLong_AsLongLong(now);
    if (now_ns == -1 && PyErr_Occurred())
        return NULL;
    horus_run_begin(self, now_ns);
    Py_RETURN_NONE;
}

/* A tick that ran elsewhere (another process, an event loop) counts as any other. */
static PyObject *run_count(horus_run *self, PyObject *const *args, Py_ssize_t nargs) {
    horus_tick_result result;
    if (nargs != 4) {
        PyErr_SetString(PyExc_TypeError, "count() takes start_ns, end_ns, failed and tid");
        return NULL;
    }
    result.start_ns = PyLong_AsUnsignedLongLong(args[0]);
    result.end_ns = PyLong_AsUnsignedLongLong(args[1]);
    int failed = PyObject_IsTrue(args[2]);
    unsigned long tid = PyLong_AsUnsignedLong(args[3]);
    if (failed < 0 || PyErr_Occurred())
        return NULL;
    result.failed = failed;
    horus_node_count(self->node, &result);
    enum horus_reason reason = horus_run_judge(self, (int64_t)result.end_ns, failed);
    horus_run_record(self, &result, reason, (int64_t)result.start_ns - self->release_ns, (uint32_t)tid);
    return PyLong_FromLong(reason);
}

int horus_run_diverted(horus_run *self) {
    PyObject *to = Py_NewRef(self->diverted);
    PyObject *done = PyObject_CallNoArgs(to);
    Py_DECREF(to);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static PyObject *run_began(horus_run *self, PyObject *Py_UNUSED(ignored)) {
    return PyLong_FromUnsignedLongLong(horus_node_enter(self->node, horus_thread_id()));
}

static PyObject *run_ended(horus_run *self, PyObject *const *args, Py_ssize_t nargs) {
    horus_node_leave(self->node);
    if (nargs != 2) {
        PyErr_SetString(PyExc_TypeError, "ended() takes start_ns and failed");
        return NULL;
    }
    PyObject *end = PyLong_FromUnsignedLongLong(horus_now_ns());
    PyObject *tid = PyLong_FromUnsignedLong(horus_thread_id());
    PyObject *reason = NULL;
    if (end != NULL && tid != NULL)
        reason = run_count(self, (PyObject *[]){args[0], end, args[1], tid}, 4);
    Py_XDECREF(end);
    Py_XDECREF(tid);
    return reason;
}

/* On this thread, by the machine's clock, after begin(). */
static PyObject *run_tick(horus_run *self, PyObject *Py_UNUSED(ignored)) {
    if (self->diverted != NULL)
        return horus_run_diverted(self) < 0 ? NULL : PyLong_FromLong(HORUS_LANE_DONE);
    horus_tick_result result;
    uint32_t tid = horus_thread_id();
    bool well = horus_node_tick(self->node, self->call, tid, &result);
    PyObject *type = NULL, *value = NULL, *traceback = NULL;
    if (!well)
        PyErr_Fetch(&type, &value, &traceback);
    horus_node_count(self->node, &result);
    enum horus_reason reason = horus_run_judge(self, (int64_t)result.end_ns, !well);
    horus_run_record(self, &result, reason, (int64_t)result.start_ns - self->release_ns, tid);
    if (well)
        return PyLong_FromLong(reason);
    PyErr_Restore(type, value, traceback);
    return NULL;
}

/* ---- planning ---- */

static PyObject *run_plan(horus_run *self, PyObject *base) {
    long long base_ns = PyLong_AsLongLong(base);
    if (base_ns == -1 && PyErr_Occurred())
        return NULL;
    self->base_ns = self->next_ns = base_ns;
    self->index = 0;
    self->started_ns = self->previous_ns = 0;
    self->good_in_row = 0;
    self->hung_seen = horus_load_relaxed(&self->node->row->hung);
    horus_store_relaxed(&self->node->row->first, 1);
    Py_RETURN_NONE;
}

static PyObject *run_rest_until(horus_run *self, PyObject *wake) {
    long long wake_ns = PyLong_AsLongLong(wake);
    if (wake_ns == -1 && PyErr_Occurred())
        return NULL;
    rest_until(self, wake_ns);
    Py_RETURN_NONE;
}

static PyObject *run_set_rate(horus_run *self, PyObject *const *args, Py_ssize_t nargs) {
    if (nargs != 2) {
        PyErr_SetString(PyExc_TypeError, "set_rate() takes a rate and the time");
        return NULL;
    }
    double rate = PyFloat_AsDouble(args[0]);
    long long now_ns = PyLong_AsLongLong(args[1]);
    if (PyErr_Occurred())
        return NULL;
    if (!(rate > 0)) {
        PyErr_SetString(PyExc_ValueError, "set_rate() takes a rate above 0");
        return NULL;
    }
    self->rate = rate;
    self->period = 1e9 / rate;
    horus_store_relaxed(&self->node->row->period_ns, (uint64_t)self->period);
    if (self->next_ns != HORUS_NEVER)
        rest_until(self, now_ns);
    Py_RETURN_NONE;
}

static PyObject *run_skip(horus_run *self, PyObject *now) {
    long long now_ns = PyLong_AsLongLong(now);
    if (now_ns == -1 && PyErr_Occurred())
        return NULL;
    if (self->next_ns != HORUS_NEVER) {
        if ((double)(now_ns - self->next_ns) >= self->period)
            skip_to(self, now_ns);
        count_skipped(self, 1);
        self->index++;
        self->next_ns = release_at(self, self->index);
    }
    Py_RETURN_NONE;
}

static PyObject *run_divert(horus_run *self, PyObject *to) {
    Py_XSETREF(self->diverted, to == Py_None ? NULL : Py_NewRef(to));
    horus_store_relaxed(&self->node->row->first, 1);
    Py_RETURN_NONE;
}

/* ---- the type ---- */

static PyObject *run_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs)) {
    PyObject *node, *call;
    double rate;
    if (PyTuple_GET_SIZE(args) < 3) {
        PyErr_SetString(PyExc_TypeError, "Run() takes a node, what it calls, and a rate");
        return NULL;
    }
    node = PyTuple_GET_ITEM(args, 0);
    call = PyTuple_GET_ITEM(args, 1);
    rate = PyFloat_AsDouble(PyTuple_GET_ITEM(args, 2));
    if (rate == -1.0 && PyErr_Occurred())
        return NULL;
    PyTypeObject *base = type; /* ours, below what Python derives from it */
    while (base->tp_new != (newfunc)run_new ||
           (base->tp_base != NULL && base->tp_base->tp_new == (newfunc)run_new))
        base = base->tp_base;
    horus_state *state = PyType_GetModuleState(base);
    if (state == NULL)
        return NULL;
    if (!PyObject_TypeCheck(node, state->NodeBase) || !(rate > 0)) {
        PyErr_SetString(PyExc_TypeError, "Run() takes a node, what it calls, and a rate above 0");
        return NULL;
    }
    horus_run *self = (horus_run *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->node = (horus_node *)Py_NewRef(node);
    self->call = Py_NewRef(call);
    self->rate = rate;
    self->period = 1e9 / rate;
    self->recover_after = RECOVER_AFTER;
    horus_store_relaxed(&self->node->row->first, 1);
    horus_store_relaxed(&self->node->row->period_ns, (uint64_t)self->period);
    return (PyObject *)self;
}

static int run_traverse(horus_run *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->node);
    Py_VISIT(self->call);
    Py_VISIT(self->diverted);
    return 0;
}

/* The node and the call stay: a lane's thread may be inside. Their own cycles are broken by the node. */
static int run_clear(horus_run *self) {
    Py_CLEAR(self->diverted);
    return 0;
}

static void run_dealloc(horus_run *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_CLEAR(self->diverted);
    Py_CLEAR(self->call);
    Py_CLEAR(self->node);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *get_deadline(horus_run *self, void *Py_UNUSED(closure)) {
    return PyLong_FromLongLong(self->deadline_ns);
}

static int set_deadline(horus_run *self, PyObject *value, void *Py_UNUSED(closure)) {
    long long deadline_ns = value == NULL ? 0 : PyLong_AsLongLong(value);
    if (deadline_ns == -1 && PyErr_Occurred())
        return -1;
    if (deadline_ns < 0 || deadline_ns > HORUS_NEVER / FIRST_HAS) {
        PyErr_SetString(PyExc_ValueError, "deadline_ns: expected nanoseconds, or 0 for none");
        return -1;
    }
    self->deadline_ns = deadline_ns;
    horus_store_relaxed(&self->node->row->deadline_ns, (uint64_t)deadline_ns);
    return 0;
}

static PyMethodDef run_methods[] = {
    {"plan", METHOD(run_plan), METH_O,
     "plan($self, base_ns, /)\n--\n\nSet the first release, and forget the ticks before it."},
    {"rest_until", METHOD(run_rest_until), METH_O,
     "rest_until($self, wake_ns, /)\n--\n\nBe released no more before that time; then on the old grid."},
    {"set_rate", METHOD(run_set_rate), METH_FASTCALL,
     "set_rate($self, rate, now_ns, /)\n--\n\nAnother rate, on a grid of the same base, from now on."},
    {"skip", METHOD(run_skip), METH_O,
     "skip($self, now_ns, /)\n--\n\nLeave out the next tick, and with it the releases that went by; they "
     "count as "
     "skipped."},
    {"divert", METHOD(run_divert), METH_O,
     "divert($self, to, /)\n--\n\nLet releases call something else, which is no tick; None: the tick again."},
    {"begin", METHOD(run_begin), METH_O,
     "begin($self, now_ns, /)\n--\n\nBegin a tick for all releases that are due; all but one count as "
     "skipped."},
    {"tick", METHOD(run_tick), METH_NOARGS,
     "tick($self, /)\n--\n\nAfter begin(): tick on this thread and count it; a LANE_ reason. Raises what it "
     "raised."},
    {"count", METHOD(run_count), METH_FASTCALL,
     "count($self, start_ns, end_ns, failed, tid, /)\n--\n\nAfter begin(): count a tick that ran elsewhere; "
     "a "
     "LANE_ reason."},
    {"began", METHOD(run_began), METH_NOARGS,
     "began($self, /)\n--\n\nAfter begin(): say that a tick runs, which is not called by the Run; its "
     "start."},
    {"ended", METHOD(run_ended), METH_FASTCALL,
     "ended($self, start_ns, failed, /)\n--\n\nIt has ended, now: count it; a LANE_ reason."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef run_members[] = {
    {"rate", T_DOUBLE, offsetof(horus_run, rate), READONLY, "Releases a second."},
    {"base_ns", T_LONGLONG, offsetof(horus_run, base_ns), READONLY, "The first release."},
    {"next_ns", T_LONGLONG, offsetof(horus_run, next_ns), 0, "The next release; NEVER: none."},
    {"index", T_LONGLONG, offsetof(horus_run, index), READONLY, "The number of the next release."},
    {"release_ns", T_LONGLONG, offsetof(horus_run, release_ns), READONLY, "The release of the last tick."},
    {"started_ns", T_LONGLONG, offsetof(horus_run, started_ns), READONLY,
     "When it began; 0 before the first."},
    {"previous_ns", T_LONGLONG, offsetof(horus_run, previous_ns), READONLY, "When the one before began."},
    {"good_in_row", T_LONGLONG, offsetof(horus_run, good_in_row), 0, "Ticks that neither failed nor missed."},
    {"recover_after", T_LONGLONG, offsetof(horus_run, recover_after), 0, "Good ticks that are a recovery."},
    {"degraded", T_INT, offsetof(horus_run, degraded), 0, "Whether a recovery is to be told."},
    {"on_demand", T_INT, offsetof(horus_run, on_demand), 0,
     "Whether no release follows from the one before."},
    {"diverted", T_OBJECT, offsetof(horus_run, diverted), READONLY,
     "What releases call instead of the tick, or None."},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef run_getset[] = {
    {"deadline_ns", (getter)get_deadline, (setter)set_deadline,
     "How long after its release a tick may end; 0: as it likes.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot run_slots[] = {
    {Py_tp_doc, "Run(node, call, rate): one node being run, its releases and the account of its ticks."},
    {Py_tp_new, run_new},
    {Py_tp_dealloc, run_dealloc},
    {Py_tp_traverse, run_traverse},
    {Py_tp_clear, run_clear},
    {Py_tp_methods, run_methods},
    {Py_tp_members, run_members},
    {Py_tp_getset, run_getset},
    {0, NULL},
};

static PyType_Spec run_spec = {
    .name = "horus_core._native.Run",
    .basicsize = sizeof(horus_run),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = run_slots,
};

int horus_add_run(PyObject *module, horus_state *state) {
    state->Run = (PyTypeObject *)PyType_FromModuleAndSpec(module, &run_spec, NULL);
    if (state->Run == NULL)
        return -1;
    return PyModule_AddType(module, state->Run);
}
