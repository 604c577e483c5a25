/* A topic's region: broadcast, keep-last-N, many publishers, many subscribers. docs/protocol.md is the
 * algorithm; the names of steps there are the names of functions here. */
#ifndef HORUS_RING_H
#define HORUS_RING_H

#include "horus/base.h"
#include "horus/member.h"

#ifdef __cplusplus
extern "C" {
#endif

#define HORUS_LAYOUT_VERSION 1u
#define HORUS_MAX_PUBLISHERS 255u
#define HORUS_MAX_SUBSCRIBER_ROWS 56u
#define HORUS_NAME_MAX 128u
#define HORUS_SLOT_HEADER 24u
#define HORUS_PATIENCE_NS 1000000u

enum horus_kind { HORUS_TYPED = 1, HORUS_MSGPACK = 2, HORUS_DESCRIPTOR = 3 };

/* What the payload of a slot is. */
enum horus_payload { HORUS_INLINE = 0, HORUS_SPILLED = 1 /* a horus_block_ref: the message lies in a pool */ };

typedef struct {
    uint32_t kind; /* enum horus_kind */
    bool latched;
    uint32_t capacity; /* slots, a power of two, at least 4 */
    uint32_t payload;  /* largest inline payload in bytes */
    uint8_t type_hash[16];
    const char *meta; /* JSON: topic, type, layout, creator; any length below 1 MiB */
    size_t meta_length;
} horus_ring_params;

/* The mapping of a topic's region in this process. Opaque. */
typedef struct horus_ring horus_ring;

size_t horus_ring_size(const horus_ring_params *params);

/* Writes an empty ring into zeroed memory of horus_ring_size() bytes. */
void horus_ring_format(void *memory, const horus_ring_params *params);

/* Maps and checks the region behind `fd`, which the caller may close afterwards. NULL with the error set. */
horus_ring *horus_ring_map(int fd, horus_member *member, horus_error *error);
void horus_ring_unmap(horus_ring *ring);

/* Whether numbers up to and including `number` have left the ring (their slots were claimed again). */
bool horus_ring_gone(const horus_ring *ring, uint64_t number);

/* Reads the first number not claimed yet. */
uint64_t horus_ring_front(const horus_ring *ring);

#ifdef __cplusplus
}
#endif
#endif
