/* The players of a stress of the pool, for processes and for threads: a writer whose few blocks are always
 * short, and readers that hold frames just as they are overwritten, and look at every word of what they hold.
 */
#ifndef HORUS_TEST_POOL_STRESS_H
#define HORUS_TEST_POOL_STRESS_H

#include "pool_stage.h"
#include "stress.h"

#define SMALL_FRAME 640u /* bytes: with the budget below, five blocks */
#define SCARCE 4096u
#define STARVED_NS (5 * SECOND)
#define KEPT 4u /* frames that a reader holds at a time, at most */
#define SEEN 8u /* references that it remembers, most of them stale */

typedef struct {
    uint32_t ready, stop, empty, over; /* readers that are there, or hold nothing any more */
    uint64_t sent, none, held, stale, kills;
} pool_board;

static inline void check_frame(const horus_block *block, uint64_t word) {
    const uint64_t *data = horus_block_data(block);
    CHECK_EQ(horus_block_length(block), SMALL_FRAME);
    for (size_t i = 0; i < SMALL_FRAME / 8; i++)
        CHECK_EQ(data[i], word);
}

/* ---- the writer ---- */

/* Nobody holds anything: every block there is can be had, none was lost. */
static inline void check_no_block_is_lost(stage *w) {
    horus_block *all[64];
    unsigned count = 0;
    while ((all[count] = horus_pool_take(w->pool, SMALL_FRAME, &error)) != NULL)
        CHECK(++count < 64);
    horus_pool_use use = usage(w);
    CHECK_EQ(use.held, 0);
    CHECK_EQ(count, use.blocks);
    while (count > 0)
        horus_block_release(all[--count]);
}

static inline void write_frames(stage *w, pool_board *b, uint64_t frames, unsigned readers) {
    while (horus_load_acquire(&b->ready) < readers)
        sched_yield();
    uint64_t last_ns = horus_now_ns();
    for (uint64_t sent = 0; sent < frames;) {
        horus_block *block = horus_pool_take(w->pool, SMALL_FRAME, &error);
        if (block == NULL) {
            CHECK(horus_now_ns() - last_ns < STARVED_NS); /* a block was lost */
            b->none++;
            sched_yield();
            continue;
        }
        send_frame(w, block, ++sent);
        last_ns = horus_now_ns();
    }
    b->sent = frames;
}

/* ---- a reader ---- */

typedef struct {
    horus_block *kept[KEPT];
    uint64_t words[KEPT];
    horus_block_ref seen[SEEN];
    uint64_t dice;
} desk;

static inline void put_down(desk *d, unsigned at) {
    if (d->kept[at] == NULL)
        return;
    check_frame(d->kept[at], d->words[at]);
    horus_block_release(d->kept[at]);
    d->kept[at] = NULL;
}

static inline void pick_up(stage *w, pool_board *b, desk *d, unsigned which) {
    horus_block_ref ref = d->seen[which];
    unsigned at = (unsigned)roll(&d->dice, KEPT);
    put_down(d, at);
    horus_error why = {0};
    horus_block *block = ref.writer == 0 ? NULL : horus_pool_hold(w->pool, &ref, &why);
    if (block == NULL) {
        CHECK(ref.writer == 0 || why.code == ESTALE);
        __atomic_fetch_add(&b->stale, 1, __ATOMIC_RELAXED);
        return;
    }
    __atomic_fetch_add(&b->held, 1, __ATOMIC_RELAXED);
    check_frame(block, ref.reserved);
    d->kept[at] = block;
    d->words[at] = ref.reserved;
}

static inline void let_go_of_all(pool_board *b, desk *d) {
    for (unsigned at = 0; at < KEPT; at++)
        put_down(d, at);
    __atomic_fetch_add(&b->empty, 1, __ATOMIC_RELEASE);
    while (!horus_load_acquire(&b->over))
        sched_yield();
}

/* Until told to stop. `mortal`: now and then, and at last, it is killed with what it holds. */
static inline void read_frames(stage *w, pool_board *b, uint64_t seed, bool mortal) {
    desk d = {.dice = seed * 0x9e3779b97f4a7c15u + (uint64_t)getpid()};
    uint64_t buffer[16], number = 0;
    horus_subscriber sub;
    horus_info info;
    CHECK(horus_subscriber_join(&sub, w->ring, HORUS_FROM_LAST) == 0);
    __atomic_fetch_add(&b->ready, 1, __ATOMIC_RELEASE);
    for (bool stop = false; !stop;) {
        stop = horus_load_acquire(&b->stop);
        while (horus_subscriber_recv(&sub, buffer, &info))
            memcpy(&d.seen[number++ % SEEN], buffer, sizeof *d.seen);
        pick_up(w, b, &d, stop ? 0 : (unsigned)roll(&d.dice, SEEN));
        uint64_t chance = roll(&d.dice, 1024);
        if (mortal && number > 0 && (stop || chance < 4))
            kill(getpid(), SIGKILL);
        if (chance < 128)
            sched_yield();
        else if (chance == 128)
            nap(roll(&d.dice, 200000));
    }
    let_go_of_all(b, &d);
    horus_subscriber_leave(&sub);
}

static inline void tell_frames(const pool_board *b, unsigned readers) {
    printf("  %u readers: %" PRIu64 " frames sent, %" PRIu64 " held, %" PRIu64 " stale, no block %" PRIu64
           " times, %" PRIu64 " readers killed\n",
           readers, b->sent, b->held, b->stale, b->none, b->kills);
}

#endif
