/* Pool-backed messages (Image, DepthImage, PointCloud, Tensor), as the topics see them: an object of a subclass
 * of PooledBase holds a descriptor, which crosses the ring, and a handle on the block that has the payload. */
#ifndef HORUS_POOLED_H
#define HORUS_POOLED_H

#include "module.h"
#include "horus/pool.h"

#define HORUS_DESCRIPTOR_MAX 168u

typedef struct {
    horus_block_ref ref;
    uint8_t rest[HORUS_DESCRIPTOR_MAX - sizeof(horus_block_ref)]; /* shape, dtype, encoding, frame_id, stamp */
} horus_descriptor;

/* Readies `object` to be sent and copies its descriptor out. Returns 1; 0 when the payload is in private memory
 * because no block was free (the send counts as dropped); -1 with an exception. */
int horus_pooled_prepare(horus_state *state, PyObject *object, horus_descriptor *out);

/* After the ring took it: the object becomes read-only and its block remembers the ring and the number. */
void horus_pooled_sent(PyObject *object, horus_ring *ring, uint64_t number);

/* An object of `type` from a descriptor that came through a ring (untrusted: geometry is checked against the
 * block's length). NULL without an exception set: the block was overwritten, count it as missed. NULL with an
 * exception: a corrupt descriptor. */
PyObject *horus_pooled_receive(horus_state *state, PyTypeObject *type, horus_pool *pool,
                               const horus_descriptor *descriptor);

/* The pool inside a Pool object (module.h's state->Pool). */
horus_pool *horus_pool_of(PyObject *pool_object);

#endif
