/* Messages as bytes, for bridges: what crosses a network is what lies in a slot or a block. A payload with a
 * descriptor (an image) is its 96 bytes of geometry, then its rows. */
#include "topic.h"

#include <errno.h>
#include <string.h>

/* ---- receiving ---- */

static PyObject *spilled_bytes(topic_object *self) {
    horus_block_ref ref;
    horus_error error;
    if (self->last.length != sizeof ref || self->pool == NULL) {
        PyErr_SetString(self->state->errors.RegionError, "expected a reference to a block, got other bytes.");
        return NULL;
    }
    memcpy(&ref, self->scratch, sizeof ref);
    horus_block *block = horus_pool_hold(self->pool, &ref, &error);
    if (block == NULL)
        return error.code == ESTALE ? NULL : horus_raise(self->state->errors.RegionError, &error);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)horus_block_length(block));
    if (bytes != NULL)
        topic_copy_unlocked(PyBytes_AS_STRING(bytes), horus_block_data(block),
                            (size_t)horus_block_length(block));
    horus_block_release(block);
    return bytes;
}

static PyObject *descriptor_bytes(topic_object *self) {
    PyObject *message = topic_decode(self, self->scratch, &self->last);
    if (message == NULL)
        return NULL;
    PyObject *bytes = horus_pooled_wire(message);
    Py_DECREF(message);
    return bytes;
}

/* `passed`: a byte for each row of a publisher, not 0 for those whose messages are passed over. */
PyObject *topic_recv_bytes(topic_object *self, PyObject *passed) {
    if (!PyBytes_Check(passed) || PyBytes_GET_SIZE(passed) != HORUS_MAX_PUBLISHERS + 1) {
        PyErr_SetString(PyExc_TypeError, "_recv_bytes() takes 256 bytes, one for each publisher's row");
        return NULL;
    }
    while (self->ring != NULL && horus_subscriber_recv(&self->sub, self->scratch, &self->last)) {
        PyObject *bytes;
        if (PyBytes_AS_STRING(passed)[self->last.owner & 0xff] != 0)
            continue;
        if (self->kind == HORUS_DESCRIPTOR)
            bytes = descriptor_bytes(self);
        else if (self->last.payload_kind == HORUS_SPILLED)
            bytes = spilled_bytes(self);
        else
            bytes = PyBytes_FromStringAndSize((const char *)self->scratch, (Py_ssize_t)self->last.length);
        if (bytes != NULL || PyErr_Occurred())
            return bytes;
        self->sub.delivered--; /* the block was overwritten before we held it */
        self->sub.missed++;
    }
    Py_RETURN_NONE;
}

/* ---- sending ---- */

/* Whether bytes from elsewhere are a message of the topic's type: who receives it trusts that. 1, 0, or -1.
 */
static int is_typed_message(topic_object *self, const Py_buffer *view) {
    const horus_plan *plan = self->plan;
    if (plan->n_bounded == 0)
        return (size_t)view->len == plan->size;
    PyObject *message = horus_message_alloc(self->msg_type);
    if (message == NULL)
        return -1;
    int rc = horus_message_unpack(plan, view->buf, (size_t)view->len, ((horus_message *)message)->bytes);
    Py_DECREF(message);
    return rc == 0;
}

static int send_rows(topic_object *self, const Py_buffer *view) {
    horus_descriptor descriptor = {0};
    size_t head = sizeof descriptor.info;
    if ((size_t)view->len < head)
        return TOPIC_NO_MESSAGE;
    size_t length = (size_t)view->len - head;
    memcpy(&descriptor.info, view->buf, head);
    descriptor.ref.length = length;
    int fits = horus_pooled_fits(self->state, self->msg_type, &descriptor);
    if (fits <= 0)
        return fits < 0 ? -1 : TOPIC_NO_MESSAGE;
    return topic_send_rows(self, &descriptor, (const char *)view->buf + head, length);
}

static int send_view(topic_object *self, const Py_buffer *view) {
    if (self->kind == HORUS_DESCRIPTOR)
        return send_rows(self, view);
    int fits = self->kind == HORUS_TYPED ? is_typed_message(self, view) : view->len > 0;
    if (fits <= 0)
        return fits < 0 ? -1 : TOPIC_NO_MESSAGE;
    return topic_send_bytes(self, view->buf, (size_t)view->len);
}

PyObject *topic_send_view(topic_object *self, PyObject *data) {
    Py_buffer view;
    if (self->state == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "the handle is empty: its __init__ was not called.");
        return NULL;
    }
    if (!topic_still_open(self) || PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    int stored = send_view(self, &view);
    PyBuffer_Release(&view);
    if (stored == TOPIC_NO_MESSAGE)
        Py_RETURN_NONE;
    return stored < 0 ? NULL : PyBool_FromLong(stored);
}
