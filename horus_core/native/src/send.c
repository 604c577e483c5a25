/* Publishing: claim a number, write, commit, wake. docs/protocol.md, sections 1.2 and 4. */
#include "ring_internal.h"

#include <string.h>

#include "futex.h"

#define TRIES 3
#define SPIN_ROUNDS 64 /* about 2 us of pauses in all, before a living writer's number is taken */
#define RACES_MAX                                                                                            \
    4000u            /* looks at words that others changed before a send gives up, and 4 per slot:           \
                      * below 1 ms unless the ring has thousands of slots: then in proportion */
#define SCANS_MAX 4u /* looks at all words: one is enough unless somebody scribbles over them */
#define HELD_LOOK_NS 100000000u /* a HELD word's owner is looked up this often by each publisher */

void ring_copy_in(uint64_t *slot, const void *from, uint32_t length) {
    const uint8_t *bytes = from;
    uint32_t words = length / 8, tail = length % 8;
    uint64_t word;
    for (uint32_t i = 0; i < words; i++) {
        if (i == words / 2)
            STEP(ring_copy_in__middle);
        memcpy(&word, bytes + 8 * (size_t)i, 8);
        horus_store_relaxed(&slot[i], word);
    }
    if (tail != 0) {
        word = 0;
        memcpy(&word, bytes + 8 * (size_t)words, tail);
        horus_store_relaxed(&slot[words], word);
    }
}

static bool may_reclaim(horus_publisher *pub, uint64_t word) {
    if (word_state(word) == HELD) {
        uint64_t now = horus_now_ns();
        if (now - pub->held_look_ns < HELD_LOOK_NS)
            return false;
        pub->held_look_ns = now;
    }
    STEP(may_reclaim__look);
    /* The word was loaded before this look: a compare-and-swap of it fits only what the dead one left. */
    return ring_owner_dead(pub->ring, word_owner(word));
}

/* A slot that is not free: spin a little, then take the number (never the memory) of the living writer.
 * Returns true when the number was made void, false when the word must be looked at again. */
static bool pass_writer(ring_slot *slot, uint64_t word, uint64_t number, unsigned tally, unsigned *spins) {
    while (*spins < SPIN_ROUNDS) {
        ++*spins;
        horus_cpu_relax();
        if (horus_load_relaxed(&slot->word) != word)
            return false;
    }
    STEP(pass_writer__swap);
    if (!horus_cas_acq_rel(&slot->word, &word, word_make(number, tally, HELD, word_owner(word))))
        return false;
    STEP(pass_writer__count_void);
    slot_count_void(slot, tally);
    return true;
}

/* Claims the next number. Its slot, or NULL: refused (result says why). */
static ring_slot *claim(horus_publisher *pub, uint64_t *number, uint64_t *claimed, int *result) {
    horus_ring *ring = pub->ring;
    STEP(claim__load_hint);
    uint64_t next = horus_load_acquire(&ring->header->hint);
    uint64_t scanned =
        0; /* what the last look at all words said: believed for a lap, whatever corrupt slots hold */
    unsigned skips = 0, spins = 0, scans = 0;
    if (next < pub->next)
        next = pub->next;
    for (uint64_t looks = ring_looks(ring) + RACES_MAX; looks > 0; looks--) {
        if (HORUS_UNLIKELY(next >= NUMBER_MAX)) {
            next = scanned = ring_scan_front(ring); /* a corrupt hint must not end the topic */
            if (next >= NUMBER_MAX) {
                *result = HORUS_WORN_OUT;
                return NULL;
            }
            if (++scans > SCANS_MAX)
                break;
        }
        ring_slot *slot = slot_of(ring, next);
        STEP(claim__load_word);
        uint64_t word = horus_load_acquire(&slot->word);
        if (word_number(word) >= next) {
            next = word_number(word) + 1; /* somebody has it: go on behind */
            continue;
        }
        if (HORUS_UNLIKELY(word_number(word) + ring->capacity != next) &&
            (scans == 0 || next - scanned >= ring->capacity)) {
            next = scanned = ring_scan_front(ring); /* the hint was not a claimed number */
            if (++scans > SCANS_MAX)
                break;
            continue;
        }
        enum word_state state = word_state(word);
        unsigned tally = word_tally(word) + (state == BUSY);
        if (HORUS_LIKELY(state == DONE || state == VOID) || may_reclaim(pub, word)) {
            uint64_t mine = word_make(next, tally, BUSY, pub->owner);
            STEP(claim__swap);
            if (HORUS_LIKELY(horus_cas_acq_rel(&slot->word, &word, mine))) {
                if (HORUS_UNLIKELY(state == BUSY)) { /* the dead one's number */
                    STEP(claim__count_void);
                    slot_count_void(slot, tally);
                }
                *number = next;
                *claimed = mine;
                return slot;
            }
        } else if (skips == ring->capacity) {
            break;
        } else if (pass_writer(slot, word, next, tally + 1, &spins)) {
            next++;
            skips++;
        }
    }
    *result = HORUS_REFUSED;
    return NULL;
}

/* Our number was taken from us: say that we write here no more. */
static void let_go(ring_slot *slot, uint64_t word, unsigned owner) {
    for (unsigned swaps = 0; swaps < SWAPS_MAX; swaps++) {
        if (word_state(word) != HELD || word_owner(word) != owner)
            return;
        uint64_t released = word_make(word_number(word), word_tally(word), VOID, owner);
        STEP(let_go__swap);
        if (horus_cas_acq_rel(&slot->word, &word, released))
            return;
    }
}

static inline void wake_sleepers(horus_ring *ring) {
    STEP(wake_sleepers__load_futex);
    if (HORUS_UNLIKELY(horus_load_seq_cst(&ring->header->futex) & 1u))
        horus_ring_wake(ring);
}

int horus_publisher_send(horus_publisher *pub, const void *data, uint32_t length, uint32_t payload_kind,
                         uint64_t *number_out) {
    horus_ring *ring = pub->ring;
    publisher_row *row = pub->row;
    uint64_t stamp = horus_now_ns(); /* before the claim: nothing between claim and commit may take time */
    for (int attempt = 0; attempt < TRIES; attempt++) {
        uint64_t number, word;
        int result = HORUS_REFUSED;
        ring_slot *slot = claim(pub, &number, &word, &result);
        if (HORUS_UNLIKELY(slot == NULL)) {
            if (result == HORUS_WORN_OUT)
                return result;
            break;
        }
        pub->next = number + 1;
        STEP(horus_publisher_send__store_hint);
        horus_store_release(&ring->header->hint, number + 1);
        horus_fence_release(); /* with the reader's acquire fence: one byte of ours seen, the claim is seen */
        STEP(horus_publisher_send__write);
        horus_store_relaxed(&slot->publish_ns, stamp);
        horus_store_relaxed(&slot->length_kind, length | payload_kind << KIND_SHIFT);
        ring_copy_in(slot->payload, data, length);
        uint64_t done = word_make(number, word_tally(word), DONE, pub->owner);
        STEP(horus_publisher_send__commit);
        if (HORUS_LIKELY(horus_cas_seq_cst(&slot->word, &word, done))) {
            wake_sleepers(ring);
            STEP(horus_publisher_send__count);
            horus_store_relaxed(&row->sent, ++pub->sent);
            if (number_out != NULL)
                *number_out = number;
            return HORUS_STORED;
        }
        let_go(slot, word, pub->owner); /* the failed compare-and-swap loaded it */
        horus_store_relaxed(&row->revoked, ++pub->revoked);
    }
    horus_store_relaxed(&row->refused, ++pub->refused);
    return HORUS_REFUSED;
}
