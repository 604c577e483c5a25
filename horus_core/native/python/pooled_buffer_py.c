/* The payload as a buffer, the copies into and out of it, and the attributes that describe it. */
#include "pooled_py.h"

#include <string.h>

#define RELEASE_GIL_ABOVE 65536u

void pooled_copy_bytes(void *to, const void *from, size_t length) {
    if (length <= RELEASE_GIL_ABOVE) {
        memcpy(to, from, length);
        return;
    }
    Py_BEGIN_ALLOW_THREADS
    horus_pool_copy(to, from, length);
    Py_END_ALLOW_THREADS
}

static bool contiguous(const pooled_object *self) {
    return self->info.ndim == 0 || self->info.shape[0] <= 1 || self->info.step == horus_info_row(&self->info);
}

/* The elements without the gaps between the rows of a view. */
void pooled_copy_rows(const pooled_object *self, void *to) {
    if (contiguous(self)) {
        pooled_copy_bytes(to, self->data, (size_t)horus_info_bytes(&self->info));
        return;
    }
    const uint8_t *from = self->data;
    size_t row = (size_t)horus_info_row(&self->info), step = (size_t)self->info.step,
           rows = self->info.shape[0];
    Py_BEGIN_ALLOW_THREADS
    for (size_t i = 0; i < rows; i++)
        memcpy((uint8_t *)to + i * row, from + i * step, row);
    Py_END_ALLOW_THREADS
}

PyObject *pooled_fill(PyObject *object, PyObject *source) {
    pooled_object *self = (pooled_object *)object;
    if (pooled_ready(self) < 0)
        return NULL;
    if (pooled_readonly(self) || !contiguous(self)) {
        PyErr_SetString(PyExc_BufferError, "_fill needs a writable payload without gaps.");
        return NULL;
    }
    Py_buffer view;
    if (PyObject_GetBuffer(source, &view, PyBUF_C_CONTIGUOUS) < 0)
        return NULL;
    uint64_t length = horus_info_bytes(&self->info);
    if ((uint64_t)view.len != length) {
        PyErr_Format(PyExc_ValueError, "Bad payload: expected %llu bytes, got %zd.",
                     (unsigned long long)length, view.len);
        PyBuffer_Release(&view);
        return NULL;
    }
    pooled_copy_bytes(self->data, view.buf, (size_t)length);
    PyBuffer_Release(&view);
    Py_RETURN_NONE;
}

/* ---- buffer protocol: the object itself exports, so that every view keeps it, and with it the block ---- */

static int refuse(Py_buffer *view, const char *why) {
    view->obj = NULL;
    PyErr_SetString(PyExc_BufferError, why);
    return -1;
}

int pooled_getbuffer(PyObject *object, Py_buffer *view, int flags) {
    pooled_object *self = (pooled_object *)object;
    if (pooled_ready(self) < 0) {
        view->obj = NULL;
        return -1;
    }
    const horus_dtype *dtype = &horus_dtypes[self->info.dtype];
    bool readonly = pooled_readonly(self);
    if ((flags & PyBUF_WRITABLE) && readonly)
        return refuse(view,
                      "This message was sent or received and is read-only: copy() gives a writable one.");
    if ((flags & PyBUF_FORMAT) && dtype->format[0] == 0)
        return refuse(view,
                      "bfloat16 has no buffer format: use to_torch(), or numpy.frombuffer(t, 'uint16').");
    bool whole = contiguous(self);
    if (!whole &&
        ((flags & PyBUF_STRIDES) != PyBUF_STRIDES || (flags & (PyBUF_C_CONTIGUOUS & ~PyBUF_STRIDES)) ||
         (flags & (PyBUF_F_CONTIGUOUS & ~PyBUF_STRIDES)) ||
         (flags & (PyBUF_ANY_CONTIGUOUS & ~PyBUF_STRIDES))))
        return refuse(view, "This view has gaps between its rows: copy() gives one without.");
    if ((flags & PyBUF_F_CONTIGUOUS) == PyBUF_F_CONTIGUOUS && self->info.ndim > 1)
        return refuse(view, "This payload is C-contiguous, not Fortran-contiguous.");
    *view = (Py_buffer){
        .buf = self->data,
        .obj = Py_NewRef(object),
        .len = (Py_ssize_t)horus_info_bytes(&self->info),
        .itemsize = dtype->size,
        .readonly = readonly,
        .ndim = (flags & PyBUF_ND) ? self->info.ndim : 1,
        .format = (flags & PyBUF_FORMAT) ? (char *)(uintptr_t)dtype->format : NULL,
        .shape = (flags & PyBUF_ND) ? self->shape : NULL,
        .strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? self->strides : NULL,
    };
    if (!(flags & PyBUF_ND))
        view->itemsize = (flags & PyBUF_FORMAT) ? dtype->size : 1;
    return 0;
}

/* ---- attributes ---- */

static PyObject *size_tuple(pooled_object *self, const Py_ssize_t *sizes) {
    if (pooled_ready(self) < 0)
        return NULL;
    PyObject *tuple = PyTuple_New(self->info.ndim);
    for (Py_ssize_t i = 0; tuple != NULL && i < self->info.ndim; i++) {
        PyObject *size = PyLong_FromSsize_t(sizes[i]);
        if (size == NULL)
            Py_CLEAR(tuple);
        else
            PyTuple_SET_ITEM(tuple, i, size);
    }
    return tuple;
}

static PyObject *get_shape(pooled_object *self, void *Py_UNUSED(closure)) {
    return size_tuple(self, self->shape);
}
static PyObject *get_strides(pooled_object *self, void *Py_UNUSED(closure)) {
    return size_tuple(self, self->strides);
}
static PyObject *get_dtype(pooled_object *self, void *Py_UNUSED(closure)) {
    return PyUnicode_FromString(horus_dtypes[self->info.dtype].name);
}
static PyObject *get_encoding(pooled_object *self, void *Py_UNUSED(closure)) {
    return PyUnicode_FromString(horus_encodings[self->info.encoding].name);
}
static PyObject *get_nbytes(pooled_object *self, void *Py_UNUSED(closure)) {
    return pooled_ready(self) < 0 ? NULL : PyLong_FromUnsignedLongLong(horus_info_bytes(&self->info));
}
static PyObject *get_step(pooled_object *self, void *Py_UNUSED(closure)) {
    return PyLong_FromUnsignedLongLong(self->info.step);
}
static PyObject *get_readonly(pooled_object *self, void *Py_UNUSED(closure)) {
    return PyBool_FromLong(pooled_readonly(self));
}
static PyObject *get_pooled(pooled_object *self, void *Py_UNUSED(closure)) {
    return PyBool_FromLong(pooled_root(self)->block != NULL);
}
static PyObject *get_timestamp(pooled_object *self, void *Py_UNUSED(closure)) {
    return PyLong_FromUnsignedLongLong(self->info.timestamp_ns);
}
static PyObject *get_frame_id(pooled_object *self, void *Py_UNUSED(closure)) {
    return PyUnicode_DecodeUTF8(self->info.frame_id, (Py_ssize_t)strlen(self->info.frame_id), "replace");
}

static int may_set(pooled_object *self, PyObject *value, const char *name) {
    if (value == NULL) {
        PyErr_Format(PyExc_AttributeError, "%s cannot be deleted.", name);
        return -1;
    }
    if (pooled_readonly(self)) {
        PyErr_Format(PyExc_AttributeError,
                     "%s of a %.200s that was sent or received is read-only: copy() gives a writable one.",
                     name, Py_TYPE(self)->tp_name);
        return -1;
    }
    return 0;
}

static int set_timestamp(pooled_object *self, PyObject *value, void *Py_UNUSED(closure)) {
    if (may_set(self, value, "timestamp_ns") < 0)
        return -1;
    PyObject *number = PyNumber_Index(value);
    if (number == NULL)
        return -1;
    unsigned long long stamp = PyLong_AsUnsignedLongLong(number);
    Py_DECREF(number);
    if (stamp == (unsigned long long)-1 && PyErr_Occurred())
        return -1;
    self->info.timestamp_ns = stamp;
    return 0;
}

static int set_frame_id(pooled_object *self, PyObject *value, void *Py_UNUSED(closure)) {
    if (may_set(self, value, "frame_id") < 0)
        return -1;
    Py_ssize_t length;
    const char *text = PyUnicode_AsUTF8AndSize(value, &length);
    if (text == NULL)
        return -1;
    if (length >= (Py_ssize_t)HORUS_FRAME_ID_SIZE || memchr(text, 0, (size_t)length) != NULL) {
        horus_state *state = horus_state_of_type(Py_TYPE(self));
        PyErr_Format(
            state->errors.ConfigError,
            "Bad frame_id: expected at most %u bytes of UTF-8 without NUL, got %zd (%.60R). Shorten it.",
            HORUS_FRAME_ID_SIZE - 1, length, value);
        return -1;
    }
    memset(self->info.frame_id, 0, sizeof self->info.frame_id);
    memcpy(self->info.frame_id, text, (size_t)length);
    return 0;
}

PyGetSetDef pooled_getset[] = {
    {"shape", (getter)get_shape, NULL, "Sizes of the dimensions.", NULL},
    {"strides", (getter)get_strides, NULL, "Bytes from one element to the next, for each dimension.", NULL},
    {"dtype", (getter)get_dtype, NULL, "Element type, as numpy names it.", NULL},
    {"nbytes", (getter)get_nbytes, NULL, "Bytes of the elements.", NULL},
    {"step", (getter)get_step, NULL, "Bytes from one row to the next.", NULL},
    {"readonly", (getter)get_readonly, NULL, "Whether it was sent or received.", NULL},
    {"in_pool", (getter)get_pooled, NULL, "Whether the payload lies in shared memory.", NULL},
    {"_encoding", (getter)get_encoding, NULL, "Name of the pixel format.", NULL},
    {"timestamp_ns", (getter)get_timestamp, (setter)set_timestamp, "The sender's time, ns; 0: unset.", NULL},
    {"frame_id", (getter)get_frame_id, (setter)set_frame_id, "Coordinate frame, at most 31 bytes.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
