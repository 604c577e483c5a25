/* Looking without consuming, and sleeping until there is something. docs/protocol.md, sections 1.3 and 4. */
#include "ring_internal.h"

#include <errno.h>

#include "futex.h"

#define REFERENCE_LENGTH 24u /* offset of the length in a reference to a block (pool.h) */

bool horus_ring_peek(const horus_ring *ring, uint64_t number, void *to, horus_info *info) {
    const ring_slot *slot = slot_of(ring, number);
    STEP(horus_ring_peek__load_word);
    uint64_t word = horus_load_acquire(&slot->word);
    return word_number(word) == number && word_state(word) == DONE &&
           ring_read_slot(ring, slot, word, to, info);
}

/* The newest DONE number below the front and its word; 0 when there is none. `overtaken`: publishers went
 * round the ring meanwhile, so that this says nothing. */
static uint64_t newest(const horus_ring *ring, uint64_t *word_out, bool *overtaken) {
    uint64_t front = horus_ring_front(ring);
    uint64_t oldest = front > 2 * (uint64_t)ring->capacity ? front - ring->capacity : ring->capacity;
    *overtaken = false;
    for (uint64_t number = front - 1; number >= oldest; number--) {
        STEP(newest__load_word);
        uint64_t word = horus_load_acquire(&slot_of(ring, number)->word);
        if (word_number(word) == number && word_state(word) == DONE) {
            *word_out = word;
            return number;
        }
        if (word_number(word) > number) {
            *overtaken = true; /* and all numbers below, too */
            return 0;
        }
    }
    return 0;
}

bool horus_ring_latest(const horus_ring *ring, void *to, horus_info *info) {
    bool overtaken = true;
    for (int attempt = 0; attempt < 4 && overtaken; attempt++) {
        uint64_t word, number = newest(ring, &word, &overtaken);
        if (number == 0)
            continue;
        if (ring_read_slot(ring, slot_of(ring, number), word, to, info))
            return true;
        overtaken = true;
    }
    return false;
}

bool horus_ring_latest_time(const horus_ring *ring, uint64_t *publish_ns) {
    bool overtaken = true;
    for (int attempt = 0; attempt < 4 && overtaken; attempt++) {
        uint64_t word, number = newest(ring, &word, &overtaken);
        if (number == 0)
            continue;
        const ring_slot *slot = slot_of(ring, number);
        *publish_ns = horus_load_relaxed(&slot->publish_ns);
        horus_fence_acquire();
        if (horus_load_relaxed(&slot->word) == word)
            return true;
        overtaken = true;
    }
    return false;
}

/* As horus_ring_peek, but of the payload eight or sixteen bytes at most are read: those asked for, and the
 * length in a reference. */
enum horus_sight horus_ring_sight(const horus_ring *ring, uint64_t number, uint32_t at, horus_sighting *out) {
    const ring_slot *slot = slot_of(ring, number);
    uint64_t word = horus_load_acquire(&slot->word);
    if (word_number(word) < number || (word_number(word) == number && word_state(word) == BUSY))
        return HORUS_SIGHT_PENDING;
    if (word_number(word) != number || word_state(word) != DONE)
        return HORUS_SIGHT_NONE;
    uint32_t length_kind = horus_load_relaxed(&slot->length_kind), length = length_kind & LENGTH_MASK;
    length = length <= ring->payload ? length : ring->payload; /* untrusted, as in ring_read_slot */
    out->number = number;
    out->owner = word_owner(word);
    out->publish_ns = horus_load_relaxed(&slot->publish_ns);
    out->bytes = length;
    out->refers = (length_kind >> KIND_SHIFT) == HORUS_SPILLED || ring->kind == HORUS_DESCRIPTOR;
    if (out->refers && length >= REFERENCE_LENGTH + 8)
        out->bytes = horus_load_relaxed(&slot->payload[REFERENCE_LENGTH / 8]);
    out->has_word = at < length && length - at >= 8 && at % 8 == 0;
    out->word = out->has_word ? horus_load_relaxed(&slot->payload[at / 8]) : 0;
    horus_fence_acquire(); /* with the writer's release fence after its claim */
    return horus_load_relaxed(&slot->word) == word ? HORUS_SIGHT_MESSAGE : HORUS_SIGHT_NONE;
}

uint64_t horus_ring_voids(const horus_ring *ring, uint64_t front) {
    uint64_t sum = 0;
    for (uint64_t i = 0; i < ring->capacity; i++) {
        const ring_slot *slot = slot_of(ring, i);
        uint64_t word;
        uint32_t voids;
        int looks = 8; /* at a word that stands still; who looks waits for nobody */
        do
            word = horus_load_acquire(&slot->word);
        while (!slot_voids(slot, word, &voids) && --looks > 0);
        sum += voids - (word_number(word) >= front && (word_state(word) & VOID));
    }
    return sum;
}

/* Announces a sleeper. The word to sleep on. */
static uint32_t raise_sleep_bit(uint32_t *futex) {
    STEP(raise_sleep_bit__load_futex);
    uint32_t word = horus_load_seq_cst(futex);
    for (unsigned swaps = 0; !(word & 1u) && swaps < SWAPS_MAX; swaps++) {
        STEP(raise_sleep_bit__swap);
        if (horus_cas_seq_cst(futex, &word, word | 1u))
            return word | 1u;
    }
    return word | 1u; /* without the bit, which was refused too often, the sleep ends at once */
}

int horus_subscriber_wait_begin(horus_subscriber *sub, uint64_t deadline_ns, horus_wait *ticket) {
    horus_ring *ring = sub->ring;
    if (horus_subscriber_has_msg(sub))
        return 1;
    uint64_t now = horus_now_ns();
    ticket->until_ns = 0;
    if (now >= deadline_ns)
        return 0;
    ticket->word = &ring->header->futex;
    ticket->expected = raise_sleep_bit(&ring->header->futex);
    /* Looked at after the bit was set. The fence orders all words that the look loads, not the first alone,
     * after it: seq_cst against the publisher's commit and its load of the futex word. */
    horus_fence_seq_cst();
    STEP(horus_subscriber_wait_begin__look);
    if (horus_subscriber_has_msg(sub))
        return 1;
    /* Before a BUSY number, where the look has stopped, nobody may ever publish again: then the sleep is
     * short. */
    STEP(horus_subscriber_wait_begin__look_stuck);
    uint64_t word = horus_load_acquire(&slot_of(ring, sub->cursor)->word);
    bool stuck = word_number(word) == sub->cursor && word_state(word) == BUSY;
    uint64_t until = now + (stuck ? HORUS_PATIENCE_NS : HORUS_SLICE_NS);
    ticket->until_ns = until < deadline_ns ? until : deadline_ns;
    return 0;
}

uint64_t horus_ring_newest(const horus_ring *ring) {
    uint64_t word, number = 0;
    bool overtaken = true;
    for (int attempt = 0; attempt < 4 && overtaken && number == 0; attempt++)
        number = newest(ring, &word, &overtaken);
    return number;
}

int horus_ring_wait_begin(horus_ring *ring, uint64_t seen, horus_wait *ticket) {
    if (horus_ring_newest(ring) != seen)
        return 1;
    ticket->word = &ring->header->futex;
    ticket->expected = raise_sleep_bit(&ring->header->futex);
    ticket->until_ns = horus_now_ns() + HORUS_SLICE_NS;
    horus_fence_seq_cst(); /* as above: the look comes after the bit */
    return horus_ring_newest(ring) != seen;
}

int horus_wait_sleep(const horus_wait *ticket) {
    STEP(horus_wait_sleep__sleep);
    return horus_futex_wait(ticket->word, ticket->expected, ticket->until_ns) == EINTR ? EINTR : 0;
}

int horus_subscriber_wait(horus_subscriber *sub, uint64_t deadline_ns) {
    for (;;) {
        horus_wait ticket;
        if (horus_subscriber_wait_begin(sub, deadline_ns, &ticket))
            return 1;
        if (ticket.until_ns == 0)
            return 0;
        if (horus_wait_sleep(&ticket) == EINTR)
            return -1;
    }
}
