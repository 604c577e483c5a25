/* Typed messages, as the topics see them. A message class is an instance of MessageMeta, whose C struct carries
 * the plan of its bytes; a message object holds its bytes inline, 8-aligned, in C layout. */
#ifndef HORUS_MESSAGE_H
#define HORUS_MESSAGE_H

#include "module.h"

/* A bounded array: `capacity` elements are reserved at `offset`, the first `count` are used and travel. */
typedef struct {
    uint32_t offset;       /* of the array in the struct; a multiple of 8 */
    uint32_t element_size; /* bytes */
    uint32_t capacity;     /* elements */
    uint32_t count_offset; /* of the u32 that says how many are used; stands before `offset` */
} horus_bounded;

/* How the bytes of one class are laid out and travel. Immutable once the class exists. */
typedef struct {
    uint32_t size;      /* bytes of the C struct, as sizeof would say */
    uint32_t wire_max;  /* bytes on the wire when all bounded arrays are full; a multiple of 8 */
    uint32_t n_bounded; /* 0: the wire is the struct itself, padded to 8 */
    const horus_bounded *bounded; /* by rising offset */
    uint8_t hash[16];
} horus_plan;

typedef struct {
    PyHeapTypeObject heap;
    horus_plan *plan; /* NULL for Message itself and for abstract classes */
} horus_message_type;

typedef struct {
    PyObject_VAR_HEAD
    uint32_t flags; /* HORUS_MSG_READONLY ... */
    uint32_t reserved;
    uint64_t bytes[]; /* horus_round_up(plan->size, 8) bytes */
} horus_message;

static inline bool horus_message_check(const horus_state *state, PyObject *object) {
    return Py_TYPE(Py_TYPE(object)) == state->MessageMeta;
}

static inline const horus_plan *horus_message_plan(PyTypeObject *type) {
    return ((horus_message_type *)type)->plan;
}

/* A new message with undefined bytes, for the receiver to fill. */
PyObject *horus_message_alloc(PyTypeObject *type);

/* Messages with bounded arrays: to and from the wire (segments without the unused tails, each padded to 8).
 * `pack` returns the number of bytes written to `wire` (room for plan->wire_max). `unpack` returns -1 when the
 * wire does not fit the plan (counts and lengths are checked: the wire is untrusted). */
size_t horus_message_pack(const horus_plan *plan, const void *bytes, void *wire);
int horus_message_unpack(const horus_plan *plan, const void *wire, size_t length, void *bytes);

#endif
