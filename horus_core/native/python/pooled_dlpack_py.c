/* DLPack: the payload for torch, jax, numpy and others, without a copy. The structures are those of
 * dlpack.h 1.1 (https://github.com/dmlc/dlpack), spelt out because they are small and frozen. */
#include "pooled_py.h"

#include <stdlib.h>
#include <string.h>

#define DEVICE_CPU 1
#define FLAG_READ_ONLY 1u
#define FLAG_COPIED 2u

typedef struct {
    int32_t device_type, device_id;
} dl_device;

typedef struct {
    uint8_t code, bits;
    uint16_t lanes;
} dl_dtype;

typedef struct {
    void *data;
    dl_device device;
    int32_t ndim;
    dl_dtype dtype;
    int64_t *shape, *strides; /* strides in elements */
    uint64_t byte_offset;
} dl_tensor;

typedef struct dl_managed {
    dl_tensor tensor;
    void *context;
    void (*deleter)(struct dl_managed *);
} dl_managed;

typedef struct dl_versioned {
    struct {
        uint32_t major, minor;
    } version;
    void *context;
    void (*deleter)(struct dl_versioned *);
    uint64_t flags;
    dl_tensor tensor;
} dl_versioned;

/* One allocation behind either capsule; `context` is the message, which keeps the payload. */
typedef struct {
    union {
        dl_managed plain;
        dl_versioned versioned;
    } managed;
    int64_t shape[HORUS_DIMENSIONS_MAX], strides[HORUS_DIMENSIONS_MAX];
} dl_export;

/* A consumer may drop its tensor on a thread of its own, without the GIL, and after the interpreter's end. */
static void drop(void *context, void *allocation) {
    if (Py_IsInitialized()) {
        PyGILState_STATE gil = PyGILState_Ensure();
        Py_XDECREF((PyObject *)context);
        PyGILState_Release(gil);
    }
    free(allocation);
}

static void delete_plain(dl_managed *managed) {
    drop(managed->context, managed);
}
static void delete_versioned(dl_versioned *managed) {
    drop(managed->context, managed);
}

/* A capsule that was never consumed: consumers rename it to "used_...". */
static void capsule_plain(PyObject *capsule) {
    if (PyCapsule_IsValid(capsule, "dltensor"))
        delete_plain(PyCapsule_GetPointer(capsule, "dltensor"));
}
static void capsule_versioned(PyObject *capsule) {
    if (PyCapsule_IsValid(capsule, "dltensor_versioned"))
        delete_versioned(PyCapsule_GetPointer(capsule, "dltensor_versioned"));
}

static dl_tensor describe(const pooled_object *self, dl_export *export) {
    const horus_dtype *dtype = &horus_dtypes[self->info.dtype];
    for (unsigned i = 0; i < self->info.ndim; i++) {
        export->shape[i] = self->shape[i];
        export->strides[i] = self->strides[i] / dtype->size;
    }
    return (dl_tensor){
        .data = self->data,
        .device = {DEVICE_CPU, 0},
        .ndim = self->info.ndim,
        .dtype = {dtype->dlpack, (uint8_t)(dtype->size * 8), 1},
        .shape = export->shape,
        .strides = export->strides,
    };
}

static PyObject *make_capsule(pooled_object *self, bool versioned, bool copied) {
    dl_export *export = calloc(1, sizeof *export);
    if (export == NULL)
        return PyErr_NoMemory();
    PyObject *capsule;
    if (versioned) {
        dl_versioned *managed = &export->managed.versioned;
        managed->version.major = 1;
        managed->version.minor = 0;
        managed->flags = (pooled_readonly(self) ? FLAG_READ_ONLY : 0) | (copied ? FLAG_COPIED : 0);
        managed->deleter = delete_versioned;
        managed->tensor = describe(self, export);
        managed->context = self;
        capsule = PyCapsule_New(managed, "dltensor_versioned", capsule_versioned);
    } else {
        dl_managed *managed = &export->managed.plain;
        managed->deleter = delete_plain;
        managed->tensor = describe(self, export);
        managed->context = self;
        capsule = PyCapsule_New(managed, "dltensor", capsule_plain);
    }
    if (capsule == NULL)
        free(export);
    else
        Py_INCREF(self);
    return capsule;
}

typedef struct {
    bool versioned, copy, unflagged;
} dl_request;

static int parse_keyword(const char *name, PyObject *value, dl_request *request) {
    if (value == Py_None)
        return 0;
    if (strcmp(name, "max_version") == 0) {
        long major = PyTuple_Check(value) && PyTuple_GET_SIZE(value) == 2
                         ? PyLong_AsLong(PyTuple_GET_ITEM(value, 0))
                         : 0;
        request->versioned = major >= 1;
        return PyErr_Occurred() ? -1 : 0;
    }
    if (strcmp(name, "dl_device") == 0) {
        int type, id;
        if (!PyArg_ParseTuple(value, "ii:dl_device", &type, &id))
            return -1;
        if (type == DEVICE_CPU)
            return 0;
        PyErr_SetString(PyExc_BufferError, "Payloads lie in the host's memory: expected dl_device (1, 0).");
        return -1;
    }
    if (strcmp(name, "copy") == 0 || strcmp(name, "_unflagged") == 0) {
        int truth = PyObject_IsTrue(value);
        if (name[0] == '_')
            request->unflagged = truth == 1;
        else
            request->copy = truth == 1;
        return truth < 0 ? -1 : 0;
    }
    if (strcmp(name, "stream") == 0)
        return 0; /* of other devices */
    PyErr_Format(PyExc_TypeError, "__dlpack__() got an unexpected keyword argument '%s'", name);
    return -1;
}

PyObject *pooled_dlpack(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *names) {
    pooled_object *self = (pooled_object *)object;
    dl_request request = {0};
    if (nargs > 0) {
        PyErr_SetString(PyExc_TypeError, "__dlpack__() takes keyword arguments only");
        return NULL;
    }
    if (pooled_ready(self) < 0)
        return NULL;
    for (Py_ssize_t i = 0; names != NULL && i < PyTuple_GET_SIZE(names); i++) {
        const char *name = PyUnicode_AsUTF8(PyTuple_GET_ITEM(names, i));
        if (name == NULL || parse_keyword(name, args[i], &request) < 0)
            return NULL;
    }
    if (request.copy) {
        PyObject *copied = PyObject_CallMethod(object, "copy", NULL);
        PyObject *capsule =
            copied == NULL ? NULL : make_capsule((pooled_object *)copied, request.versioned, true);
        Py_XDECREF(copied);
        return capsule;
    }
    if (!request.versioned && !request.unflagged && pooled_readonly(self)) {
        PyErr_SetString(PyExc_BufferError,
                        "This message was sent or received and is read-only, which DLPack can "
                        "say from version 1.0 on only: use to_torch(), or copy() it.");
        return NULL;
    }
    return make_capsule(self, request.versioned, false);
}

PyObject *pooled_dlpack_device(PyObject *object, PyObject *Py_UNUSED(ignored)) {
    (void)object;
    return Py_BuildValue("(ii)", DEVICE_CPU, 0);
}
