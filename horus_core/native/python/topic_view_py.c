/* What a topic shows without consuming, waiting, and the figures of its handle. */
#include "topic.h"

static PyObject *decode_or_none(topic_object *self, const horus_info *info) {
    PyObject *message = topic_decode(self, self->scratch, info);
    if (message == NULL && !PyErr_Occurred())
        Py_RETURN_NONE;
    return message;
}

static PyObject *topic_latest(topic_object *self, PyObject *Py_UNUSED(ignored)) {
    horus_info info;
    if (self->ring == NULL || !horus_ring_latest(self->ring, self->scratch, &info))
        Py_RETURN_NONE;
    return decode_or_none(self, &info);
}

static PyObject *topic_peek(topic_object *self, PyObject *number_object) {
    uint64_t number = PyLong_AsUnsignedLongLong(number_object);
    if (number == (uint64_t)-1 && PyErr_Occurred())
        return NULL;
    horus_info info;
    if (self->ring == NULL || !horus_ring_peek(self->ring, number, self->scratch, &info))
        Py_RETURN_NONE;
    return decode_or_none(self, &info);
}

static PyObject *topic_last(topic_object *self, PyObject *Py_UNUSED(ignored)) {
    return Py_BuildValue("(KKI)", self->last.publish_ns, self->last.number, self->last.owner);
}

/* Brings the accounts up to date: what was overwritten is missed, and what was void is not. */
static void settle(topic_object *self) {
    if (self->ring == NULL)
        return;
    horus_subscriber_has_msg(&self->sub);
    horus_subscriber_settle_all(&self->sub);
}

static PyObject *topic_settle(topic_object *self, PyObject *Py_UNUSED(ignored)) {
    settle(self);
    return Py_BuildValue("(KKKKK)", self->sub.delivered, self->sub.missed, self->sub.voids, self->sub.skipped,
                         self->sub.cursor);
}

/* Passes over all but the newest `keep` messages; they count as skipped. */
static PyObject *topic_skip(topic_object *self, PyObject *keep_object) {
    uint64_t keep = PyLong_AsUnsignedLongLong(keep_object);
    if (keep == (uint64_t)-1 && PyErr_Occurred())
        return NULL;
    if (self->ring != NULL)
        horus_subscriber_skip(&self->sub, keep);
    Py_RETURN_NONE;
}

static PyObject *topic_sent(topic_object *self, PyObject *Py_UNUSED(ignored)) {
    return Py_BuildValue("(KKK)", self->pub.sent, self->pub.refused, self->pub.revoked);
}

PyMethodDef topic_view_methods[] = {
    {"_latest", (PyCFunction)topic_latest, METH_NOARGS, "_latest(): the newest whole message, or None"},
    {"_peek", (PyCFunction)topic_peek, METH_O, "_peek(number): that message if it is still whole, or None"},
    {"_last", (PyCFunction)topic_last, METH_NOARGS, "_last() -> (publish_ns, number, publisher's row)"},
    {"_settle", (PyCFunction)topic_settle, METH_NOARGS,
     "_settle() -> (delivered, missed, void, skipped, cursor), exact"},
    {"_skip", (PyCFunction)topic_skip, METH_O, "_skip(keep): passes over all but the newest messages"},
    {"_sent", (PyCFunction)topic_sent, METH_NOARGS, "_sent() -> (sent, refused, revoked)"},
    {"_recv_bytes", (PyCFunction)topic_recv_bytes, METH_O,
     "_recv_bytes(passed) -> the next message as it lies in shared memory, or None"},
    {"_send_bytes", (PyCFunction)topic_send_view, METH_O,
     "_send_bytes(data) -> bool, as send(); None: these bytes are no message of the topic's type"},
    {"wait", (PyCFunction)(void (*)(void))topic_wait, METH_FASTCALL | METH_KEYWORDS,
     "wait(timeout=None) -> bool: sleeps until recv() would give a message, at most `timeout` seconds (None: "
     "for "
     "ever); False when time is up, or when the handle is closed meanwhile."},
    {NULL, NULL, 0, NULL},
};

static PyObject *get_attached(topic_object *self, void *closure) {
    (void)closure;
    return PyBool_FromLong(self->ring != NULL);
}
static PyObject *get_publishing(topic_object *self, void *closure) {
    (void)closure;
    return PyBool_FromLong(self->publishing);
}
static PyObject *get_receiving(topic_object *self, void *closure) {
    (void)closure;
    return PyBool_FromLong(self->receiving);
}
static PyObject *get_row(topic_object *self, void *closure) {
    (void)closure;
    return PyLong_FromUnsignedLong(self->publishing ? self->pub.owner : 0);
}
static PyObject *get_ring(topic_object *self, void *closure) {
    (void)closure;
    return Py_NewRef(self->ring_object != NULL ? self->ring_object : Py_None);
}
static PyObject *get_message_type(topic_object *self, void *closure) {
    (void)closure;
    return Py_NewRef(self->msg_type != NULL ? (PyObject *)self->msg_type : Py_None);
}
static PyObject *get_pending(topic_object *self, void *closure) {
    (void)closure;
    if (self->ring == NULL)
        return PyLong_FromLong(0);
    horus_subscriber_has_msg(&self->sub); /* what was overwritten is missed, not pending */
    return PyLong_FromUnsignedLongLong(horus_subscriber_pending(&self->sub));
}
static PyObject *get_skipped(topic_object *self, void *closure) {
    (void)closure;
    return PyLong_FromUnsignedLongLong(self->sub.skipped);
}
static PyObject *get_missed(topic_object *self, void *closure) {
    (void)closure;
    settle(self);
    return PyLong_FromUnsignedLongLong(self->sub.missed);
}
static PyObject *get_closed(topic_object *self, void *closure) {
    (void)closure;
    return PyBool_FromLong(self->closed);
}
static int set_closed(topic_object *self, PyObject *value, void *closure) {
    (void)closure;
    int truth = value == NULL ? 0 : PyObject_IsTrue(value);
    if (truth < 0)
        return -1;
    self->closed = truth;
    return 0;
}

PyGetSetDef topic_getset[] = {
    {"_attached", (getter)get_attached, NULL, "Whether the handle is bound to a region.", NULL},
    {"_publishing", (getter)get_publishing, NULL, "Whether the handle has a publisher's row.", NULL},
    {"_receiving", (getter)get_receiving, NULL, "Whether the handle has received, or tried to.", NULL},
    {"_row", (getter)get_row, NULL, "The publisher's row, 0 without one.", NULL},
    {"_ring", (getter)get_ring, NULL, "The mapping, or None.", NULL},
    {"_message_type", (getter)get_message_type, NULL, "The class of the topic's messages, or None.", NULL},
    {"pending", (getter)get_pending, NULL, "Messages not yet received, among them those being written.",
     NULL},
    {"skipped", (getter)get_skipped, NULL, "Messages that were passed over in favour of newer ones.", NULL},
    {"missed", (getter)get_missed, NULL, "Messages that were overwritten before this handle received them.",
     NULL},
    {"_closed", (getter)get_closed, (setter)set_closed, "Whether close() was called.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
