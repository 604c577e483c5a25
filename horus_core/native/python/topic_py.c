/* _native.TopicBase: send, recv, has_msg. What is rare (opening, errors) is Python's: horus_core/topics. */
#include "topic.h"

#include <string.h>

/* Whether the binding must be looked at before use: a topic appeared (maybe ours, anew) or we are a fork. */
static inline bool must_check(const topic_object *self) {
    return HORUS_UNLIKELY(horus_member_epoch(self->member) != self->epoch ||
                          horus_member_is_forked(self->member));
}

/* Calls a Python method that opens or checks; -1 with an exception, else its truth. */
static int call_slow(topic_object *self, const char *method, PyObject *argument) {
    PyObject *result =
        PyObject_CallMethod((PyObject *)self, method, argument == NULL ? NULL : "(O)", argument);
    if (result == NULL)
        return -1;
    int truth = PyObject_IsTrue(result);
    Py_DECREF(result);
    return truth;
}

/* ---- send ---- */

static int send_typed(topic_object *self, PyObject *message) {
    const horus_plan *plan = self->plan;
    if (HORUS_UNLIKELY(Py_TYPE(message) != self->msg_type)) {
        /* A class defined again with the same layout (a notebook cell run twice) is the same type. */
        const horus_plan *other =
            horus_message_check(self->state, message) ? horus_message_plan(Py_TYPE(message)) : NULL;
        if (other == NULL || memcmp(other->hash, plan->hash, sizeof plan->hash) != 0)
            return call_slow(self, "_wrong_message", message);
    }
    const uint64_t *bytes = ((horus_message *)message)->bytes;
    if (plan->n_bounded == 0)
        return topic_send_bytes(self, bytes, plan->size);
    size_t length = horus_message_pack(plan, bytes, self->scratch);
    return topic_send_bytes(self, self->scratch, length);
}

PyObject *horus_topic_send(PyObject *topic, PyObject *message) {
    topic_object *self = (topic_object *)topic;
    if (HORUS_UNLIKELY(!self->publishing) || must_check(self))
        if (call_slow(self, "_open_for_send", message) < 0 || !topic_still_open(self))
            return NULL;
    int stored;
    if (self->kind == HORUS_TYPED)
        stored = send_typed(self, message);
    else if (self->kind == HORUS_MSGPACK)
        stored = topic_send_dict(self, message);
    else
        stored = topic_send_descriptor(self, message);
    return stored < 0 ? NULL : PyBool_FromLong(stored);
}

/* ---- recv ---- */

/* Nothing is there. 1: the binding was mended and it is worth another look; 0: nothing; -1 error. */
static int look_again(topic_object *self) {
    if (HORUS_UNLIKELY(self->closed && self->member == NULL)) {
        PyErr_Format(PyExc_RuntimeError, "%.200s is empty: its __init__ was not called.",
                     Py_TYPE(self)->tp_name);
        return -1;
    }
    if (self->closed || must_check(self) || (self->ring != NULL && !self->receiving))
        return call_slow(self, "_open_for_recv", NULL);
    return 0; /* a topic that is not there costs one comparison until some topic appears */
}

static inline bool maybe(const topic_object *self) {
    return self->receiving && horus_subscriber_maybe(&self->sub);
}

/* Typed messages without bounded arrays are received in place. */
static PyObject *recv_in_place(topic_object *self) {
    PyObject *message = horus_message_alloc(self->msg_type);
    if (message == NULL)
        return NULL;
    uint64_t *bytes = ((horus_message *)message)->bytes;
    if (HORUS_LIKELY(horus_subscriber_recv(&self->sub, bytes, &self->last))) {
        if (HORUS_LIKELY(self->last.payload_kind == HORUS_INLINE && self->last.length == self->plan->size))
            return message;
        /* Spilled, or a length that no version of ours writes. */
        memcpy(self->scratch, bytes, horus_round_up(self->plan->size, 8));
        Py_DECREF(message);
        return topic_decode(self, self->scratch, &self->last);
    }
    Py_DECREF(message);
    Py_RETURN_NONE;
}

static PyObject *recv_decoded(topic_object *self) {
    if (!horus_subscriber_recv(&self->sub, self->scratch, &self->last))
        Py_RETURN_NONE;
    return topic_decode(self, self->scratch, &self->last);
}

PyObject *horus_topic_recv(PyObject *topic) {
    topic_object *self = (topic_object *)topic;
    for (;;) {
        if (HORUS_UNLIKELY(!maybe(self))) {
            int again = look_again(self);
            if (again < 0)
                return NULL;
            if (again == 0 || !maybe(self)) {
                self->drained = true;
                Py_RETURN_NONE;
            }
        }
        PyObject *message = self->in_place ? recv_in_place(self) : recv_decoded(self);
        if (HORUS_LIKELY(message != NULL)) {
            self->drained = message == Py_None;
            return message;
        }
        if (PyErr_Occurred())
            return NULL;
        self->sub.delivered--; /* the payload's block was overwritten before we held it */
        self->sub.missed++;
    }
}

int horus_topic_has_msg(PyObject *topic) {
    topic_object *self = (topic_object *)topic;
    if (HORUS_UNLIKELY(!maybe(self))) {
        int again = look_again(self);
        if (again < 0)
            return -1;
        if (again == 0 || !maybe(self)) {
            self->drained = true;
            return 0;
        }
    }
    bool there = horus_subscriber_has_msg(&self->sub);
    self->drained = !there;
    return there;
}

void horus_topic_begin_tick(PyObject *topic, Py_ssize_t depth) {
    topic_object *self = (topic_object *)topic;
    if (self->ring != NULL && depth >= 0 && !self->drained)
        horus_subscriber_skip(&self->sub, (uint64_t)depth);
    self->drained = false;
}

/* ---- the type ---- */

static PyObject *topic_has_msg(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    int there = horus_topic_has_msg(self);
    return there < 0 ? NULL : PyBool_FromLong(there);
}

static PyObject *topic_recv(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    return horus_topic_recv(self);
}

static PyObject *topic_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    (void)args;
    (void)kwargs;
    topic_object *self = (topic_object *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->closed = true;  /* until _enter() */
        self->drained = true; /* what came before the first tick is not skipped */
    }
    return (PyObject *)self;
}

static int topic_traverse(topic_object *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->msg_type);
    Py_VISIT(self->encode);
    Py_VISIT(self->decode);
    Py_VISIT(self->apart);
    Py_VISIT(self->member_object);
    Py_VISIT(self->ring_object);
    Py_VISIT(self->pool_object);
    return 0;
}

/* Gives rows and mapping back; the handle can be bound again. */
static void unbind(topic_object *self) {
    if (self->ring != NULL) {
        if (self->publishing)
            horus_publisher_leave(&self->pub);
        horus_subscriber_leave(&self->sub);
    }
    self->publishing = self->receiving = false;
    self->ring = NULL;
    self->kind = 0;
    self->plan = NULL;
    PyMem_Free(self->scratch);
    self->scratch = NULL;
    self->pool = NULL;
    Py_CLEAR(self->msg_type);
    Py_CLEAR(self->ring_object);
    Py_CLEAR(self->pool_object);
}

static int topic_clear(topic_object *self) {
    unbind(self);
    Py_CLEAR(self->encode);
    Py_CLEAR(self->decode);
    Py_CLEAR(self->apart);
    return 0; /* the membership stays: a handle that is being collected may still be called */
}

static void topic_dealloc(topic_object *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (self->weakrefs != NULL)
        PyObject_ClearWeakRefs((PyObject *)self);
    topic_clear(self);
    Py_CLEAR(self->member_object);
    type->tp_free(self);
    Py_DECREF(type);
}

/* ---- binding: called by horus_core/topics only ----
 * They run in the middle of Python code, where another thread may close the handle between any two of them.
 */

static PyObject *closed_meanwhile(const topic_object *self) {
    PyErr_SetString(self->state->errors.HorusError,
                    "The topic's handle was closed meanwhile by another thread. Open a new handle.");
    return NULL;
}

static PyObject *topic_enter(topic_object *self, PyObject *args) {
    PyObject *member, *encode, *decode, *apart;
    PyTypeObject *base = Py_TYPE(self);
    while (base->tp_base != NULL && base->tp_dealloc != (destructor)topic_dealloc)
        base = base->tp_base;
    PyObject *module = PyType_GetModule(base);
    if (module == NULL)
        return NULL;
    self->state = horus_state_of(module);
    if (!PyArg_ParseTuple(args, "O!OOO!:_enter", self->state->Member, &member, &encode, &decode, &PyDict_Type,
                          &apart))
        return NULL;
    if (horus_member_observes(horus_member_of(member))) {
        PyErr_SetString(PyExc_ValueError,
                        "_enter: expected a member that takes part, got one that only looks.");
        return NULL;
    }
    Py_XSETREF(self->encode, Py_NewRef(encode));
    Py_XSETREF(self->decode, Py_NewRef(decode));
    Py_XSETREF(self->apart, Py_NewRef(apart));
    Py_XSETREF(self->member_object, Py_NewRef(member));
    if (self->member == NULL)
        self->closed = false; /* later it is close()'s alone */
    self->member = horus_member_of(member);
    self->epoch = horus_member_epoch(self->member);
    Py_RETURN_NONE;
}

static bool scratch_for(topic_object *self, const horus_plan *plan) {
    size_t size = horus_round_up(horus_ring_payload(self->ring), 8);
    if (plan != NULL && size < plan->wire_max)
        size = plan->wire_max;
    if (plan != NULL && size < horus_round_up(plan->size, 8))
        size = horus_round_up(plan->size, 8);
    self->scratch = PyMem_Calloc(1, size);
    self->scratch_size = size;
    return self->scratch != NULL;
}

static PyObject *topic_bind(topic_object *self, PyObject *args) {
    PyObject *ring, *type, *pool;
    int from;
    if (!PyArg_ParseTuple(args, "O!OOi:_bind", self->state->Ring, &ring, &type, &pool, &from))
        return NULL;
    unbind(self);
    if (self->closed)
        return closed_meanwhile(self);
    if (horus_member_observes(horus_ring_member(horus_ring_of(ring)))) {
        PyErr_SetString(PyExc_ValueError,
                        "_bind: expected a region mapped for use, got one only to look at.");
        return NULL;
    }
    self->ring = horus_ring_of(ring);
    if (type != Py_None && Py_TYPE(type) == self->state->MessageMeta)
        self->plan = horus_message_plan((PyTypeObject *)type);
    bool complete = self->plan != NULL || horus_ring_kind(self->ring) != HORUS_TYPED;
    if (horus_ring_kind(self->ring) == HORUS_DESCRIPTOR)
        complete = type != Py_None && pool != Py_None;
    if (!complete) {
        self->ring = NULL;
        PyErr_SetString(PyExc_TypeError, "_bind: expected the class of the topic's messages, got another.");
        return NULL;
    }
    if (!scratch_for(self, self->plan) || horus_subscriber_join(&self->sub, self->ring, from) < 0) {
        self->ring = NULL;
        return PyErr_NoMemory();
    }
    self->kind = horus_ring_kind(self->ring);
    self->ring_object = Py_NewRef(ring);
    self->in_place = self->kind == HORUS_TYPED && self->plan->n_bounded == 0 &&
                     horus_round_up(horus_ring_payload(self->ring), 8) == horus_round_up(self->plan->size, 8);
    if (type != Py_None)
        self->msg_type = (PyTypeObject *)Py_NewRef(type);
    if (pool != Py_None) {
        self->pool_object = Py_NewRef(pool);
        self->pool = horus_pool_of(pool);
        if (((ring_object *)ring)->pool == NULL) /* it must forget the mapping before that goes */
            ((ring_object *)ring)->pool = Py_NewRef(pool);
    }
    Py_RETURN_NONE;
}

static PyObject *topic_publish(topic_object *self, PyObject *node) {
    const char *name = PyUnicode_AsUTF8(node);
    if (name == NULL)
        return NULL;
    if (self->ring == NULL)
        return closed_meanwhile(self);
    horus_error error;
    if (horus_publisher_join(&self->pub, self->ring, name, &error) < 0)
        return horus_raise(self->state->errors.RegionError, &error);
    self->publishing = true;
    Py_RETURN_NONE;
}

static PyObject *topic_announce(topic_object *self, PyObject *node) {
    const char *name = node == Py_None ? NULL : PyUnicode_AsUTF8(node);
    if (name == NULL && node != Py_None)
        return NULL;
    if (self->ring != NULL) {
        if (name != NULL)
            horus_subscriber_announce(&self->sub, name);
        self->receiving = true;
    }
    Py_RETURN_NONE;
}

static PyObject *topic_unbind(topic_object *self, PyObject *Py_UNUSED(ignored)) {
    unbind(self);
    Py_RETURN_NONE;
}

static PyObject *topic_checked(topic_object *self, PyObject *epoch) {
    unsigned long value = PyLong_AsUnsignedLong(epoch);
    if (value == (unsigned long)-1 && PyErr_Occurred())
        return NULL;
    self->epoch = (uint32_t)value;
    Py_RETURN_NONE;
}

PyMethodDef topic_binding_methods[] = {
    {"_enter", (PyCFunction)topic_enter, METH_VARARGS, "_enter(member, encode, decode, apart)"},
    {"_bind", (PyCFunction)topic_bind, METH_VARARGS,
     "_bind(ring, type or None, pool or None, where to start)"},
    {"_publish", (PyCFunction)topic_publish, METH_O, "_publish(node): takes a publisher's row"},
    {"_announce", (PyCFunction)topic_announce, METH_O,
     "_announce(node or None): shows the subscriber to tools; None: receives without being shown"},
    {"_unbind", (PyCFunction)topic_unbind, METH_NOARGS, "_unbind(): gives rows and mapping back"},
    {"_checked", (PyCFunction)topic_checked, METH_O,
     "_checked(epoch): the binding is right as of that epoch"},
    {NULL, NULL, 0, NULL},
};

static PyMethodDef hot_methods[] = {
    {"send", horus_topic_send, METH_O,
     "send(message) -> bool: True when it is stored; False when it was dropped and counted."},
    {"recv", topic_recv, METH_NOARGS, "recv() -> the next message, or None. Never waits."},
    {"has_msg", topic_has_msg, METH_NOARGS, "has_msg() -> bool: whether recv() would give a message now."},
    {NULL, NULL, 0, NULL},
};

static int add_methods(PyTypeObject *type, PyMethodDef *methods) {
    for (; methods->ml_name != NULL; methods++) {
        PyObject *descriptor = PyDescr_NewMethod(type, methods);
        if (descriptor == NULL)
            return -1;
        int rc = PyObject_SetAttrString((PyObject *)type, methods->ml_name, descriptor);
        Py_DECREF(descriptor);
        if (rc < 0)
            return -1;
    }
    return 0;
}

static PyMemberDef topic_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(topic_object, weakrefs), READONLY, NULL},
    {"dropped", T_ULONGLONG, offsetof(topic_object, dropped), READONLY, "Sends for which no block was free."},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot topic_slots[] = {
    {Py_tp_doc, "What horus.Topic inherits: the calls that must be fast."},
    {Py_tp_new, topic_new},
    {Py_tp_dealloc, topic_dealloc},
    {Py_tp_traverse, topic_traverse},
    {Py_tp_clear, topic_clear},
    {Py_tp_methods, hot_methods},
    {Py_tp_members, topic_members},
    {Py_tp_getset, topic_getset},
    {0, NULL},
};

static PyType_Spec topic_spec = {
    .name = "horus_core._native.TopicBase",
    .basicsize = sizeof(topic_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = topic_slots,
};

int horus_add_topic(PyObject *module, horus_state *state) {
    state->TopicBase = (PyTypeObject *)PyType_FromModuleAndSpec(module, &topic_spec, NULL);
    if (state->TopicBase == NULL || add_methods(state->TopicBase, topic_binding_methods) < 0 ||
        add_methods(state->TopicBase, topic_view_methods) < 0)
        return -1;
    return PyModule_AddType(module, state->TopicBase);
}
