/* The tables of publishers and subscribers of a topic's region. */
#include "ring_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const publisher_row *publisher_row_of(const horus_ring *ring, unsigned owner) {
    return &ring->publishers[owner - 1];
}

bool ring_owner_dead(const horus_ring *ring, unsigned owner) {
    if (owner == 0)
        return true;
    horus_ident who = horus_load_acquire(&publisher_row_of(ring, owner)->who);
    return !horus_member_alive(ring->member, who);
}

/* Makes VOID what a dead publisher left BUSY or HELD under this row: the newcomer lives long, and a held slot
 * would stay held as long. Safety does not depend on it (docs/protocol.md, section 2). */
static void sweep(const horus_ring *ring, unsigned owner) {
    for (uint64_t i = 0; i < ring->capacity; i++) {
        uint64_t *at = &slot_of(ring, i)->word;
        STEP(sweep__load_word);
        uint64_t word = horus_load_acquire(at);
        for (unsigned swaps = 0; swaps < SWAPS_MAX; swaps++) {
            if (word_owner(word) != owner || (word_state(word) != BUSY && word_state(word) != HELD))
                break;
            unsigned tally = word_tally(word) + (word_state(word) == BUSY);
            bool was_busy = word_state(word) == BUSY;
            STEP(sweep__swap);
            if (!horus_cas_acq_rel(at, &word, word_make(word_number(word), tally, VOID, owner)))
                continue;
            if (was_busy) {
                STEP(sweep__count_void);
                slot_count_void(slot_of(ring, i), tally);
            }
            break;
        }
    }
}

static bool claim_row(const horus_ring *ring, horus_ident *who) {
    STEP(claim_row__load_who);
    horus_ident found = horus_load_acquire(who);
    if (found != 0 && horus_member_alive(ring->member, found))
        return false;
    STEP(claim_row__swap);
    return horus_cas_acq_rel(who, &found, horus_member_self(ring->member));
}

/* Names are read by tools while another process takes the row: each byte is an access of its own. */
static void write_name(char *to, const char *name) {
    size_t i = 0;
    for (; i + 1 < ROW_NAME && name[i] != '\0'; i++)
        horus_store_relaxed(&to[i], name[i]);
    horus_store_relaxed(&to[i], '\0');
}

/* A name that another process wrote: at most HORUS_NAME_MAX bytes, always terminated. */
static void copy_name(char *to, const char *from) {
    size_t length = 0;
    char byte;
    while (length < HORUS_NAME_MAX && (byte = horus_load_relaxed(&from[length])) != '\0')
        to[length++] = byte;
    to[length] = '\0';
}

int horus_publisher_join(horus_publisher *pub, horus_ring *ring, const char *node, horus_error *error) {
    memset(pub, 0, sizeof *pub);
    if (horus_member_observes(ring->member)) {
        horus_error_set(error, EPERM, "who only looks at a namespace cannot publish there");
        return -1;
    }
    for (unsigned owner = 1; owner <= HORUS_MAX_PUBLISHERS; owner++) {
        publisher_row *row = &ring->publishers[owner - 1];
        if (!claim_row(ring, &row->who))
            continue;
        sweep(ring, owner);
        STEP(horus_publisher_join__name);
        write_name(row->node, node);
        horus_store_relaxed(&row->sent, 0);
        horus_store_relaxed(&row->refused, 0);
        horus_store_relaxed(&row->revoked, 0);
        pub->ring = ring;
        pub->row = row;
        pub->owner = owner;
        pub->next = horus_ring_front(ring);
        return 0;
    }
    horus_error_set(error, 0, "the topic has %u publishers already, as many as it can", HORUS_MAX_PUBLISHERS);
    return -1;
}

/* Not the parent's, nor those that may be another process's by now. */
static bool may_free_rows(horus_member *member) {
    return !horus_member_is_forked(member) && horus_member_locked(member);
}

void horus_publisher_leave(horus_publisher *pub) {
    if (pub->row != NULL && may_free_rows(pub->ring->member)) {
        STEP(horus_publisher_leave__free);
        horus_store_release(&((publisher_row *)pub->row)->who, 0);
    }
    pub->row = NULL;
}

/* The newest DONE number below the front, or the front. */
static uint64_t last_below(const horus_ring *ring, uint64_t front) {
    uint64_t oldest = front > 2 * (uint64_t)ring->capacity ? front - ring->capacity : ring->capacity;
    for (uint64_t number = front; number > oldest; number--) {
        STEP(last_below__load_word);
        uint64_t word = horus_load_acquire(&slot_of(ring, number - 1)->word);
        if (word_number(word) == number - 1 && word_state(word) == DONE)
            return number - 1;
    }
    return front;
}

/* How many void numbers each slot had before the cursor came to it. A number from the cursor on that is void
 * already is in the slot's count, but will be met. (A slot that is lapped during the join may hide a void
 * number: then `missed` is too high by it, never too low.) */
static void learn_tallies(horus_subscriber *sub) {
    for (uint64_t i = 0; i < sub->ring->capacity; i++) {
        const ring_slot *slot = slot_of(sub->ring, i);
        uint64_t word;
        uint32_t voids;
        int looks = 8; /* at a word that stands still; a joining reader waits for nobody */
        do {
            STEP(learn_tallies__load_word);
            word = horus_load_acquire(&slot->word);
        } while (!slot_voids(slot, word, &voids) && --looks > 0);
        sub->known[i] = voids - (word_number(word) >= sub->cursor && (word_state(word) & VOID));
    }
}

int horus_subscriber_join(horus_subscriber *sub, horus_ring *ring, enum horus_join from) {
    memset(sub, 0, sizeof *sub);
    if (horus_member_observes(ring->member))
        return -1;
    sub->known = calloc(ring->capacity, sizeof *sub->known);
    if (sub->known == NULL)
        return -1;
    sub->ring = ring;
    sub->cursor = from == HORUS_FROM_FIRST ? ring->capacity : horus_ring_front(ring);
    if (from == HORUS_FROM_LAST)
        sub->cursor = last_below(ring, sub->cursor);
    if (from != HORUS_FROM_FIRST)
        learn_tallies(sub);
    return 0;
}

void horus_subscriber_leave(horus_subscriber *sub) {
    if (sub->row != NULL && may_free_rows(sub->ring->member))
        horus_store_release(&((subscriber_row *)sub->row)->who, 0);
    free(sub->known);
    sub->row = NULL;
    sub->known = NULL;
}

void horus_subscriber_announce(horus_subscriber *sub, const char *node) {
    for (unsigned i = 0; sub->row == NULL && i < HORUS_MAX_SUBSCRIBER_ROWS; i++) {
        subscriber_row *row = &sub->ring->subscribers[i];
        if (!claim_row(sub->ring, &row->who))
            continue;
        write_name(row->node, node);
        horus_store_relaxed(&row->cursor, sub->cursor);
        horus_store_relaxed(&row->delivered, sub->delivered);
        horus_store_relaxed(&row->missed, sub->missed);
        horus_store_relaxed(&row->skipped, sub->skipped);
        sub->row = row;
    }
}

bool horus_ring_publisher_at(const horus_ring *ring, unsigned row, horus_endpoint *out) {
    if (row == 0 || row > HORUS_MAX_PUBLISHERS)
        return false;
    const publisher_row *at = publisher_row_of(ring, row);
    memset(out, 0, sizeof *out);
    out->who = horus_load_acquire(&at->who);
    if (!horus_member_alive(ring->member, out->who))
        return false;
    out->sent = horus_load_relaxed(&at->sent);
    out->refused = horus_load_relaxed(&at->refused);
    out->revoked = horus_load_relaxed(&at->revoked);
    copy_name(out->node, at->node);
    return true;
}

bool horus_ring_subscriber_at(const horus_ring *ring, unsigned row, horus_endpoint *out) {
    if (row >= HORUS_MAX_SUBSCRIBER_ROWS)
        return false;
    const subscriber_row *at = &ring->subscribers[row];
    memset(out, 0, sizeof *out);
    out->who = horus_load_acquire(&at->who);
    if (!horus_member_alive(ring->member, out->who))
        return false;
    out->cursor = horus_load_relaxed(&at->cursor);
    out->delivered = horus_load_relaxed(&at->delivered);
    out->missed = horus_load_relaxed(&at->missed);
    out->skipped = horus_load_relaxed(&at->skipped);
    copy_name(out->node, at->node);
    return true;
}
