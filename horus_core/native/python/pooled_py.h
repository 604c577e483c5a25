/* Between the files of the pooled types. */
#ifndef HORUS_POOLED_PY_H
#define HORUS_POOLED_PY_H

#include "pooled.h"

enum { KIND_IMAGE = 1, KIND_DEPTH = 2, KIND_CLOUD = 3, KIND_TENSOR = 4 };

/* An element type, as this package, struct, numpy and DLPack call it. */
typedef struct {
    const char *name;
    uint8_t size;
    char format[2]; /* of the buffer protocol; "" where it has none */
    int8_t numpy;   /* its type number there; -1 where it has none */
    uint8_t dlpack; /* type code */
} horus_dtype;

enum { DTYPE_U8 = 0, DTYPE_U16 = 2, DTYPE_BF16 = 9, DTYPE_F32 = 10, DTYPE_COUNT = 13 };
extern const horus_dtype horus_dtypes[DTYPE_COUNT];

/* A pixel format. Where `channels` is 1 the image has two dimensions. */
typedef struct {
    const char *name;
    uint8_t dtype;
    uint8_t channels;
} horus_encoding;

enum { ENCODING_NONE = 0, ENCODING_MONO32F = 8, ENCODING_DEPTH16 = 11, ENCODING_COUNT = 12 };
extern const horus_encoding horus_encodings[ENCODING_COUNT];

typedef struct {
    PyObject_HEAD
    void *data;           /* the first element; NULL until allocated */
    horus_block *block;   /* NULL: private memory */
    void *memory;         /* private memory that this object frees */
    horus_block *sending; /* of private memory: the copy that was made ready to be sent */
    PyObject *owner;      /* a view's root, which has block and memory */
    PyObject *arrays;     /* weak references to writable numpy arrays, made read-only by a send; or NULL */
    bool readonly;
    horus_payload_info info;
    Py_ssize_t shape[HORUS_DIMENSIONS_MAX];
    Py_ssize_t strides[HORUS_DIMENSIONS_MAX];
} pooled_object;

static inline pooled_object *pooled_root(pooled_object *self) {
    return self->owner != NULL ? (pooled_object *)self->owner : self;
}

/* pooled_table.c */
bool horus_info_fits(const horus_payload_info *info, uint64_t length);
uint64_t horus_info_row(const horus_payload_info *info);   /* of one row: of all inner dimensions */
uint64_t horus_info_bytes(const horus_payload_info *info); /* of the elements, without gaps between rows */

/* pool_py.c: the pool of the current namespace, a new reference. */
PyObject *horus_default_pool(horus_state *state);

/* pooled_py.c */
horus_state *horus_state_of_type(PyTypeObject *type);
int pooled_ready(pooled_object *self); /* -1 with an exception where nothing was allocated */
bool pooled_readonly(pooled_object *self);
void pooled_set_geometry(pooled_object *self);
pooled_object *pooled_new_like(pooled_object *self, bool contiguous);
int pooled_allocate(horus_state *state, pooled_object *self, bool strict);

/* pooled_buffer_py.c */
void pooled_copy_bytes(void *to, const void *from, size_t length); /* releases the GIL for large ones */
void pooled_copy_rows(const pooled_object *self, void *to);

/* Methods, by file. */
PyObject *pooled_to_numpy(PyObject *self, PyObject *unused);
void pooled_freeze_arrays(pooled_object *self);
PyObject *pooled_dlpack(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *names);
PyObject *pooled_dlpack_device(PyObject *self, PyObject *unused);
int pooled_getbuffer(PyObject *self, Py_buffer *view, int flags);
PyObject *pooled_fill(PyObject *self, PyObject *source);
extern PyGetSetDef pooled_getset[];
int horus_add_pooled(PyObject *module, horus_state *state);

#endif
