/* The players of a stress of the ring, for processes and for threads: publishers whose messages fill the slot
 * and carry a checksum, subscribers that use every call, and a ledger of who got which number, against which
 * the accounts are held at the end (docs/protocol.md, section 3). */
#ifndef HORUS_TEST_STRESS_H
#define HORUS_TEST_STRESS_H

#include "harness.h"

#include <time.h>

#define WORDS 13u /* 104 bytes: two cache lines with the header, so that a torn copy is easy to catch */
#define DRAINED_NS (10 * SECOND)
#define SERIALS 4096u    /* publishers of one play, with those that came for killed ones */
#define SEQUENCE_BITS 20 /* of a message's place in the order of its publisher, in the ledger */

typedef struct {
    uint32_t ready, go, enough;
    uint32_t quiet; /* all publishers have ended */
    uint32_t kills;
    uint64_t stored, refused, revoked;
} board;

typedef struct {
    world w;
    board *b;
    uint32_t *ledger; /* by number: whose message it was, and which; 0 when nobody's */
    uint64_t numbers;
} play;

/* ---- dice, naps, length ---- */

static inline uint64_t roll(uint64_t *dice, uint64_t sides) {
    *dice ^= *dice << 13;
    *dice ^= *dice >> 7;
    *dice ^= *dice << 17;
    return (*dice >> 11) % sides;
}

static inline void nap(uint64_t nanoseconds) {
    nanosleep(&(struct timespec){.tv_nsec = (long)nanoseconds}, NULL);
}

/* The usual length of a play, `wide` where windows are: they make it slow, and rich. The environment's STRESS
 * multiplies it. */
static inline uint64_t scaled(uint64_t usual, uint64_t wide) {
    double length = (double)usual;
#ifdef HORUS_STEPS
    length = (double)wide;
#endif
    (void)wide;
    length *= stress_factor();
    return length < 100 ? 100 : (uint64_t)length;
}

/* ---- messages ---- */

static inline uint64_t mix(uint64_t x) {
    x ^= x >> 31;
    x *= 0x9e3779b97f4a7c15u;
    return x ^ x >> 29;
}

static inline void fill(uint64_t *words, uint64_t serial, uint64_t sequence, uint64_t owner) {
    words[0] = serial;
    words[1] = sequence;
    words[2] = owner;
    for (unsigned i = 3; i < WORDS; i++)
        words[i] = mix(words[i - 1] + sequence * i + serial);
}

static inline bool whole(const uint64_t *words) {
    uint64_t wanted[WORDS];
    fill(wanted, words[0], words[1], words[2]);
    return memcmp(words, wanted, sizeof wanted) == 0;
}

/* Whoever sees a number first writes down whose it is; all others must see the same. */
static inline void note(const play *p, uint64_t number, uint64_t serial, uint64_t sequence) {
    uint32_t mine = (uint32_t)(serial << SEQUENCE_BITS | (sequence & ((1u << SEQUENCE_BITS) - 1))), found = 0;
    CHECK(number < p->numbers && serial > 0 && serial < SERIALS);
    if (!horus_cas_acq_rel(&p->ledger[number], &found, mine))
        CHECK_EQ(found, mine);
}

static inline void audit(const play *p, const uint64_t *words, const horus_info *info) {
    CHECK_EQ(info->length, WORDS * sizeof *words);
    CHECK(whole(words));
    CHECK_EQ(info->owner, words[2]);
    note(p, info->number, words[0], words[1]);
}

/* ---- the play ---- */

static inline void *shared(size_t size) {
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(at != MAP_FAILED);
    return at;
}

/* `sends`: of all publishers together; the ledger has room for what they lose besides. */
static inline play play_make(uint32_t capacity, uint64_t sends) {
    play p = {
        .w = world_make(capacity, WORDS * 8), .b = shared(sizeof(board)), .numbers = 32 * sends + (1 << 20)};
    p.ledger = shared(p.numbers * sizeof *p.ledger);
    return p;
}

static inline void play_end(play *p) {
    munmap(p->ledger, p->numbers * sizeof *p->ledger);
    munmap(p->b, sizeof *p->b);
    world_end(&p->w);
}

static inline void meet(board *b) {
    __atomic_fetch_add(&b->ready, 1, __ATOMIC_SEQ_CST);
    while (!horus_load_acquire(&b->go))
        sched_yield();
}

static inline void begin_when_ready(board *b, unsigned players) {
    while (horus_load_acquire(&b->ready) < players)
        sched_yield();
    horus_store_release(&b->go, 1);
}

/* ---- publishers ---- */

static inline void publish(play *p, uint64_t serial, uint64_t sends, bool at_once) {
    uint64_t words[WORDS], number, dice = serial * 0x9e3779b97f4a7c15u + (uint64_t)getpid();
    horus_publisher pub = publisher_of(&p->w);
    if (!at_once)
        meet(p->b);
    for (uint64_t sequence = 1; sequence <= sends && !horus_load_relaxed(&p->b->enough); sequence++) {
        fill(words, serial, sequence, pub.owner);
        if (horus_publisher_send(&pub, words, sizeof words, HORUS_INLINE, &number) == HORUS_STORED) {
            note(p, number, serial, sequence);
            __atomic_fetch_add(&p->b->stored, 1, __ATOMIC_RELAXED);
        }
        uint64_t pause = roll(&dice, 2048);
        if (pause == 0)
            nap(roll(&dice, 300000));
        else if (pause < 64)
            sched_yield();
    }
    __atomic_fetch_add(&p->b->refused, pub.refused, __ATOMIC_RELAXED);
    __atomic_fetch_add(&p->b->revoked, pub.revoked, __ATOMIC_RELAXED);
    horus_publisher_leave(&pub);
}

/* ---- subscribers ---- */

enum manner {
    EAGER, /* receives whatever there is */
    MIXED, /* uses every call, and sleeps long enough to be lapped */
    LATE,  /* the same, and joins when the others are at it */
    LAZY,  /* joins first and looks when all is over */
};

typedef struct {
    horus_subscriber sub;
    uint64_t join, joined; /* the first number, and the front when the join had returned */
    uint64_t dice;
    uint64_t last[SERIALS];
} reader;

static inline bool receive(const play *p, reader *r) {
    uint64_t words[WORDS], before = r->sub.cursor;
    horus_info info;
    if (!horus_subscriber_recv(&r->sub, words, &info))
        return false;
    audit(p, words, &info);
    CHECK(info.number >= before && info.number + 1 == r->sub.cursor);
    CHECK(words[1] > r->last[words[0]]);
    r->last[words[0]] = words[1];
    return true;
}

static inline void look_around(const play *p, reader *r) {
    uint64_t words[WORDS], when, number = r->sub.cursor + roll(&r->dice, 2 * p->w.capacity) - p->w.capacity;
    horus_info info;
    if (horus_ring_latest(p->w.ring, words, &info))
        audit(p, words, &info);
    if (horus_ring_peek(p->w.ring, number, words, &info)) {
        audit(p, words, &info);
        CHECK_EQ(info.number, number);
    }
    if (horus_ring_latest_time(p->w.ring, &when))
        CHECK(when != 0 && when <= horus_now_ns());
}

static inline void act(const play *p, reader *r) {
    switch (roll(&r->dice, 48)) {
    case 0:
        horus_subscriber_skip(&r->sub, roll(&r->dice, 2 * p->w.capacity));
        break;
    case 1:
        look_around(p, r);
        break;
    case 2:
        horus_subscriber_settle_all(&r->sub);
        break;
    case 3:
        nap(roll(&r->dice, 2000000));
        break;
    case 4:
        (void)horus_subscriber_pending(&r->sub);
        (void)horus_subscriber_has_msg(&r->sub);
        break;
    default:
        for (uint64_t most = roll(&r->dice, 2 * p->w.capacity); most > 0 && receive(p, r); most--) {
        }
        if (roll(&r->dice, 4) == 0)
            (void)horus_subscriber_wait(&r->sub, horus_now_ns() + 2000000);
    }
}

/* Whether nothing more can come: what is left, if anything, was never finished, with nothing behind it. */
static inline bool only_unfinished(const play *p, const reader *r, uint64_t front) {
    for (uint64_t number = r->sub.cursor; number < front; number++)
        if (word_state(word_at(&p->w, number)) != BUSY)
            return false;
    return true;
}

/* When all is quiet: everything that is there, and each void number passed. */
static inline void drain(const play *p, reader *r) {
    for (uint64_t started_ns = horus_now_ns();;) {
        while (receive(p, r)) {
        }
        if (only_unfinished(p, r, horus_ring_front(p->w.ring)))
            return;
        (void)horus_subscriber_wait(&r->sub, horus_now_ns() + 10000000);
        CHECK(horus_now_ns() - started_ns < DRAINED_NS); /* a number that is there is never reached */
    }
}

static inline uint64_t noted(const play *p, uint64_t from, uint64_t to) {
    uint64_t count = 0;
    for (uint64_t number = from; number < to; number++)
        count += horus_load_relaxed(&p->ledger[number]) != 0;
    return count;
}

/* accepted since the join = delivered + missed + skipped + pending. Exact, but for what section 3 leaves
 * open: the last message of a killed publisher that nobody saw may be accepted without a note; and at a join
 * in the midst of it all, numbers just being written may be taken from `missed`, and void ones may hide from
 * it. */
static inline void check_accounts(const play *p, reader *r, enum manner manner) {
    horus_subscriber *sub = &r->sub;
    uint64_t front = horus_ring_front(p->w.ring);
    (void)horus_subscriber_has_msg(sub);
    horus_subscriber_settle_all(sub);
    CHECK_EQ(sub->delivered + sub->missed + sub->skipped + sub->voids + horus_subscriber_pending(sub),
             front - r->join);
    uint64_t accepted = noted(p, r->join, front), told = sub->delivered + sub->missed + sub->skipped;
    uint64_t above = p->b->kills, below = 0;
    if (manner == LATE) {
        above += r->joined - r->join - noted(p, r->join, r->joined);
        below = p->w.capacity;
    }
    if (told + below < accepted || told > accepted + above)
        fprintf(stderr,
                "told %" PRIu64 " = delivered %" PRIu64 " + missed %" PRIu64 " + skipped %" PRIu64
                ", accepted %" PRIu64 " (up to %" PRIu64 " more, %" PRIu64 " less)\n",
                told, sub->delivered, sub->missed, sub->skipped, accepted, above, below);
    CHECK(told + below >= accepted && told <= accepted + above);
}

/* Who comes when all is over finds everything that the ring still has. */
static inline void check_nothing_jumped(const play *p, const reader *r) {
    uint64_t front = horus_ring_front(p->w.ring), there = 0;
    uint64_t oldest = front > 2 * (uint64_t)p->w.capacity ? front - p->w.capacity : p->w.capacity;
    for (uint64_t number = oldest; number < front; number++)
        there += word_number(word_at(&p->w, number)) == number && word_state(word_at(&p->w, number)) == DONE;
    CHECK_EQ(r->sub.delivered, there);
}

static inline void subscribe(play *p, enum manner manner, uint64_t seed) {
    reader *r = calloc(1, sizeof *r);
    CHECK(r != NULL);
    r->dice = seed * 0x9e3779b97f4a7c15u + (uint64_t)getpid();
    if (manner == LATE) {
        meet(p->b);
        nap(roll(&r->dice, 20000000));
    }
    enum horus_join from = manner != LATE ? HORUS_FROM_NEXT : (enum horus_join)roll(&r->dice, 3);
    CHECK(horus_subscriber_join(&r->sub, p->w.ring, from) == 0);
    r->join = r->sub.cursor;
    r->joined = horus_ring_front(p->w.ring);
    horus_subscriber_announce(&r->sub, "stress");
    if (manner != LATE)
        meet(p->b);
    while (!horus_load_acquire(&p->b->quiet)) {
        if (manner == LAZY)
            nap(1000000);
        else if (manner != EAGER)
            act(p, r);
        else if (!receive(p, r))
            sched_yield();
    }
    drain(p, r);
    check_accounts(p, r, manner);
    if (manner == LAZY)
        check_nothing_jumped(p, r);
    horus_subscriber_leave(&r->sub);
    free(r);
}

static inline void tell(const play *p, unsigned publishers, unsigned subscribers) {
    uint64_t given = horus_ring_front(p->w.ring) - p->w.capacity;
    printf("  capacity %u, %u publishers, %u subscribers: %" PRIu64 " stored, %" PRIu64 " numbers, %" PRIu64
           " revoked, %" PRIu64 " refused, %u killed\n",
           p->w.capacity, publishers, subscribers, p->b->stored, given, p->b->revoked, p->b->refused,
           p->b->kills);
}

#endif
