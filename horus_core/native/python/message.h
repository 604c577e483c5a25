/* Typed messages, as the topics see them. A message class is an instance of MessageMeta, whose C struct
 * carries the plan of its bytes; a message object holds its bytes inline, 8-aligned, in C layout. */
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
    uint32_t size;          /* bytes of the C struct, as sizeof would say */
    uint32_t wire_max;      /* bytes on the wire when all bounded arrays are full; a multiple of 8 */
    uint32_t align;         /* of the C struct: that of its most demanding member */
    uint32_t n_bounded;     /* 0: the wire is the struct itself, padded to 8 */
    horus_bounded *bounded; /* by rising offset */
    uint8_t hash[16];
} horus_plan;

struct horus_field;

typedef struct {
    PyHeapTypeObject heap;
    horus_plan *plan; /* NULL for Message itself and for classes without fields */
    /* For constructing: the positional fields first, then those by keyword only, then the aliases. */
    struct horus_field **fields;
    uint32_t n_fields, n_positional, n_required;
    uint64_t *defaults; /* the bytes of a new message */
    void *spare;        /* memory of the message that was freed last, for the next one; or NULL */
} horus_message_type;

/* `bytes` are horus_round_up(plan->size, 8) of its own, 8-aligned; or, in a part of another message,
 * plan->size bytes of that one, aligned as C aligns the member. */
typedef struct {
    PyObject ob_base;
    void *bytes;
    uint64_t storage[]; /* own bytes; for a part of another message: the PyObject * that owns them */
} horus_message;

static inline uint8_t *horus_message_at(horus_message *message) {
    return message->bytes;
}

static inline bool horus_message_check(const horus_state *state, PyObject *object) {
    return Py_TYPE(Py_TYPE(object)) == state->MessageMeta;
}

static inline const horus_plan *horus_message_plan(PyTypeObject *type) {
    return ((horus_message_type *)type)->plan;
}

/* A new message with undefined bytes, for the receiver to fill. The type must have a plan. */
PyObject *horus_message_alloc(PyTypeObject *type);

/* Messages with bounded arrays: to and from the wire (segments without the unused tails, each padded to 8).
 * `pack` returns the number of bytes written to `wire` (room for plan->wire_max). `unpack` returns -1 when
 * the wire does not fit the plan (the last segment's padding may be missing). The wire is untrusted and may
 * change while it is read: each byte is read once, and what is checked is the copy. Unused tails are left as
 * they were. */
size_t horus_message_pack(const horus_plan *plan, const void *bytes, void *wire);
int horus_message_unpack(const horus_plan *plan, const void *wire, size_t length, void *bytes);

/* Zeroes all but the bounded arrays' elements: then none is used. */
void horus_message_clear(const horus_plan *plan, void *bytes);

/* Copies what is used, in struct form; the unused tails of bounded arrays are left as they were. */
void horus_message_copy(const horus_plan *plan, const void *from, void *to);

#endif
