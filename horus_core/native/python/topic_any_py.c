/* wait_any: one sleep on several topics and an alarm, without the GIL.
 *
 * A topic is ready when it has a message, but not while all is as it was when it last was: then whoever was
 * woken by it has read nothing of it, and would be woken for ever. */
#include "node.h"
#include "topic.h"

#include "../src/futex.h"

#include <errno.h>

#define OLD_KERNEL_NS 1000000 /* how often one looks where the kernel cannot sleep on several words */

typedef struct {
    horus_futex_entry entries[HORUS_FUTEX_MOST];
    unsigned count;
    uint64_t until_ns;
} sleep_plan;

static void add_word(sleep_plan *plan, const uint32_t *word, uint32_t expected, bool shared) {
    if (plan->count < HORUS_FUTEX_MOST) /* those beyond are looked at after each slice */
        plan->entries[plan->count++] = (horus_futex_entry){word, expected, shared};
}

static void add_ticket(sleep_plan *plan, const horus_wait *ticket) {
    add_word(plan, ticket->word, ticket->expected, true);
    if (ticket->until_ns < plan->until_ns)
        plan->until_ns = ticket->until_ns;
}

/* 1 it is ready, 0 its words are in the plan, -1 an exception. */
static int look(topic_object *self, sleep_plan *plan) {
    if (self->closed)
        return 0;
    uint32_t epoch = horus_member_epoch(self->member); /* before the look, which follows it */
    int there = horus_topic_has_msg((PyObject *)self);
    if (there < 0 || self->closed)
        return self->closed ? (PyErr_Clear(), 0) : -1;
    if (there && (self->sub.cursor != self->woke_at || horus_ring_newest(self->ring) != self->woke_by))
        return 1;
    const uint32_t *word;
    uint32_t expected;
    if (horus_member_wait_begin(self->member, epoch, &word, &expected)) {
        plan->until_ns = 0; /* a topic has appeared meanwhile: no sleep, another look */
        return 0;
    }
    add_word(plan, word, expected, true);
    if (self->ring == NULL || !self->receiving)
        return 0;
    horus_wait ticket;
    if (there ? horus_ring_wait_begin(self->ring, self->woke_by, &ticket)
              : horus_subscriber_wait_begin(&self->sub, UINT64_MAX, &ticket))
        return 1;
    add_ticket(plan, &ticket);
    return 0;
}

static void remember(PyObject *topics) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(topics); i++) {
        topic_object *topic = (topic_object *)PyTuple_GET_ITEM(topics, i);
        if (topic->ring != NULL && !topic->closed) {
            topic->woke_at = topic->sub.cursor;
            topic->woke_by = horus_ring_newest(topic->ring);
        }
    }
}

/* The rings stay mapped: close() in another thread must not unmap under the sleeper. */
static PyObject *held_rings(PyObject *topics) {
    Py_ssize_t count = PyTuple_GET_SIZE(topics);
    PyObject *rings = PyTuple_New(count);
    for (Py_ssize_t i = 0; rings != NULL && i < count; i++) {
        PyObject *ring = ((topic_object *)PyTuple_GET_ITEM(topics, i))->ring_object;
        PyTuple_SET_ITEM(rings, i, Py_NewRef(ring == NULL ? Py_None : ring));
    }
    return rings;
}

/* 1 a topic is ready, 0 none is and the plan is made, -1 an exception. */
static int look_at_all(PyObject *topics, horus_alarm *alarm, uint32_t seen, uint64_t until_ns,
                       sleep_plan *plan) {
    plan->count = 0;
    plan->until_ns = until_ns;
    add_word(plan, &alarm->word, seen, false);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(topics); i++) {
        int ready = look((topic_object *)PyTuple_GET_ITEM(topics, i), plan);
        if (ready != 0)
            return ready;
    }
    return 0;
}

static int sleep_by(const sleep_plan *plan, PyObject *topics) {
    PyObject *rings = held_rings(topics);
    if (rings == NULL)
        return -1;
    Py_BEGIN_ALLOW_THREADS
    if (horus_futex_wait_any(plan->entries, plan->count, plan->until_ns) == ENOSYS) {
        uint64_t soon_ns = horus_now_ns() + OLD_KERNEL_NS;
        horus_futex_wait(plan->entries[0].word, plan->entries[0].expected,
                         soon_ns < plan->until_ns ? soon_ns : plan->until_ns);
    }
    Py_END_ALLOW_THREADS
    Py_DECREF(rings);
    return PyErr_CheckSignals();
}

static PyObject *wait_any(PyObject *module, PyObject *const *args, Py_ssize_t nargs) {
    horus_state *state = horus_state_of(module);
    if (nargs != 3 || !PyTuple_Check(args[0]) || !PyObject_TypeCheck(args[1], state->Alarm)) {
        PyErr_SetString(PyExc_TypeError, "wait_any() takes a tuple of topics, an Alarm and a time");
        return NULL;
    }
    PyObject *topics = args[0];
    horus_alarm *alarm = (horus_alarm *)args[1];
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(topics); i++)
        if (!PyObject_TypeCheck(PyTuple_GET_ITEM(topics, i), state->TopicBase)) {
            PyErr_SetString(PyExc_TypeError, "wait_any() takes a tuple of topics, an Alarm and a time");
            return NULL;
        }
    long long until_ns = PyLong_AsLongLong(args[2]);
    if (until_ns == -1 && PyErr_Occurred())
        return NULL;
    uint32_t seen = horus_load_seq_cst(&alarm->word);
    while (horus_load_seq_cst(&alarm->word) == seen && !(seen & HORUS_RUNG)) {
        sleep_plan plan;
        int ready = look_at_all(topics, alarm, seen, until_ns < 0 ? 0 : (uint64_t)until_ns, &plan);
        if (ready < 0)
            return NULL;
        if (ready > 0) {
            remember(topics);
            Py_RETURN_TRUE;
        }
        if ((int64_t)horus_now_ns() >= until_ns)
            break;
        if (plan.until_ns != 0 && sleep_by(&plan, topics) < 0)
            return NULL;
    }
    Py_RETURN_FALSE;
}

/* Without the system call, wait_any() looks once a millisecond. */
static PyObject *waits_on_many(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored)) {
    return PyBool_FromLong(horus_futex_wait_any(NULL, 0, 0) != ENOSYS);
}

static PyMethodDef functions[] = {
    {"waits_on_many", waits_on_many, METH_NOARGS,
     "waits_on_many()\n--\n\nWhether the kernel lets wait_any() sleep (Linux 5.16); else it looks once a "
     "millisecond."},
    {"wait_any", METHOD(wait_any), METH_FASTCALL,
     "wait_any(topics, alarm, until_ns, /)\n--\n\nSleep until a topic has a message that was not there, or "
     "not "
     "the next, when this returned last: True; or to the time, a nudge or a ring: False."},
    {NULL, NULL, 0, NULL},
};

int horus_add_wait_any(PyObject *module) {
    return PyModule_AddFunctions(module, functions);
}
