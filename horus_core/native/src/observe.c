/* Looking without consuming, and sleeping until there is something. docs/protocol.md, sections 1.3 and 4. */
#include "ring_internal.h"

#include <errno.h>

#include "futex.h"

bool horus_ring_peek(const horus_ring *ring, uint64_t number, void *to, horus_info *info) {
    const ring_slot *slot = slot_of(ring, number);
    uint64_t word = horus_load_acquire(&slot->word);
    return word_number(word) == number && word_state(word) == DONE && ring_read_slot(ring, slot, word, to, info);
}

/* The newest DONE number below the front and its word; 0 when there is none. */
static uint64_t newest(const horus_ring *ring, uint64_t *word_out) {
    uint64_t front = horus_ring_front(ring);
    uint64_t oldest = front > 2 * (uint64_t)ring->capacity ? front - ring->capacity : ring->capacity;
    for (uint64_t number = front; number > oldest; number--) {
        uint64_t word = horus_load_acquire(&slot_of(ring, number - 1)->word);
        if (word_number(word) == number - 1 && word_state(word) == DONE) {
            *word_out = word;
            return number - 1;
        }
    }
    return 0;
}

bool horus_ring_latest(const horus_ring *ring, void *to, horus_info *info) {
    for (int attempt = 0; attempt < 4; attempt++) {
        uint64_t word, number = newest(ring, &word);
        if (number == 0)
            return false;
        if (ring_read_slot(ring, slot_of(ring, number), word, to, info))
            return true;
    }
    return false;
}

bool horus_ring_latest_time(const horus_ring *ring, uint64_t *publish_ns) {
    for (int attempt = 0; attempt < 4; attempt++) {
        uint64_t word, number = newest(ring, &word);
        if (number == 0)
            return false;
        const ring_slot *slot = slot_of(ring, number);
        *publish_ns = horus_load_relaxed(&slot->publish_ns);
        horus_fence_acquire();
        if (horus_load_relaxed(&slot->word) == word)
            return true;
    }
    return false;
}

/* Announces a sleeper. The word to sleep on. */
static uint32_t raise_sleep_bit(uint32_t *futex) {
    uint32_t word = horus_load_seq_cst(futex);
    while (!(word & 1u)) {
        if (horus_cas_seq_cst(futex, &word, word | 1u))
            return word | 1u;
    }
    return word;
}

int horus_subscriber_wait(horus_subscriber *sub, uint64_t deadline_ns) {
    horus_ring *ring = sub->ring;
    uint32_t *futex = &ring->header->futex;
    for (;;) {
        if (horus_subscriber_has_msg(sub))
            return 1;
        uint64_t now = horus_now_ns();
        if (now >= deadline_ns)
            return 0;
        uint32_t word = raise_sleep_bit(futex);
        /* After the bit is set: seq_cst against the publisher's commit and its load of the futex word. */
        (void)horus_load_seq_cst(&slot_of(ring, sub->cursor)->word);
        if (horus_subscriber_has_msg(sub))
            return 1;
        /* Before a BUSY number nobody may ever publish again: then the sleep is short. */
        uint64_t front_word = horus_load_acquire(&slot_of(ring, sub->cursor)->word);
        bool stuck = word_number(front_word) == sub->cursor && word_state(front_word) == BUSY;
        uint64_t until = now + (stuck ? HORUS_PATIENCE_NS : HORUS_SLICE_NS);
        int rc = horus_futex_wait(futex, word, until < deadline_ns ? until : deadline_ns);
        if (rc == EINTR)
            return -1;
    }
}
