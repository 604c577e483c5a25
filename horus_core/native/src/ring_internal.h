/* The layout of a topic's region, and the words of its slots. docs/protocol.md has the same tables. */
#ifndef HORUS_RING_INTERNAL_H
#define HORUS_RING_INTERNAL_H

#include "horus/ring.h"
#include "member_internal.h"
#include "step.h"

#define RING_MAGIC "HORUSTOP"
#define META_MAX (1u << 20)
#define CAPACITY_MIN 4u
#define CAPACITY_MAX (1u << 20)
#define PAYLOAD_MAX 65536u

/* ---- the word of a slot: number 48 | tally 6 | state 2 | owner 8 ---- */

/* VOID and HELD share a bit: numbers that are never delivered. */
enum word_state { DONE = 0, BUSY = 1, VOID = 2, HELD = 3 };

#define NUMBER_MAX ((1ull << 48) - (1ull << 20))

static inline uint64_t word_make(uint64_t number, unsigned tally, enum word_state state, unsigned owner) {
    return number << 16 | (uint64_t)(tally & 63u) << 10 | (uint64_t)state << 8 | owner;
}
static inline uint64_t word_number(uint64_t word) {
    return word >> 16;
}
static inline unsigned word_tally(uint64_t word) {
    return (unsigned)(word >> 10) & 63u;
}
static inline enum word_state word_state(uint64_t word) {
    return (enum word_state)((word >> 8) & 3u);
}
static inline unsigned word_owner(uint64_t word) {
    return (unsigned)word & 0xffu;
}

typedef struct {
    uint64_t word;
    uint64_t publish_ns;
    uint32_t length_kind; /* length, and the kind of the payload in the highest byte */
    uint32_t voids;       /* the tally in full, or a few off it: see slot_count_void */
    uint64_t payload[];
} ring_slot;

_Static_assert(sizeof(ring_slot) == HORUS_SLOT_HEADER, "the payload starts at byte 24");

#define LENGTH_MASK 0xffffffu
#define KIND_SHIFT 24

/* From a tally, which is right modulo 64, to a count that is right but for less than 32. */
static inline int32_t tally_ahead(unsigned tally, uint32_t voids) {
    return (int32_t)(((tally - voids) & 63u) ^ 32u) - 32;
}

/* After the compare-and-swap that gave a slot's number up. A slot whose writer is held off the processor
 * loses a number each lap, thousands while a reader is away, and the six bits of the tally go round. This
 * count does not, but it is no part of the word. Who finds that another number of the slot was given up since
 * comes late and leaves it alone, for the later one counts both. Who loses the swap may leave it behind, for
 * the winner may have counted an earlier number; so does a kill in between. The next one mends it: it is
 * wrong only if 32 in a row never came to count.
 */
static inline void slot_count_void(ring_slot *slot, unsigned tally) {
    uint32_t voids = horus_load_acquire(&slot->voids); /* with the swap below: the word is then no older */
    STEP(slot_count_void__load_word);
    if (word_tally(horus_load_acquire(&slot->word)) != (tally & 63u))
        return;
    STEP(slot_count_void__swap);
    (void)horus_cas_acq_rel(&slot->voids, &voids, voids + (uint32_t)tally_ahead(tally, voids));
}

/* How many void numbers the slot has had, up to and with the word's. `voids` was read while that word stood.
 */
static inline uint32_t voids_of(uint64_t word, uint32_t voids) {
    return voids + (uint32_t)tally_ahead(word_tally(word), voids);
}

#define ROW_NAME 144 /* bytes of a node's name, with its end */

typedef struct {
    horus_ident who; /* 0: free. Claimed by compare-and-swap, so that one process at most has a row */
    uint64_t sent, refused, revoked;
    uint64_t spare[2];
    char node[ROW_NAME];
} publisher_row;

typedef struct {
    horus_ident who;
    uint64_t cursor, delivered, missed, skipped;
    uint64_t spare;
    char node[ROW_NAME];
} subscriber_row;

_Static_assert(sizeof(publisher_row) == 192 && sizeof(subscriber_row) == 192, "rows are three cache lines");

typedef struct {
    char magic[8];
    uint32_t version;
    uint32_t ready; /* stored last, with release, by the creator */
    uint64_t size;
    uint8_t boot_id[16];
    uint32_t kind;
    uint32_t latched;
    uint8_t type_hash[16];
    uint32_t capacity;
    uint32_t payload;
    uint64_t meta_length;
    uint32_t large_kept;
    uint8_t spare[12];
    char release[HORUS_VERSION_MAX]; /* of the creator; it stays here in every version to come */
    uint8_t release_spare[8];
    uint64_t hint; /* a number not far behind the front; never the truth */
    uint8_t hint_spare[56];
    uint32_t futex; /* bit 0 somebody sleeps, the rest an epoch */
    uint8_t futex_spare[60];
} ring_header;

_Static_assert(offsetof(ring_header, release) == 96 && offsetof(ring_header, hint) == 128 &&
                   offsetof(ring_header, futex) == 192,
               "lines of their own");
_Static_assert(sizeof(ring_header) == 256, "the header is 256 bytes");

/* Where everything lies, computed from capacity, payload and the length of meta alone. */
typedef struct {
    uint32_t stride;
    size_t users, publishers, subscribers, meta, slots, size;
} ring_geometry;

ring_geometry ring_geometry_of(uint32_t capacity, uint32_t payload, uint64_t meta_length);

struct horus_ring {
    uint8_t *base;
    uint8_t *slots;
    uint64_t mask;
    uint32_t stride;
    uint32_t capacity;
    uint32_t payload;
    uint32_t kind;
    ring_header *header;
    horus_member *member;
    publisher_row *publishers; /* row 1 is publishers[0] */
    subscriber_row *subscribers;
    uint32_t *users; /* low half of the generation of each process that maps the region; 0 nobody */
    size_t size;
    char *meta;
    size_t meta_length;
    uint8_t type_hash[16];
    bool latched;
    uint32_t large_kept;
    uint64_t device, inode;
    struct horus_ring *next; /* in the member's list of its mappings */
};

static inline ring_slot *slot_of(const horus_ring *ring, uint64_t number) {
    return (ring_slot *)(ring->slots + (number & ring->mask) * ring->stride);
}

/* Void numbers of a slot whose word was `word`; false when the word has changed since. */
static inline bool slot_voids(const ring_slot *slot, uint64_t word, uint32_t *voids) {
    STEP(slot_voids__load);
    *voids = voids_of(word, horus_load_relaxed(&slot->voids));
    horus_fence_acquire();
    STEP(slot_voids__look_again);
    return horus_load_relaxed(&slot->word) == word;
}

/* Nothing that stands in a region, or is written there meanwhile, keeps a call from coming back. Where who
 * changes a word makes another call look again, looks are counted: most suffice for what publishers can do,
 * however fast they are, and a process that scribbles over the words on purpose gets no more. */
#define SWAPS_MAX 64u
static inline uint64_t ring_looks(const horus_ring *ring) {
    return 4 * (uint64_t)ring->capacity;
}

/* The front, found from any number known to be claimed, plus one. */
uint64_t ring_front_from(const horus_ring *ring, uint64_t number);
/* The front by looking at all words: for regions whose hint cannot be true. */
uint64_t ring_scan_front(const horus_ring *ring);

/* Whether the publisher of that row is dead (an empty row is). A system call. */
bool ring_owner_dead(const horus_ring *ring, unsigned owner);

/* The payload of a slot is read while it may be written: 8 bytes at a time, relaxed, on both sides. */
void ring_copy_in(uint64_t *slot, const void *from, uint32_t length);
void ring_copy_out(void *to, const uint64_t *slot, uint32_t length);

/* Copies a slot whose word was `word` and looks again; false when it was overwritten meanwhile. */
bool ring_read_slot(const horus_ring *ring, const ring_slot *slot, uint64_t word, void *to, horus_info *info);

#endif
