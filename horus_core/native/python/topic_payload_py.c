/* Payloads that are not a plain struct: MessagePack, descriptors, and what was spilled to a pool. */
#include "topic.h"

#include <errno.h>
#include <string.h>

#include "pooled.h"

#define RELEASE_GIL_ABOVE 65536u

void topic_copy_unlocked(void *to, const void *from, size_t length) {
    if (length <= RELEASE_GIL_ABOVE) {
        memcpy(to, from, length);
        return;
    }
    Py_BEGIN_ALLOW_THREADS
    horus_pool_copy(to, from, length);
    Py_END_ALLOW_THREADS
}

static int stored(topic_object *self, int result) {
    if (HORUS_UNLIKELY(result == HORUS_WORN_OUT)) {
        PyErr_SetString(self->state->errors.RegionError,
                        "send failed: the region is worn out, its message numbers are used up. "
                        "Restart the processes that use this topic.");
        return -1;
    }
    return result;
}

/* ---- sending ---- */

/* A block for a message that does not fit a slot. NULL: none is free, counted as dropped. A pool that grows
 * touches new pages for milliseconds; other threads run meanwhile, unless `data` is theirs, too. */
static horus_block *take_block(topic_object *self, size_t length, const void *data) {
    horus_error error;
    horus_block *block;
    if (length <= RELEASE_GIL_ABOVE || data == self->scratch) {
        block = horus_pool_take(self->pool, length, &error);
    } else {
        horus_pool *pool = self->pool;
        PyObject *keep = Py_NewRef(self->pool_object); /* the handle may be closed meanwhile */
        Py_BEGIN_ALLOW_THREADS
        block = horus_pool_take(pool, length, &error);
        Py_END_ALLOW_THREADS
        Py_DECREF(keep);
    }
    if (block == NULL) {
        self->dropped++;
        PyObject *warned = PyObject_CallMethod((PyObject *)self, "_warn_dropped", "s", error.text);
        Py_XDECREF(warned);
    }
    return block;
}

/* Wherever Python code may have run meanwhile, another thread may have closed the handle. */
bool topic_still_open(const topic_object *self) {
    if (HORUS_LIKELY(self->publishing))
        return true;
    PyErr_SetString(
        self->state->errors.HorusError,
        "send failed: the topic's handle was closed meanwhile by another thread. Nothing was sent.");
    return false;
}

static int send_block(topic_object *self, horus_block *block) {
    if (!topic_still_open(self)) {
        horus_block_release(block);
        return -1;
    }
    horus_block_ref ref = horus_block_refer(block);
    uint64_t number;
    int result = horus_publisher_send(&self->pub, &ref, sizeof ref, HORUS_SPILLED, &number);
    if (result == HORUS_STORED)
        horus_block_sent(block, self->ring, number);
    horus_block_release(block);
    return stored(self, result);
}

int topic_send_bytes(topic_object *self, const void *data, size_t length) {
    if (HORUS_LIKELY(length <= horus_ring_payload(self->ring)))
        return stored(self, horus_publisher_send(&self->pub, data, (uint32_t)length, HORUS_INLINE, NULL));
    horus_block *block = take_block(self, length, data);
    if (block == NULL)
        return PyErr_Occurred() ? -1 : 0;
    if (data == self->scratch)
        memcpy(horus_block_data(block), data, length); /* other threads send through this handle, too */
    else
        topic_copy_unlocked(horus_block_data(block), data, length);
    return send_block(self, block);
}

int topic_send_rows(topic_object *self, horus_descriptor *descriptor, const void *rows, size_t length) {
    horus_block *block = take_block(self, length, rows);
    if (block == NULL)
        return PyErr_Occurred() ? -1 : 0;
    topic_copy_unlocked(horus_block_data(block), rows, length);
    if (!topic_still_open(self)) {
        horus_block_release(block);
        return -1;
    }
    descriptor->ref = horus_block_refer(block);
    uint64_t number;
    int result = horus_publisher_send(&self->pub, descriptor, sizeof *descriptor, HORUS_INLINE, &number);
    if (result == HORUS_STORED)
        horus_block_sent(block, self->ring, number);
    horus_block_release(block);
    return stored(self, result);
}

/* Whether MessagePack bytes hold a timestamp extension, or look like it: datetimes must arrive as text. A
 * branch-free pass that the compiler vectorises. */
static bool may_hold_timestamp(const uint8_t *bytes, size_t length) {
    unsigned found = 0;
    for (size_t i = 1; i < length; i++)
        found |= (bytes[i] == 0xff) & (((bytes[i - 1] & 0xfeu) == 0xd6) | (bytes[i - 1] == 0x0c));
    return found != 0;
}

/* Sends what `_encode_parts` made of the message: one buffer or several that follow one another. */
static int send_parts(topic_object *self, PyObject *parts) {
    Py_ssize_t count = PyList_GET_SIZE(parts);
    Py_buffer *views = PyMem_Calloc((size_t)count, sizeof *views);
    size_t length = 0;
    Py_ssize_t held = 0;
    int result = -1;
    if (views == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (; held < count; held++) {
        if (PyObject_GetBuffer(PyList_GET_ITEM(parts, held), &views[held], PyBUF_SIMPLE) < 0)
            goto done;
        length += (size_t)views[held].len;
    }
    horus_block *block = take_block(self, length, NULL);
    if (block == NULL) {
        result = PyErr_Occurred() ? -1 : 0;
        goto done;
    }
    uint8_t *to = horus_block_data(block);
    for (Py_ssize_t i = 0; i < count; i++) {
        topic_copy_unlocked(to, views[i].buf, (size_t)views[i].len);
        to += views[i].len;
    }
    result = send_block(self, block);
done:
    for (Py_ssize_t i = 0; i < held; i++)
        PyBuffer_Release(&views[i]);
    PyMem_Free(views);
    return result;
}

/* Encodes with datetimes as text and large arrays apart. New reference: bytes, or a list of buffers. */
static PyObject *encode_rare(topic_object *self, PyObject *message, PyObject *bytes) {
    if (may_hold_timestamp((const uint8_t *)PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes)))
        Py_SETREF(bytes, PyObject_CallMethod((PyObject *)self, "_encode_again", "OO", message, bytes));
    if (bytes != NULL && PyDict_GET_SIZE(self->apart) > 0)
        Py_SETREF(bytes, PyObject_CallMethod((PyObject *)self, "_encode_parts", "O", bytes));
    return bytes;
}

/* Raises an EncodeError that names the culprit, unless something worse happened. */
static int encode_failed(topic_object *self, PyObject *message) {
    if (!PyErr_ExceptionMatches(PyExc_Exception) || PyErr_ExceptionMatches(PyExc_MemoryError)) {
        PyObject *type, *value, *traceback;
        PyErr_Fetch(&type, &value, &traceback);
        PyObject *none = PyObject_CallMethod((PyObject *)self, "_forget_encoding", NULL);
        Py_XDECREF(none);
        if (none == NULL)
            PyErr_Clear();
        PyErr_Restore(type, value, traceback);
        return -1;
    }
    PyErr_Clear();
    PyObject *none = PyObject_CallMethod((PyObject *)self, "_encode_failed", "(O)", message);
    Py_XDECREF(none);
    return -1;
}

int topic_send_dict(topic_object *self, PyObject *message) {
    PyObject *bytes = PyObject_CallOneArg(self->encode, message);
    if (bytes == NULL)
        return encode_failed(self, message);
    bytes = encode_rare(self, message, bytes);
    if (bytes == NULL)
        return -1;
    if (!topic_still_open(self)) {
        Py_DECREF(bytes);
        return -1;
    }
    int result = PyBytes_CheckExact(bytes)
                     ? topic_send_bytes(self, PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes))
                     : send_parts(self, bytes);
    Py_DECREF(bytes);
    return result;
}

static int send_pooled(topic_object *self, horus_pool *pool, PyObject *message) {
    horus_descriptor descriptor;
    int ready = horus_pooled_prepare(message, pool, &descriptor);
    if (ready <= 0) {
        self->dropped += ready == 0;
        if (ready == 0) {
            horus_error reason; /* names who holds the blocks */
            horus_pool_refusal(pool, &reason);
            PyObject *warned = PyObject_CallMethod((PyObject *)self, "_warn_dropped", "s", reason.text);
            Py_XDECREF(warned);
        }
        return PyErr_Occurred() ? -1 : 0;
    }
    if (!topic_still_open(self))
        return -1;
    uint64_t number;
    int result = horus_publisher_send(&self->pub, &descriptor, sizeof descriptor, HORUS_INLINE, &number);
    if (result == HORUS_STORED)
        horus_pooled_sent(message, self->ring, number);
    return stored(self, result);
}

int topic_send_descriptor(topic_object *self, PyObject *message) {
    if (HORUS_UNLIKELY(Py_TYPE(message) != self->msg_type)) {
        PyObject *none = PyObject_CallMethod((PyObject *)self, "_wrong_message", "(O)", message);
        Py_XDECREF(none);
        return -1;
    }
    PyObject *pool = Py_NewRef(self->pool_object); /* another thread may close the handle during a copy */
    int result = send_pooled(self, horus_pool_of(pool), message);
    Py_DECREF(pool);
    return result;
}

/* ---- receiving ---- */

static PyObject *corrupt(topic_object *self, const char *what) {
    PyErr_Format(
        self->state->errors.RegionError,
        "recv failed: expected %s, got bytes that no publisher of this version writes (message %llu). "
        "It was passed over.",
        what, (unsigned long long)self->last.number);
    return NULL;
}

static PyObject *decode_typed(topic_object *self, const void *wire, size_t length) {
    const horus_plan *plan = self->plan;
    PyObject *message = horus_message_alloc(self->msg_type);
    if (message == NULL)
        return NULL;
    uint64_t *bytes = ((horus_message *)message)->bytes;
    if (plan->n_bounded == 0 && length == plan->size) {
        memcpy(bytes, wire, length);
        return message;
    }
    if (plan->n_bounded > 0 && horus_message_unpack(plan, wire, length, bytes) == 0)
        return message;
    Py_DECREF(message);
    return corrupt(self, "a message of the topic's type");
}

static PyObject *decode_msgpack(topic_object *self, const void *data, size_t length) {
    PyObject *bytes = length <= RELEASE_GIL_ABOVE
                          ? PyBytes_FromStringAndSize(data, (Py_ssize_t)length)
                          : PyMemoryView_FromMemory((char *)(uintptr_t)data, (Py_ssize_t)length, PyBUF_READ);
    if (bytes == NULL)
        return NULL;
    PyObject *message = PyObject_CallOneArg(self->decode, bytes);
    if (!PyBytes_CheckExact(bytes)) {
        /* The view must not outlive the block: whatever still refers to it gets an error, not other bytes. */
        PyObject *type, *value, *traceback;
        PyErr_Fetch(&type, &value, &traceback);
        PyObject *released = PyObject_CallMethod(bytes, "release", NULL);
        Py_XDECREF(released);
        if (released == NULL)
            PyErr_Clear();
        PyErr_Restore(type, value, traceback);
    }
    Py_DECREF(bytes);
    if (message == NULL && PyErr_ExceptionMatches(PyExc_Exception) &&
        !PyErr_ExceptionMatches(PyExc_MemoryError)) {
        PyErr_Clear();
        return corrupt(self, "MessagePack");
    }
    return message;
}

static PyObject *decode_bytes(topic_object *self, const void *data, size_t length) {
    return self->kind == HORUS_TYPED ? decode_typed(self, data, length) : decode_msgpack(self, data, length);
}

static PyObject *decode_spilled(topic_object *self, const void *payload, const horus_info *info) {
    horus_block_ref ref;
    if (info->length != sizeof ref || self->pool == NULL)
        return corrupt(self, "a reference to a block");
    memcpy(&ref, payload, sizeof ref);
    horus_error error;
    horus_block *block = horus_pool_hold(self->pool, &ref, &error);
    if (block == NULL)
        return error.code == ESTALE ? NULL : horus_raise(self->state->errors.RegionError, &error);
    PyObject *message = decode_bytes(self, horus_block_data(block), (size_t)horus_block_length(block));
    horus_block_release(block);
    return message;
}

PyObject *topic_decode(topic_object *self, const void *payload, const horus_info *info) {
    if (info->payload_kind == HORUS_SPILLED)
        return decode_spilled(self, payload, info);
    if (info->payload_kind != HORUS_INLINE)
        return corrupt(self, "a payload of a known kind");
    if (self->kind != HORUS_DESCRIPTOR)
        return decode_bytes(self, payload, info->length);
    horus_descriptor descriptor;
    if (info->length != sizeof descriptor)
        return corrupt(self, "a descriptor");
    memcpy(&descriptor, payload, sizeof descriptor);
    return horus_pooled_receive(self->state, self->msg_type, self->pool, &descriptor);
}
