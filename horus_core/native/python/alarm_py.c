/* Alarm: sleep to an absolute time, and be woken by another thread or by a signal.
 *
 * Bit 0 of a futex word is clear until somebody rings; a nudge counts the rest up, which ends one sleep. The
 * C signal handler rings too: a signal that arrives after the last look at Python's flag and before the sleep
 * would otherwise be slept over. */
#include "node.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KILL_AT 3 /* the third signal ends the process, whatever it is doing */
#define MAX_SIGNALS 65

static void wake(uint32_t *word) {
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

static void ring(uint32_t *word) {
    /* pairs with the load before the sleep; the kernel compares it once more */
    __atomic_fetch_or(word, HORUS_RUNG, __ATOMIC_SEQ_CST);
    wake(word);
}

void horus_alarm_nudge(horus_alarm *alarm) {
    __atomic_fetch_add(&alarm->word, HORUS_NUDGE, __ATOMIC_SEQ_CST);
    wake(&alarm->word);
}

/* ---- signals: a handler has no argument to find its object by, so these are the process's own ---- */

static uint32_t *watched_word; /* of the alarm that signals ring; NULL: none */
static uint32_t signal_count;  /* since watch_signals() */
static pid_t watching_process; /* a forked child inherits the handlers, and all of this */
static void (*python_handlers[MAX_SIGNALS])(int);

/* Async-signal-safe: atomics, one system call, and CPython's handler, which is made for this. */
static void on_signal(int number) {
    int saved_errno = errno;
    if (getpid() != watching_process) { /* a child whose Python has not put the handlers back yet */
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    if (__atomic_add_fetch(&signal_count, 1, __ATOMIC_SEQ_CST) >= KILL_AT)
        _exit(128 + number);
    void (*next)(int) = python_handlers[number];
    if (next != NULL && next != SIG_IGN && next != SIG_DFL)
        next(number);
    uint32_t *word = horus_load_seq_cst(&watched_word);
    if (word != NULL)
        ring(word);
    errno = saved_errno;
}

/* Puts our handler before CPython's, which signal.signal() has just installed; signal.signal() with another
 * handler takes it away again. */
static int watch_one(int number) {
    struct sigaction action;
    if (number < 1 || number >= MAX_SIGNALS || sigaction(number, NULL, &action) < 0) {
        PyErr_Format(PyExc_ValueError, "not a signal that can be watched: %d", number);
        return -1;
    }
    if (action.sa_handler == on_signal)
        return 0;
    python_handlers[number] = action.sa_handler;
    action.sa_handler = on_signal;
    if (sigaction(number, &action, NULL) < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    return 0;
}

static PyObject *alarm_watch_signals(horus_alarm *self, PyObject *const *args, Py_ssize_t nargs) {
    watching_process = getpid();
    horus_store_seq_cst(&signal_count, 0);
    horus_store_seq_cst(&watched_word, &self->word);
    for (Py_ssize_t i = 0; i < nargs; i++) {
        long number = PyLong_AsLong(args[i]);
        if ((number == -1 && PyErr_Occurred()) || watch_one((int)number) < 0)
            return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *alarm_unwatch_signals(horus_alarm *self, PyObject *Py_UNUSED(ignored)) {
    if (horus_load_seq_cst(&watched_word) == &self->word)
        horus_store_seq_cst(&watched_word, NULL);
    Py_RETURN_NONE;
}

static PyObject *alarm_signals(PyObject *Py_UNUSED(self), void *Py_UNUSED(closure)) {
    return PyLong_FromUnsignedLong(horus_load_seq_cst(&signal_count));
}

/* ---- sleeping ---- */

static PyObject *alarm_ring(horus_alarm *self, PyObject *Py_UNUSED(ignored)) {
    ring(&self->word);
    Py_RETURN_NONE;
}

static PyObject *alarm_reset(horus_alarm *self, PyObject *Py_UNUSED(ignored)) {
    __atomic_fetch_and(&self->word, ~HORUS_RUNG, __ATOMIC_SEQ_CST);
    Py_RETURN_NONE;
}

static PyObject *alarm_nudge(horus_alarm *self, PyObject *Py_UNUSED(ignored)) {
    horus_alarm_nudge(self);
    Py_RETURN_NONE;
}

static PyObject *alarm_rung(horus_alarm *self, void *Py_UNUSED(closure)) {
    return PyBool_FromLong(horus_alarm_rung(self));
}

/* FUTEX_WAIT_BITSET takes an absolute time of CLOCK_MONOTONIC, so a late start of the sleep never makes it
 * longer. 0, or why it ended. */
static int sleep_on(const uint32_t *word, uint32_t seen, int64_t until_ns) {
    struct timespec until = {.tv_sec = (time_t)(until_ns / 1000000000),
                             .tv_nsec = (long)(until_ns % 1000000000)};
    long slept =
        syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, seen, &until, NULL, FUTEX_BITSET_MATCH_ANY);
    return slept < 0 ? errno : 0;
}

int64_t horus_alarm_spin(const horus_alarm *self, uint32_t seen, int64_t until_ns) {
    int64_t now = (int64_t)horus_now_ns();
    while (now < until_ns && horus_load_seq_cst(&self->word) == seen) {
        horus_cpu_relax();
        now = (int64_t)horus_now_ns();
    }
    return now;
}

/* The GIL is let go of once: whoever has it when the sleep ends is waited for at the release alone. */
int horus_alarm_sleep(horus_alarm *self, uint32_t seen, int64_t until_ns, int64_t spin_ns) {
    int64_t sleep_to = until_ns > spin_ns ? until_ns - spin_ns : 0;
    for (;;) {
        if (horus_load_seq_cst(&self->word) != seen)
            return 0;
        int reason;
        Py_BEGIN_ALLOW_THREADS
        reason = sleep_on(&self->word, seen, sleep_to);
        if (reason == ETIMEDOUT && spin_ns > 0)
            horus_alarm_spin(self, seen, until_ns);
        Py_END_ALLOW_THREADS
        if (PyErr_CheckSignals() < 0)
            return -1;
        if (reason == ETIMEDOUT)
            return 0;
        if (reason != 0 && reason != EINTR && reason != EAGAIN) {
            errno = reason;
            PyErr_SetFromErrno(PyExc_OSError);
            return -1;
        }
    }
}

static PyObject *alarm_wait_until(horus_alarm *self, PyObject *argument) {
    long long deadline = PyLong_AsLongLong(argument);
    if (deadline == -1 && PyErr_Occurred())
        return NULL;
    uint32_t seen = horus_load_seq_cst(&self->word);
    if (!(seen & HORUS_RUNG) && horus_alarm_sleep(self, seen, deadline, 0) < 0)
        return NULL;
    return PyBool_FromLong(horus_alarm_rung(self));
}

/* ---- the thread's timer slack ---- */

/* How much later than asked the kernel may wake this thread, so that it can wake several at once: 50 us
 * unless set. Any user may set it; with 1 ns a sleep of ours ended 26 us late instead of 77 (p50). */
static PyObject *set_timer_slack(PyObject *Py_UNUSED(module), PyObject *argument) {
    unsigned long wanted = PyLong_AsUnsignedLong(argument);
    if (wanted == (unsigned long)-1 && PyErr_Occurred())
        return NULL;
    int previous = prctl(PR_GET_TIMERSLACK);
    if (previous < 0 || prctl(PR_SET_TIMERSLACK, wanted) < 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    return PyLong_FromLong(previous);
}

static PyMethodDef functions[] = {
    {"set_timer_slack", set_timer_slack, METH_O,
     "set_timer_slack(nanoseconds, /)\n--\n\nSet how late the kernel may wake this thread; returns what it "
     "was."},
    {NULL, NULL, 0, NULL},
};

/* ---- the type ---- */

static PyObject *alarm_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs)) {
    return type->tp_alloc(type, 0);
}

static void alarm_dealloc(horus_alarm *self) {
    PyTypeObject *type = Py_TYPE(self);
    if (horus_load_seq_cst(&watched_word) == &self->word)
        horus_store_seq_cst(&watched_word, NULL);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef alarm_methods[] = {
    {"ring", METHOD(alarm_ring), METH_NOARGS,
     "ring($self, /)\n--\n\nWake whoever sleeps, now and from now on. From any thread."},
    {"reset", METHOD(alarm_reset), METH_NOARGS, "reset($self, /)\n--\n\nMake the alarm quiet again."},
    {"nudge", METHOD(alarm_nudge), METH_NOARGS,
     "nudge($self, /)\n--\n\nEnd the sleep of whoever sleeps now, without ringing. From any thread."},
    {"wait_until", METHOD(alarm_wait_until), METH_O,
     "wait_until($self, deadline_ns, /)\n--\n\nSleep to a time of time.monotonic_ns(), or a nudge; True when "
     "the alarm rang."},
    {"watch_signals", METHOD(alarm_watch_signals), METH_FASTCALL,
     "watch_signals($self, /, *signals)\n--\n\nLet signals, whose Python handlers stand, ring; the third "
     "kills."},
    {"unwatch_signals", METHOD(alarm_unwatch_signals), METH_NOARGS,
     "unwatch_signals($self, /)\n--\n\nSignals ring this alarm no more."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef alarm_getset[] = {
    {"rung", (getter)alarm_rung, NULL, "Whether it rang since the last reset.", NULL},
    {"signals", (getter)alarm_signals, NULL, "How many signals came since watch_signals().", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot alarm_slots[] = {
    {Py_tp_doc, "Sleep to an absolute time of CLOCK_MONOTONIC, woken early by ring() or a watched signal."},
    {Py_tp_new, alarm_new},
    {Py_tp_dealloc, alarm_dealloc},
    {Py_tp_methods, alarm_methods},
    {Py_tp_getset, alarm_getset},
    {0, NULL},
};

static PyType_Spec alarm_spec = {
    .name = "horus_core._native.Alarm",
    .basicsize = sizeof(horus_alarm),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = alarm_slots,
};

int horus_add_alarm(PyObject *module, horus_state *state) {
    state->Alarm = (PyTypeObject *)PyType_FromModuleAndSpec(module, &alarm_spec, NULL);
    if (state->Alarm == NULL || PyModule_AddFunctions(module, functions) < 0)
        return -1;
    return PyModule_AddType(module, state->Alarm);
}
