/* _native.PooledBase: what Image, DepthImage, PointCloud and Tensor are made of. This file: its life. */
#include "pooled_py.h"

#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 64u

/* Python subclasses have no module; the first base that has one is ours. */
horus_state *horus_state_of_type(PyTypeObject *type) {
    while (type != NULL &&
           !((type->tp_flags & Py_TPFLAGS_HEAPTYPE) && ((PyHeapTypeObject *)type)->ht_module != NULL))
        type = type->tp_base;
    return type == NULL ? NULL : horus_state_of(((PyHeapTypeObject *)type)->ht_module);
}

int pooled_ready(pooled_object *self) {
    if (HORUS_LIKELY(self->data != NULL))
        return 0;
    PyErr_Format(PyExc_RuntimeError, "%.200s is empty: its __init__ was not called.", Py_TYPE(self)->tp_name);
    return -1;
}

bool pooled_readonly(pooled_object *self) {
    pooled_object *root = pooled_root(self);
    /* A fork's child shares the block with its parent, whose frame it must not change. */
    return self->readonly || root->readonly ||
           (root->block != NULL && !horus_pool_usable(horus_block_pool(root->block)));
}

/* Shape and strides in the form that buffers and arrays want. */
void pooled_set_geometry(pooled_object *self) {
    const horus_payload_info *info = &self->info;
    Py_ssize_t stride = horus_dtypes[info->dtype].size;
    for (unsigned i = info->ndim; i-- > 1;) {
        self->shape[i] = info->shape[i];
        self->strides[i] = stride;
        stride *= info->shape[i];
    }
    if (info->ndim > 0) {
        self->shape[0] = info->shape[0];
        if (info->shape[0] <= 1)
            self->info.step = (uint64_t)stride; /* no second row says otherwise */
        self->strides[0] = (Py_ssize_t)self->info.step;
    }
}

static void let_go(pooled_object *self) {
    if (self->sending != NULL)
        horus_block_release(self->sending);
    if (self->owner == NULL && self->block != NULL)
        horus_block_release(self->block);
    free(self->memory);
    self->sending = self->block = NULL;
    self->memory = self->data = NULL;
    Py_CLEAR(self->owner);
    Py_CLEAR(self->arrays);
}

static void pooled_dealloc(pooled_object *self) {
    PyTypeObject *type = Py_TYPE(self);
    let_go(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *pooled_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    (void)args; /* __init__'s */
    (void)kwargs;
    return type->tp_alloc(type, 0);
}

/* ---- memory ---- */

/* A warm block at once; else with the GIL released, since new memory takes milliseconds. */
static horus_block *take_block(horus_pool *pool, uint64_t length, horus_error *error) {
    horus_block *block = horus_pool_try(pool, length);
    if (block == NULL) {
        Py_BEGIN_ALLOW_THREADS
        block = horus_pool_take(pool, length, error);
        Py_END_ALLOW_THREADS
    }
    return block;
}

static int private_memory(pooled_object *self, size_t length) {
    self->memory = aligned_alloc(ALIGNMENT, horus_round_up(length == 0 ? 1 : length, ALIGNMENT));
    if (self->memory == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    self->data = self->memory;
    return 0;
}

/* Memory for the geometry in self->info. strict: PoolExhaustedError where no block is free; else private
 * memory then, so that who hoards images cannot stop the one that makes them. */
int pooled_allocate(horus_state *state, pooled_object *self, bool strict) {
    uint64_t length = horus_info_bytes(&self->info);
    PyObject *pool = horus_default_pool(state);
    if (pool == NULL)
        return -1;
    horus_error error;
    self->block = take_block(horus_pool_of(pool), length, &error);
    Py_DECREF(pool);
    pooled_set_geometry(self);
    if (self->block != NULL) {
        self->data = horus_block_data(self->block);
        return 0;
    }
    if (!strict)
        return private_memory(self, length);
    horus_raise(state->errors.PoolExhaustedError, &error);
    return -1;
}

/* Another object of the same geometry, without memory. */
pooled_object *pooled_new_like(pooled_object *self, bool contiguous) {
    pooled_object *other = (pooled_object *)Py_TYPE(self)->tp_alloc(Py_TYPE(self), 0);
    if (other == NULL)
        return NULL;
    other->info = self->info;
    if (contiguous) {
        other->info.offset = 0;
        other->info.step = horus_info_row(&self->info);
    }
    return other;
}

/* ---- sending ---- */

/* A copy in a block of `pool`, for what has none there. 1; 0 none free; -1. */
static int copy_to_send(pooled_object *self, horus_pool *pool, horus_descriptor *out) {
    horus_error error;
    horus_block *block = take_block(pool, horus_info_bytes(&self->info), &error);
    if (block == NULL)
        return 0;
    pooled_copy_rows(self, horus_block_data(block)); /* another thread may send the same message meanwhile */
    if (self->sending != NULL)
        horus_block_release(self->sending);
    self->sending = block;
    out->ref = horus_block_refer(block);
    out->info = self->info;
    out->info.offset = 0;
    out->info.step = horus_info_row(&self->info);
    return 1;
}

int horus_pooled_prepare(PyObject *object, horus_pool *pool, horus_descriptor *out) {
    pooled_object *self = (pooled_object *)object;
    if (pooled_ready(self) < 0)
        return -1;
    horus_block *block = pooled_root(self)->block;
    /* A block of another namespace, or of the process that forked us, means nothing to the topic's readers.
     */
    if (HORUS_UNLIKELY(block == NULL || horus_block_pool(block) != pool))
        return copy_to_send(self, pool, out);
    out->ref = horus_block_refer(block);
    out->info = self->info;
    return 1;
}

void horus_pooled_sent(PyObject *object, horus_ring *ring, uint64_t number) {
    pooled_object *self = (pooled_object *)object, *root = pooled_root(self);
    horus_block_sent(self->sending != NULL ? self->sending : root->block, ring, number);
    if (self->sending != NULL)
        horus_block_release(self->sending);
    self->sending = NULL;
    if (!root->readonly) {
        root->readonly = true;
        pooled_freeze_arrays(root);
    }
    if (self != root && !self->readonly) {
        self->readonly = true;
        pooled_freeze_arrays(self);
    }
}

/* ---- receiving ---- */

static PyObject *corrupt(horus_state *state, PyTypeObject *type, const horus_descriptor *descriptor) {
    const horus_payload_info *info = &descriptor->info;
    PyErr_Format(
        state->errors.RegionError,
        "Cannot trust a received %.100s: expected a payload within its block of %llu bytes, got kind %u, "
        "dtype %u, encoding %u, %u dimensions, rows %llu bytes apart. Restart its publisher.",
        type->tp_name, (unsigned long long)descriptor->ref.length, info->kind, info->dtype, info->encoding,
        info->ndim, (unsigned long long)info->step);
    return NULL;
}

static bool kind_matches(horus_state *state, PyTypeObject *type, uint8_t kind) {
    PyObject *wanted = PyObject_GetAttr((PyObject *)type, state->kind_name);
    bool same = wanted != NULL && PyLong_AsLong(wanted) == kind;
    Py_XDECREF(wanted);
    return same && !PyErr_Occurred();
}

int horus_pooled_fits(horus_state *state, PyTypeObject *type, const horus_descriptor *descriptor) {
    bool same = kind_matches(state, type, descriptor->info.kind);
    if (PyErr_Occurred())
        return -1;
    return same && horus_info_fits(&descriptor->info, descriptor->ref.length);
}

PyObject *horus_pooled_wire(PyObject *object) {
    pooled_object *self = (pooled_object *)object;
    if (pooled_ready(self) < 0)
        return NULL;
    horus_payload_info info = self->info;
    info.offset = 0;
    info.step = horus_info_row(&self->info);
    PyObject *bytes =
        PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(sizeof info + horus_info_bytes(&self->info)));
    if (bytes != NULL) {
        memcpy(PyBytes_AS_STRING(bytes), &info, sizeof info);
        pooled_copy_rows(self, PyBytes_AS_STRING(bytes) + sizeof info);
    }
    return bytes;
}

/* Over the quota the payload is copied, and the hold ends: who hoards pays with memory of its own. */
static int take_over(pooled_object *self, horus_block *block) {
    if (HORUS_LIKELY(!horus_block_over_quota(block))) {
        self->block = block;
        self->data = (uint8_t *)horus_block_data(block) + self->info.offset;
        return 0;
    }
    size_t length = (size_t)horus_block_length(block);
    int rc = private_memory(self, length);
    if (rc == 0) {
        pooled_copy_bytes(self->memory, horus_block_data(block), length);
        self->data = (uint8_t *)self->memory + self->info.offset;
    }
    horus_block_release(block);
    return rc;
}

PyObject *horus_pooled_receive(horus_state *state, PyTypeObject *type, horus_pool *pool,
                               const horus_descriptor *descriptor) {
    if (HORUS_UNLIKELY(!kind_matches(state, type, descriptor->info.kind) ||
                       !horus_info_fits(&descriptor->info, descriptor->ref.length)))
        return PyErr_Occurred() ? NULL : corrupt(state, type, descriptor);
    horus_error error;
    horus_block *block = horus_pool_hold(pool, &descriptor->ref, &error);
    if (block == NULL)
        return error.code == ESTALE ? NULL : horus_raise(state->errors.RegionError, &error);
    pooled_object *self = (pooled_object *)type->tp_alloc(type, 0);
    if (self == NULL) {
        horus_block_release(block);
        return NULL;
    }
    self->info = descriptor->info;
    self->readonly = true;
    pooled_set_geometry(self);
    if (take_over(self, block) < 0)
        Py_CLEAR(self);
    return (PyObject *)self;
}

/* ---- methods that make objects ---- */

static int parse_shape(PyObject *shape, horus_payload_info *info) {
    Py_ssize_t ndim = PyTuple_GET_SIZE(shape);
    if (ndim > (Py_ssize_t)HORUS_DIMENSIONS_MAX) {
        PyErr_Format(PyExc_ValueError, "Bad shape: expected at most %u dimensions, got %zd.",
                     HORUS_DIMENSIONS_MAX, ndim);
        return -1;
    }
    info->ndim = (uint8_t)ndim;
    uint64_t bytes = info->step = horus_dtypes[info->dtype].size;
    for (Py_ssize_t i = ndim; i-- > 0;) {
        Py_ssize_t size = PyNumber_AsSsize_t(PyTuple_GET_ITEM(shape, i), PyExc_OverflowError);
        if (size == -1 && PyErr_Occurred())
            return -1;
        if (size < 0 || size > UINT32_MAX || __builtin_mul_overflow(bytes, (uint64_t)size, &bytes) ||
            bytes > 1ull << 40) {
            PyErr_Format(PyExc_ValueError,
                         "Bad shape: expected sizes of 0 to 4294967295 and at most 1 TiB, got %R.", shape);
            return -1;
        }
        info->shape[i] = (uint32_t)size;
        if (i == 1)
            info->step = bytes;
    }
    return 0;
}

PyDoc_STRVAR(allocate_doc, "_allocate(shape, dtype, encoding, strict): gives a new object its memory.");
static PyObject *pooled_allocate_method(pooled_object *self, PyObject *const *args, Py_ssize_t nargs) {
    if (nargs != 4 || !PyTuple_Check(args[0])) {
        PyErr_SetString(PyExc_TypeError, "_allocate() takes a tuple, two numbers and a bool");
        return NULL;
    }
    PyObject *shape = args[0];
    long dtype = PyLong_AsLong(args[1]), encoding = PyLong_AsLong(args[2]);
    bool strict = args[3] == Py_True;
    if (PyErr_Occurred())
        return NULL;
    if (self->data != NULL) {
        PyErr_Format(PyExc_RuntimeError, "%.200s has its memory already: make another one.",
                     Py_TYPE(self)->tp_name);
        return NULL;
    }
    horus_state *state = horus_state_of_type(Py_TYPE(self));
    PyObject *kind = PyObject_GetAttr((PyObject *)Py_TYPE(self), state->kind_name);
    if (kind == NULL)
        return NULL;
    self->info.kind = (uint8_t)PyLong_AsLong(kind);
    Py_DECREF(kind);
    self->info.dtype = (uint8_t)dtype;
    self->info.encoding = (uint8_t)encoding;
    if (PyErr_Occurred() || dtype < 0 || dtype >= DTYPE_COUNT || parse_shape(shape, &self->info) < 0) {
        if (!PyErr_Occurred())
            PyErr_Format(PyExc_ValueError, "Bad dtype code: %ld.", dtype);
        return NULL;
    }
    if (!horus_info_fits(&self->info, PY_SSIZE_T_MAX)) {
        PyErr_Format(PyExc_ValueError, "Bad geometry for a %.200s: shape %R, dtype %s.",
                     Py_TYPE(self)->tp_name, shape, horus_dtypes[dtype].name);
        return NULL;
    }
    if (pooled_allocate(state, self, strict) < 0)
        return NULL;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(copy_doc, "copy(): a writable copy, in the pool where a block is free, else in private memory.");
static PyObject *pooled_copy(pooled_object *self, PyObject *Py_UNUSED(ignored)) {
    if (pooled_ready(self) < 0)
        return NULL;
    pooled_object *other = pooled_new_like(self, true);
    if (other == NULL)
        return NULL;
    if (pooled_allocate(horus_state_of_type(Py_TYPE(self)), other, false) < 0) {
        Py_DECREF(other);
        return NULL;
    }
    pooled_copy_rows(self, other->data);
    return (PyObject *)other;
}

PyDoc_STRVAR(tobytes_doc, "tobytes(): the elements, row by row.");
static PyObject *pooled_tobytes(pooled_object *self, PyObject *Py_UNUSED(ignored)) {
    if (pooled_ready(self) < 0)
        return NULL;
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)horus_info_bytes(&self->info));
    if (bytes != NULL)
        pooled_copy_rows(self, PyBytes_AS_STRING(bytes));
    return bytes;
}

PyDoc_STRVAR(crop_doc, "_crop(y, x, height, width): a view of part of an image; it shares the memory.");
static PyObject *pooled_crop(pooled_object *self, PyObject *args) {
    unsigned y, x, height, width;
    if (!PyArg_ParseTuple(args, "IIII:_crop", &y, &x, &height, &width) || pooled_ready(self) < 0)
        return NULL;
    const horus_payload_info *info = &self->info;
    if (info->ndim < 2 || (uint64_t)y + height > info->shape[0] || (uint64_t)x + width > info->shape[1]) {
        PyErr_SetString(PyExc_ValueError, "Bad crop: it leaves the image.");
        return NULL;
    }
    pooled_object *view = pooled_new_like(self, false);
    if (view == NULL)
        return NULL;
    size_t skip = (size_t)y * info->step + (size_t)x * (size_t)self->strides[1];
    view->info.offset += skip;
    view->info.shape[0] = height;
    view->info.shape[1] = width;
    pooled_set_geometry(view);
    view->data = (uint8_t *)self->data + skip;
    view->owner = Py_NewRef(pooled_root(self));
    return (PyObject *)view;
}

/* ---- the type ---- */

static PyMethodDef pooled_methods[] = {
    {"_allocate", (PyCFunction)(void (*)(void))pooled_allocate_method, METH_FASTCALL, allocate_doc},
    {"_fill", pooled_fill, METH_O,
     "_fill(buffer): copies a C-contiguous buffer of the same size into the payload."},
    {"_crop", (PyCFunction)pooled_crop, METH_VARARGS, crop_doc},
    {"copy", (PyCFunction)pooled_copy, METH_NOARGS, copy_doc},
    {"tobytes", (PyCFunction)pooled_tobytes, METH_NOARGS, tobytes_doc},
    {"to_numpy", pooled_to_numpy, METH_NOARGS,
     "to_numpy(): a numpy array on the payload itself, no copy; read-only once sent or received."},
    {"__dlpack__", (PyCFunction)(void (*)(void))pooled_dlpack, METH_FASTCALL | METH_KEYWORDS,
     "__dlpack__(*, stream=None, max_version=None, dl_device=None, copy=None): a DLPack capsule."},
    {"__dlpack_device__", pooled_dlpack_device, METH_NOARGS, "__dlpack_device__(): (1, 0), the host."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot pooled_slots[] = {
    {Py_tp_doc, "Base of the messages whose payload lies in a pool. Not instantiable on its own."},
    {Py_tp_new, pooled_new},
    {Py_tp_dealloc, pooled_dealloc},
    {Py_tp_methods, pooled_methods},
    {Py_tp_getset, pooled_getset},
    {Py_bf_getbuffer, pooled_getbuffer},
    {0, NULL},
};

static PyType_Spec pooled_spec = {
    .name = "horus_core._native.PooledBase",
    .basicsize = sizeof(pooled_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = pooled_slots,
};

static int add_tables(PyObject *module) {
    PyObject *dtypes = PyTuple_New(DTYPE_COUNT), *encodings = PyTuple_New(ENCODING_COUNT);
    int rc = dtypes == NULL || encodings == NULL ? -1 : 0;
    for (Py_ssize_t i = 0; rc == 0 && i < DTYPE_COUNT; i++) {
        PyObject *name = PyUnicode_FromString(horus_dtypes[i].name);
        rc = name == NULL ? -1 : PyTuple_SetItem(dtypes, i, name);
    }
    for (Py_ssize_t i = 0; rc == 0 && i < ENCODING_COUNT; i++) {
        const horus_encoding *e = &horus_encodings[i];
        PyObject *row = Py_BuildValue("(sII)", e->name, e->dtype, e->channels);
        rc = row == NULL ? -1 : PyTuple_SetItem(encodings, i, row);
    }
    if (rc == 0)
        rc = PyModule_AddObjectRef(module, "DTYPES", dtypes);
    if (rc == 0)
        rc = PyModule_AddObjectRef(module, "ENCODINGS", encodings);
    Py_XDECREF(dtypes);
    Py_XDECREF(encodings);
    return rc;
}

int horus_add_pooled(PyObject *module, horus_state *state) {
    state->kind_name = PyUnicode_InternFromString("_kind");
    if (state->kind_name == NULL)
        return -1;
    state->PooledBase = (PyTypeObject *)PyType_FromModuleAndSpec(module, &pooled_spec, NULL);
    if (state->PooledBase == NULL || PyModule_AddType(module, state->PooledBase) < 0)
        return -1;
    return add_tables(module);
}
