/* Subscribing: read at the cursor, look again, account. docs/protocol.md, sections 1.3 and 3. */
#include "ring_internal.h"

#include <string.h>

void ring_copy_out(void *to, const uint64_t *slot, uint32_t length) {
    uint8_t *bytes = to;
    uint32_t words = length / 8, tail = length % 8;
    uint64_t word;
    for (uint32_t i = 0; i < words; i++) {
        if (i == words / 2)
            STEP(ring_copy_out__middle);
        word = horus_load_relaxed(&slot[i]);
        memcpy(bytes + 8 * (size_t)i, &word, 8);
    }
    if (tail != 0) {
        word = horus_load_relaxed(&slot[words]);
        memcpy(bytes + 8 * (size_t)words, &word, tail);
    }
}

bool ring_read_slot(const horus_ring *ring, const ring_slot *slot, uint64_t word, void *to,
                    horus_info *info) {
    STEP(ring_read_slot__copy);
    uint32_t length_kind = horus_load_relaxed(&slot->length_kind), length = length_kind & LENGTH_MASK;
    info->publish_ns = horus_load_relaxed(&slot->publish_ns);
    info->payload_kind = length_kind >> KIND_SHIFT;
    info->number = word_number(word);
    info->owner = word_owner(word);
    info->length =
        length <= ring->payload ? length : ring->payload; /* untrusted until the second look, and after */
    ring_copy_out(to, slot->payload, info->length);
    horus_fence_acquire(); /* with the writer's release fence after its claim */
    STEP(ring_read_slot__look_again);
    return horus_load_relaxed(&slot->word) == word;
}

/* Accounts for the number at the cursor, which the reader leaves behind, and for void numbers of its slot
 * that were overwritten unseen: they were counted as missed, and the slot's count tells that they were void.
 */
static inline void settle(horus_subscriber *sub, uint64_t word, uint32_t voids) {
    bool is_void = word_state(word) & VOID; /* VOID or HELD */
    uint32_t *known = &sub->known[sub->cursor & sub->ring->mask];
    if (HORUS_UNLIKELY(is_void || voids != *known)) {
        int64_t unseen = (int32_t)(voids - *known - is_void);
        if (unseen > (int64_t)sub->missed)
            unseen = (int64_t)sub->missed; /* numbers that were void before the join */
        if (unseen < 0)
            unseen = 0;
        sub->missed -= (uint64_t)unseen;
        sub->voids += (uint64_t)unseen + is_void;
        *known = voids;
    }
}

/* How often one call may be lapped before it gives up: publishers may be faster than this reader for ever. */
static inline int races_of(const horus_ring *ring) {
    return 3 + (63 - __builtin_clzll(ring->capacity));
}

/* What one call has used up. */
typedef struct {
    int lost;       /* laps: races_of() at most */
    uint64_t looks; /* at words that were no message: ring_looks() at most */
} effort;

/* Moves a lapped cursor to the oldest number that can still be whole; further the more races this call lost.
 */
static void catch_up(horus_subscriber *sub, uint64_t found, int lost) {
    const horus_ring *ring = sub->ring;
    STEP(catch_up__load_hint);
    uint64_t claimed = horus_load_acquire(&ring->header->hint);
    uint64_t front = ring_front_from(ring, claimed > found ? claimed : found + 1);
    uint64_t oldest = sub->cursor + 1; /* a number of another slot, in a corrupt region: never stand still */
    if (HORUS_LIKELY(front > sub->cursor + ring->capacity)) {
        unsigned shift = lost >= 5 ? 1 : 6 - (unsigned)lost; /* N/8, N/4, N/2 from the fourth race on */
        oldest = front - ring->capacity + (lost >= 3 ? ring->capacity >> shift : 0);
    }
    sub->missed += oldest - sub->cursor;
    sub->cursor = oldest;
}

/* A BUSY number at the cursor, with messages behind it, is revoked once this reader has stood before it for
 * PATIENCE. True when the word must be looked at again. */
static bool lose_patience(horus_subscriber *sub, ring_slot *slot, uint64_t word) {
    const horus_ring *ring = sub->ring;
    uint64_t at = sub->cursor;
    STEP(lose_patience__look_behind);
    if (word_number(horus_load_acquire(&slot_of(ring, at + 1)->word)) < at + 1)
        return false; /* nothing waits behind it */
    uint64_t now = horus_now_ns();
    if (sub->busy_number != at) {
        sub->busy_number = at;
        sub->busy_since_ns = now;
        return false;
    }
    if (now - sub->busy_since_ns < HORUS_PATIENCE_NS)
        return false;
    /* Fails if the writer has committed meanwhile, which is as good. */
    unsigned tally = word_tally(word) + 1;
    STEP(lose_patience__swap);
    if (horus_cas_acq_rel(&slot->word, &word, word_make(at, tally, HELD, word_owner(word)))) {
        STEP(lose_patience__count_void);
        slot_count_void(slot, tally);
    }
    return true;
}

/* Walks from the cursor to the next DONE number: its slot and word, or NULL. `spent->lost` counts how often
 * this call was lapped: a lost copy shows as a lap at the next look, and a lap can be followed by another
 * without a copy between them, because to look at a slot takes longer than to overwrite one. */
static inline ring_slot *walk(horus_subscriber *sub, uint64_t *word_out, effort *spent) {
    const horus_ring *ring = sub->ring;
    uint32_t voids;
    for (;; spent->looks++) {
        ring_slot *slot = slot_of(ring, sub->cursor);
        STEP(walk__load_word);
        uint64_t word = horus_load_acquire(&slot->word);
        uint64_t number = word_number(word);
        if (number < sub->cursor)
            return NULL;
        if (HORUS_UNLIKELY(number > sub->cursor)) {
            if (spent->lost == races_of(ring))
                return NULL; /* the counts stand */
            catch_up(sub, number, spent->lost++);
            continue;
        }
        switch (word_state(word)) {
        case DONE:
            *word_out = word;
            return slot;
        case BUSY:
            if (spent->looks >= ring_looks(ring) || !lose_patience(sub, slot, word))
                return NULL;
            break;
        default:
            if (HORUS_UNLIKELY(spent->looks >= ring_looks(ring)))
                return NULL;
            if (!slot_voids(slot, word, &voids))
                break; /* lapped, or swept, while we looked */
            settle(sub, word, voids);
            sub->cursor++;
        }
    }
}

static inline void report(const horus_subscriber *sub) {
    subscriber_row *row = sub->row;
    if (row == NULL)
        return;
    horus_store_relaxed(&row->cursor, sub->cursor);
    horus_store_relaxed(&row->delivered, sub->delivered);
    horus_store_relaxed(&row->missed, sub->missed);
}

bool horus_subscriber_recv(horus_subscriber *sub, void *to, horus_info *info) {
    effort spent = {0};
    for (int copies = races_of(sub->ring); copies > 0; copies--) {
        uint64_t word;
        ring_slot *slot = walk(sub, &word, &spent);
        if (slot == NULL)
            return false;
        STEP(horus_subscriber_recv__load_voids);
        uint32_t voids = horus_load_relaxed(&slot->voids); /* between the two looks, as the payload */
        if (HORUS_LIKELY(ring_read_slot(sub->ring, slot, word, to, info))) {
            settle(sub, word, voids_of(word, voids));
            sub->delivered++;
            sub->cursor++;
            report(sub);
            return true;
        }
    }
    return false; /* publishers lapped us in every attempt */
}

bool horus_subscriber_maybe(const horus_subscriber *sub) {
    return word_number(horus_load_acquire(&slot_of(sub->ring, sub->cursor)->word)) >= sub->cursor;
}

bool horus_subscriber_has_msg(horus_subscriber *sub) {
    uint64_t word;
    effort spent = {0};
    return horus_subscriber_maybe(sub) && walk(sub, &word, &spent) != NULL;
}

uint64_t horus_subscriber_pending(const horus_subscriber *sub) {
    uint64_t front = horus_ring_front(sub->ring);
    return front > sub->cursor ? front - sub->cursor : 0;
}

/* As settle, for a slot that the reader is not at: its number lies behind the cursor or before it. */
static void settle_slot(horus_subscriber *sub, uint64_t i) {
    const ring_slot *slot = slot_of(sub->ring, i);
    STEP(settle_slot__load_word);
    uint64_t word = horus_load_acquire(&slot->word);
    uint32_t voids;
    if (word_number(word) >= sub->cursor + sub->ring->capacity || !slot_voids(slot, word, &voids))
        return; /* the cursor was lapped since: the next walk moves it and counts */
    /* Void numbers below the cursor were counted as missed; one that is still before it was not. */
    bool ahead = word_number(word) >= sub->cursor && word_state(word) & VOID;
    int64_t unseen = (int32_t)(voids - sub->known[i] - ahead);
    if (unseen <= 0 || unseen > (int64_t)sub->missed)
        return;
    sub->missed -= (uint64_t)unseen;
    sub->voids += (uint64_t)unseen;
    sub->known[i] += (uint32_t)unseen;
}

void horus_subscriber_settle_all(horus_subscriber *sub) {
    for (uint64_t i = 0; i < sub->ring->capacity; i++)
        settle_slot(sub, i);
    report(sub);
}

void horus_subscriber_skip(horus_subscriber *sub, uint64_t keep) {
    uint64_t front = horus_ring_front(sub->ring), word;
    uint64_t end = front > keep ? front - keep : 0;
    effort spent = {0};
    for (; sub->cursor < end && walk(sub, &word, &spent) != NULL && sub->cursor < end; spent.looks++) {
        uint32_t voids;
        if (spent.looks >= ring_looks(sub->ring))
            break;
        if (!slot_voids(slot_of(sub->ring, sub->cursor), word, &voids))
            continue; /* lapped meanwhile */
        settle(sub, word, voids);
        sub->skipped++;
        sub->cursor++;
    }
    subscriber_row *row = sub->row;
    if (row != NULL)
        horus_store_relaxed(&row->skipped, sub->skipped);
    report(sub);
}
