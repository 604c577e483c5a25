/* Lane: the nodes that one thread ticks. All that happens between two ticks happens here, and Python is asked
 * only when something is out of the ordinary: a tick that raised, a miss, a recovery, the end of a time.
 *
 * A pass goes over the nodes in order and ticks those that are due at its beginning. When Python is asked in
 * the middle of a pass, the next call goes on where it was: nodes that are due together tick together. */
#include "node.h"

/* A wait this short is not slept: falling asleep and waking up takes longer. */
#define NOT_WORTH_SLEEPING_NS 4000
#define YIELD_NS 5000000 /* a lane that never sleeps lets other threads have the GIL this often */

typedef struct {
    PyObject_HEAD
    PyTypeObject *run_type;
    PyObject *runs;     /* a tuple, replaced when it changes: a pass keeps the one it began with */
    PyObject *pass;     /* NULL between passes */
    Py_ssize_t at;      /* in the pass: whose turn it is */
    int64_t pass_ns;    /* when it began */
    PyObject *clock;    /* NULL: the machine's; else called for the time after each tick */
    PyObject *subject;  /* the Run that the last call of run() ended for, or NULL */
    horus_run *current; /* the Run that ticks now (borrowed from the pass) */
    horus_run *pending; /* a Run whose miss is still to be told, after its exception was */
    enum horus_reason pending_reason;
    horus_alarm *alarm; /* that it sleeps on, while run() is under way */
    int64_t last_ns;    /* the time as far as it is known without asking the clock */
    int64_t yielded_ns;
    int64_t spin_ns;
    bool busy; /* run() or run_due() is under way */
} horus_lane;

static int64_t machine_ns(void) {
    return (int64_t)horus_now_ns();
}

/* ---- one tick ---- */

/* What the scheduler's clock says at the end of a tick, which may have left an exception. 0, or -1. */
static int ask_clock(horus_lane *self, int64_t machine_end_ns, int64_t *end_ns) {
    if (HORUS_LIKELY(self->clock == NULL)) {
        *end_ns = machine_end_ns;
        return 0;
    }
    PyObject *now = PyObject_CallNoArgs(self->clock);
    long long value = now == NULL ? -1 : PyLong_AsLongLong(now);
    Py_XDECREF(now);
    if (value == -1 && PyErr_Occurred())
        return -1;
    *end_ns = value;
    return 0;
}

static int account(horus_lane *self, horus_run *run, const horus_tick_result *result, bool well,
                   uint32_t tid) {
    int64_t end_ns;
    horus_node_count(run->node, result);
    if (ask_clock(self, (int64_t)result->end_ns, &end_ns) < 0)
        return -1;
    int64_t began_ns = self->clock == NULL ? (int64_t)result->start_ns : self->last_ns;
    enum horus_reason reason = horus_run_judge(run, end_ns, !well);
    horus_run_record(run, result, reason, began_ns - run->release_ns, tid);
    self->last_ns = end_ns;
    return (int)reason;
}

/* A reason, or -1 with what the tick raised. */
static int tick(horus_lane *self, horus_run *run, uint32_t tid) {
    horus_run_begin(run, self->pass_ns);
    if (HORUS_UNLIKELY(run->diverted != NULL))
        return horus_run_diverted(run);
    horus_tick_result result;
    bool well = horus_node_tick(run->node, run->call, tid, &result);
    if (HORUS_LIKELY(well))
        return account(self, run, &result, true, tid);
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    int reason = account(self, run, &result, false, tid);
    if (reason < 0)
        PyErr_WriteUnraisable(self->clock); /* what the tick raised matters more */
    else if (reason != HORUS_LANE_DONE) {
        Py_XSETREF(self->pending, (horus_run *)Py_NewRef((PyObject *)run));
        self->pending_reason = (enum horus_reason)reason;
    }
    PyErr_Restore(type, value, traceback);
    return -1;
}

/* ---- one pass ---- */

static void begin_pass(horus_lane *self, int64_t now_ns) {
    Py_XSETREF(self->pass, Py_NewRef(self->runs));
    self->at = 0;
    self->pass_ns = self->last_ns = now_ns;
}

/* Goes on with the pass: DONE at its end, another reason with its subject, or -1 with an exception, whose
 * subject is the Run that raised it. */
static int go_on(horus_lane *self) {
    uint32_t tid = horus_thread_id();
    Py_ssize_t count = PyTuple_GET_SIZE(self->pass);
    while (self->at < count) {
        horus_run *run = (horus_run *)PyTuple_GET_ITEM(self->pass, self->at++);
        if (run->next_ns > self->pass_ns || !run->in_lane)
            continue;
        self->current = run;
        int reason = tick(self, run, tid);
        self->current = NULL;
        if (HORUS_UNLIKELY(reason != HORUS_LANE_DONE)) {
            Py_XSETREF(self->subject, Py_NewRef((PyObject *)run));
            return reason;
        }
    }
    Py_CLEAR(self->pass);
    return HORUS_LANE_DONE;
}

static int64_t next_release(const horus_lane *self) {
    int64_t next = HORUS_NEVER;
    Py_ssize_t count = PyTuple_GET_SIZE(self->runs);
    for (Py_ssize_t i = 0; i < count; i++) {
        const horus_run *run = (const horus_run *)PyTuple_GET_ITEM(self->runs, i);
        if (run->next_ns < next)
            next = run->next_ns;
    }
    return next;
}

/* What was left to tell of a tick that had raised. */
static int tell_pending(horus_lane *self) {
    Py_XSETREF(self->subject, (PyObject *)self->pending);
    self->pending = NULL;
    return (int)self->pending_reason;
}

/* ---- the loop ---- */

/* A lane that hardly sleeps: others have their turn at the GIL every now and then. */
static void yield_gil(horus_lane *self) {
    if (HORUS_LIKELY(self->last_ns - self->yielded_ns < YIELD_NS))
        return;
    Py_BEGIN_ALLOW_THREADS
    Py_END_ALLOW_THREADS
    self->yielded_ns = self->last_ns = machine_ns();
}

/* Waits for wake_ns. 0, or -1 with an exception of a signal's handler. */
static int rest(horus_lane *self, horus_alarm *alarm, uint32_t seen, int64_t wake_ns) {
    if (wake_ns - self->last_ns <= NOT_WORTH_SLEEPING_NS) {
        yield_gil(self);
        self->last_ns = horus_alarm_spin(alarm, seen, wake_ns);
        return 0;
    }
    if (horus_alarm_sleep(alarm, seen, wake_ns, self->spin_ns) < 0)
        return -1;
    self->last_ns = self->yielded_ns = machine_ns();
    return 0;
}

static int loop(horus_lane *self, horus_alarm *alarm, int64_t until_ns) {
    self->last_ns = machine_ns();
    for (;;) {
        if (self->pending != NULL)
            return tell_pending(self);
        if (self->pass == NULL) {
            if (PyErr_CheckSignals() < 0)
                return -1;
            if (horus_alarm_rung(alarm))
                return HORUS_LANE_RUNG;
            if (self->last_ns >= until_ns)
                return HORUS_LANE_TIME_UP;
            begin_pass(self, self->last_ns);
        }
        int reason = go_on(self);
        if (HORUS_UNLIKELY(reason != HORUS_LANE_DONE))
            return reason;
        uint32_t seen = horus_load_seq_cst(&alarm->word);
        int64_t wake = next_release(self);
        wake = wake < until_ns ? wake : until_ns;
        if (wake <= self->last_ns || seen & HORUS_RUNG)
            yield_gil(self);
        else if (rest(self, alarm, seen, wake) < 0)
            return -1;
    }
}

/* Between passes the subject is nobody: an exception from a signal's handler is no tick's. */
static int enter(horus_lane *self) {
    Py_CLEAR(self->subject);
    if (!self->busy)
        return 0;
    PyErr_SetString(PyExc_RuntimeError, "a Lane runs on one thread at a time, and not inside its own ticks");
    return -1;
}

static PyObject *lane_run(horus_lane *self, PyObject *const *args, Py_ssize_t nargs) {
    if (nargs != 2) {
        PyErr_SetString(PyExc_TypeError, "run() takes an Alarm and a time");
        return NULL;
    }
    horus_state *state = PyType_GetModuleState(Py_TYPE(self));
    if (!PyObject_TypeCheck(args[0], state->Alarm)) {
        PyErr_SetString(PyExc_TypeError, "run() takes an Alarm and a time");
        return NULL;
    }
    long long until_ns = PyLong_AsLongLong(args[1]);
    if ((until_ns == -1 && PyErr_Occurred()) || enter(self) < 0)
        return NULL;
    self->alarm = (horus_alarm *)Py_NewRef(args[0]);
    self->busy = true;
    int reason = loop(self, self->alarm, until_ns);
    self->busy = false;
    Py_CLEAR(self->alarm);
    return reason < 0 ? NULL : PyLong_FromLong(reason);
}

static PyObject *lane_run_due(horus_lane *self, PyObject *now) {
    long long now_ns = PyLong_AsLongLong(now);
    if ((now_ns == -1 && PyErr_Occurred()) || enter(self) < 0)
        return NULL;
    if (self->pending != NULL)
        return PyLong_FromLong(tell_pending(self));
    if (self->pass == NULL)
        begin_pass(self, now_ns);
    self->busy = true;
    int reason = go_on(self);
    self->busy = false;
    return reason < 0 ? NULL : PyLong_FromLong(reason);
}

/* ---- who is in it ---- */

static void set_runs(horus_lane *self, PyObject *runs) {
    Py_XSETREF(self->runs, runs);
    if (self->alarm != NULL)
        horus_alarm_nudge(self->alarm);
}

static PyObject *lane_add(horus_lane *self, PyObject *run) {
    if (!PyObject_TypeCheck(run, self->run_type)) {
        PyErr_Format(PyExc_TypeError, "add() takes a Run, got %.200s", Py_TYPE(run)->tp_name);
        return NULL;
    }
    if (((horus_run *)run)->in_lane) {
        PyErr_SetString(PyExc_ValueError, "the Run is in a Lane already");
        return NULL;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(self->runs), place = 0;
    int32_t order = ((horus_run *)run)->node->row->order;
    while (place < count && ((horus_run *)PyTuple_GET_ITEM(self->runs, place))->node->row->order <= order)
        place++;
    PyObject *made = PyTuple_New(count + 1);
    if (made == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i <= count; i++) {
        PyObject *one = i == place ? run : PyTuple_GET_ITEM(self->runs, i < place ? i : i - 1);
        PyTuple_SET_ITEM(made, i, Py_NewRef(one));
    }
    ((horus_run *)run)->in_lane = 1;
    set_runs(self, made);
    Py_RETURN_NONE;
}

static PyObject *lane_remove(horus_lane *self, PyObject *run) {
    Py_ssize_t count = PyTuple_GET_SIZE(self->runs), place = 0;
    while (place < count && PyTuple_GET_ITEM(self->runs, place) != run)
        place++;
    if (place == count) {
        PyErr_SetString(PyExc_ValueError, "the Run is not in this Lane");
        return NULL;
    }
    PyObject *made = PyTuple_New(count - 1);
    if (made == NULL)
        return NULL;
    for (Py_ssize_t i = 0, k = 0; i < count; i++)
        if (i != place)
            PyTuple_SET_ITEM(made, k++, Py_NewRef(PyTuple_GET_ITEM(self->runs, i)));
    ((horus_run *)run)->in_lane = 0;
    set_runs(self, made);
    Py_RETURN_NONE;
}

static PyObject *lane_nudge(horus_lane *self, PyObject *Py_UNUSED(ignored)) {
    if (self->alarm != NULL)
        horus_alarm_nudge(self->alarm);
    Py_RETURN_NONE;
}

static PyObject *lane_drop_pass(horus_lane *self, PyObject *Py_UNUSED(ignored)) {
    if (enter(self) < 0)
        return NULL;
    Py_CLEAR(self->pass);
    Py_CLEAR(self->pending);
    Py_RETURN_NONE;
}

/* ---- the type ---- */

static PyObject *lane_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static char *keywords[] = {"clock", NULL};
    PyObject *clock = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:Lane", keywords, &clock))
        return NULL;
    horus_lane *self = (horus_lane *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    horus_state *state = PyType_GetModuleState(type);
    self->run_type = (PyTypeObject *)Py_NewRef((PyObject *)state->Run);
    self->clock = clock == Py_None ? NULL : Py_NewRef(clock);
    self->runs = PyTuple_New(0);
    if (self->runs == NULL)
        Py_CLEAR(self);
    return (PyObject *)self;
}

static int lane_traverse(horus_lane *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->runs);
    Py_VISIT(self->pass);
    Py_VISIT(self->clock);
    Py_VISIT(self->subject);
    Py_VISIT(self->pending);
    return 0;
}

static int lane_clear(horus_lane *self) {
    Py_CLEAR(self->pass);
    Py_CLEAR(self->subject);
    Py_CLEAR(self->pending);
    Py_CLEAR(self->clock);
    return 0; /* not the runs: never NULL, and nodes break their cycles */
}

static void lane_dealloc(horus_lane *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    for (Py_ssize_t i = 0; self->runs != NULL && i < PyTuple_GET_SIZE(self->runs); i++)
        ((horus_run *)PyTuple_GET_ITEM(self->runs, i))->in_lane = 0;
    lane_clear(self);
    Py_CLEAR(self->runs);
    Py_CLEAR(self->run_type);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *get_runs(horus_lane *self, void *Py_UNUSED(closure)) {
    return Py_NewRef(self->runs);
}
static PyObject *get_current(horus_lane *self, void *Py_UNUSED(closure)) {
    return Py_NewRef(self->current == NULL ? Py_None : (PyObject *)self->current);
}
static PyObject *get_subject(horus_lane *self, void *Py_UNUSED(closure)) {
    return Py_NewRef(self->subject == NULL ? Py_None : self->subject);
}
static PyObject *get_next(horus_lane *self, void *Py_UNUSED(closure)) {
    return PyLong_FromLongLong(next_release(self));
}

static PyMethodDef lane_methods[] = {
    {"add", METHOD(lane_add), METH_O,
     "add($self, run, /)\n--\n\nFrom the next pass on it ticks, by its node's order. From any thread."},
    {"remove", METHOD(lane_remove), METH_O,
     "remove($self, run, /)\n--\n\nIt ticks no more. From any thread; a tick under way ends."},
    {"run", METHOD(lane_run), METH_FASTCALL,
     "run($self, alarm, until_ns, /)\n--\n\nTick until the alarm rings, the time is up or a tick wants "
     "attention: a LANE_ reason, with its subject. Raises what a tick raised."},
    {"run_due", METHOD(lane_run_due), METH_O,
     "run_due($self, now_ns, /)\n--\n\nTick what is due, or go on with that: LANE_DONE, or as run()."},
    {"nudge", METHOD(lane_nudge), METH_NOARGS,
     "nudge($self, /)\n--\n\nLook anew at the releases now: one of them was changed. From any thread."},
    {"drop_pass", METHOD(lane_drop_pass), METH_NOARGS,
     "drop_pass($self, /)\n--\n\nForget what is left of a pass that an exception ended."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef lane_members[] = {
    {"spin_ns", T_LONGLONG, offsetof(horus_lane, spin_ns), 0,
     "How long before a release it wakes up and looks at the clock, without the GIL."},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef lane_getset[] = {
    {"runs", (getter)get_runs, NULL, "Its Runs, in order.", NULL},
    {"current", (getter)get_current, NULL, "The Run that ticks now, or None.", NULL},
    {"subject", (getter)get_subject, NULL, "The Run that run() ended for, or None.", NULL},
    {"next_ns", (getter)get_next, NULL, "The next release of all.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot lane_slots[] = {
    {Py_tp_doc, "Lane(clock=None): the nodes that one thread ticks, in order, each at its rate."},
    {Py_tp_new, lane_new},
    {Py_tp_dealloc, lane_dealloc},
    {Py_tp_traverse, lane_traverse},
    {Py_tp_clear, lane_clear},
    {Py_tp_methods, lane_methods},
    {Py_tp_members, lane_members},
    {Py_tp_getset, lane_getset},
    {0, NULL},
};

static PyType_Spec lane_spec = {
    .name = "horus_core._native.Lane",
    .basicsize = sizeof(horus_lane),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = lane_slots,
};

int horus_add_lane(PyObject *module, horus_state *state) {
    PyObject *type = PyType_FromModuleAndSpec(module, &lane_spec, NULL);
    int added = type == NULL ? -1 : PyModule_AddType(module, (PyTypeObject *)type);
    Py_XDECREF(type);
    if (added < 0 || horus_add_run(module, state) < 0 ||
        PyModule_AddIntConstant(module, "LANE_DONE", HORUS_LANE_DONE) < 0 ||
        PyModule_AddIntConstant(module, "LANE_TIME_UP", HORUS_LANE_TIME_UP) < 0 ||
        PyModule_AddIntConstant(module, "LANE_RUNG", HORUS_LANE_RUNG) < 0 ||
        PyModule_AddIntConstant(module, "LANE_MISSED", HORUS_LANE_MISSED) < 0 ||
        PyModule_AddIntConstant(module, "LANE_RETURNED", HORUS_LANE_RETURNED) < 0)
        return -1;
    return PyModule_AddIntConstant(module, "LANE_RECOVERED", HORUS_LANE_RECOVERED);
}
