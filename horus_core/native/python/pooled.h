/* Pool-backed messages (Image, DepthImage, PointCloud, Tensor), as the topics see them: an object of a
 * subclass of PooledBase holds a descriptor, which crosses the ring, and a handle on the block that has the
 * payload. */
#ifndef HORUS_POOLED_H
#define HORUS_POOLED_H

#include "module.h"
#include "horus/pool.h"

#define HORUS_DIMENSIONS_MAX 8u
#define HORUS_FRAME_ID_SIZE 32u

/* What a payload is. Part of the wire format: 96 bytes, little-endian, docs/protocol.md. Rows (the first
 * dimension) lie `step` bytes apart, everything inside a row is contiguous. */
typedef struct {
    uint8_t kind;     /* 1 image, 2 depth image, 3 point cloud, 4 tensor */
    uint8_t dtype;    /* index into horus_dtypes */
    uint8_t ndim;     /* 0 to 8 */
    uint8_t encoding; /* index into horus_encodings; 0 for what is no image */
    uint8_t device;   /* 0: the host's memory */
    uint8_t reserved[3];
    uint64_t timestamp_ns;
    uint64_t offset; /* of the first element in the block */
    uint64_t step;
    uint32_t shape[HORUS_DIMENSIONS_MAX];
    char frame_id[HORUS_FRAME_ID_SIZE]; /* NUL-terminated */
} horus_payload_info;

typedef struct {
    horus_block_ref ref;
    horus_payload_info info;
} horus_descriptor;

_Static_assert(sizeof(horus_payload_info) == 96 && sizeof(horus_descriptor) == 136, "a wire format");

/* Readies `object` to be sent through a topic whose pool is `pool`, and copies its descriptor out. Returns 1;
 * 0 when the payload is in private memory because no block was free (the send counts as dropped;
 * horus_pool_refusal has the reason); -1 with an exception. */
int horus_pooled_prepare(PyObject *object, horus_pool *pool, horus_descriptor *out);

/* After the ring took it: the object becomes read-only and its block remembers the ring and the number. */
void horus_pooled_sent(PyObject *object, horus_ring *ring, uint64_t number);

/* An object of `type` from a descriptor that came through a ring (untrusted: geometry is checked against the
 * block's length). NULL without an exception set: the block was overwritten, count it as missed. NULL with an
 * exception: a corrupt descriptor. */
PyObject *horus_pooled_receive(horus_state *state, PyTypeObject *type, horus_pool *pool,
                               const horus_descriptor *descriptor);

/* Whether a descriptor of another process's describes a payload of `type` within `ref.length` bytes: 1, 0, or
 * -1 with an exception. */
int horus_pooled_fits(horus_state *state, PyTypeObject *type, const horus_descriptor *descriptor);

/* The object as bytes: 96 of geometry, then its rows, close together. */
PyObject *horus_pooled_wire(PyObject *object);

/* The pool inside a Pool object (module.h's state->Pool). */
horus_pool *horus_pool_of(PyObject *pool_object);

#endif
