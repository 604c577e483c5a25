/* The stress of ring and pool with threads, each a member of its own: the only form of it in which
 * ThreadSanitizer sees the accesses of both sides (`make tsan`), for it knows nothing of other processes.
 * There all members of the process share one mapping; elsewhere each has its own. */
#define _GNU_SOURCE
#include <pthread.h>

#include "pool_stress.h"

#define PUBLISHERS 3u
#define SUBSCRIBERS 4u
#define READERS 2u

typedef struct {
    play p;
    uint64_t serial, sends;
    enum manner manner;
    pthread_t thread;
} player;

static void share_mappings(void) {
#ifdef HORUS_ONE_MAPPING
    one_mapping.wanted = true;
#endif
}

static void *publisher_thread(void *argument) {
    player *at = argument;
    world_enter(&at->p.w);
    publish(&at->p, at->serial, at->sends, false);
    horus_ring_unmap(at->p.w.ring);
    horus_member_leave(at->p.w.member);
    return NULL;
}

static void *subscriber_thread(void *argument) {
    player *at = argument;
    world_enter(&at->p.w);
    subscribe(&at->p, at->manner, at->serial);
    horus_ring_unmap(at->p.w.ring);
    horus_member_leave(at->p.w.member);
    return NULL;
}

/* Comes, looks at everything as a tool does, and goes, again and again. */
static void *onlooker_thread(void *argument) {
    player *at = argument;
    horus_endpoint endpoint;
    for (bool last = false; !last; nap(200000)) {
        last = horus_load_acquire(&at->p.b->quiet);
        world_enter(&at->p.w);
        for (unsigned row = 1; row <= PUBLISHERS + 1; row++)
            (void)horus_ring_publisher_at(at->p.w.ring, row, &endpoint);
        for (unsigned row = 0; row <= SUBSCRIBERS; row++)
            (void)horus_ring_subscriber_at(at->p.w.ring, row, &endpoint);
        for (unsigned index = 0; index < 16; index++)
            (void)horus_member_pid(at->p.w.member, horus_member_at(at->p.w.member, index));
        CHECK(horus_ring_in_use(at->p.w.ring, false));
        horus_ring_unmap(at->p.w.ring);
        horus_member_leave(at->p.w.member);
    }
    return NULL;
}

static void stress_ring(uint32_t capacity, uint64_t sends) {
    static const enum manner manners[SUBSCRIBERS] = {EAGER, MIXED, LATE, LAZY};
    share_mappings();
    play p = play_make(capacity, PUBLISHERS * sends);
    player players[PUBLISHERS + SUBSCRIBERS + 1];
    widen(STEP_COUNT);
    for (unsigned i = 0; i < PUBLISHERS + SUBSCRIBERS + 1; i++) {
        players[i] = (player){.p = p, .serial = i + 1, .sends = sends};
        if (i >= PUBLISHERS && i < PUBLISHERS + SUBSCRIBERS)
            players[i].manner = manners[i - PUBLISHERS];
        CHECK(pthread_create(&players[i].thread, NULL,
                             i < PUBLISHERS                 ? publisher_thread
                             : i < PUBLISHERS + SUBSCRIBERS ? subscriber_thread
                                                            : onlooker_thread,
                             &players[i]) == 0);
    }
    begin_when_ready(p.b, PUBLISHERS + SUBSCRIBERS);
    for (unsigned i = 0; i < PUBLISHERS; i++)
        CHECK(pthread_join(players[i].thread, NULL) == 0);
    horus_store_release(&p.b->quiet, 1);
    for (unsigned i = PUBLISHERS; i < PUBLISHERS + SUBSCRIBERS + 1; i++)
        CHECK(pthread_join(players[i].thread, NULL) == 0);
    tell(&p, PUBLISHERS, SUBSCRIBERS);
    play_end(&p);
}

static void threads_share_a_ring(void) {
    stress_ring(64, scaled(50000, 2000));
}
static void threads_share_a_tiny_ring(void) {
    stress_ring(4, scaled(50000, 2000));
}

/* ---- the pool ---- */

typedef struct {
    stage w;
    pool_board *b;
    uint64_t seed;
    pthread_t thread;
} pool_player;

static void *reader_thread(void *argument) {
    pool_player *at = argument;
    join(&at->w, ROOMY);
    read_frames(&at->w, at->b, at->seed, false);
    horus_pool_close(at->w.pool);
    horus_ring_unmap(at->w.ring);
    horus_member_leave(at->w.member);
    return NULL;
}

static void threads_hold_what_is_overwritten(void) {
    share_mappings();
    stage w = begin("threads", SCARCE);
    pool_board *b = shared(sizeof *b);
    pool_player readers[READERS];
    widen(STEP_COUNT);
    for (unsigned i = 0; i < READERS; i++) {
        readers[i] = (pool_player){.w = w, .b = b, .seed = i + 1};
        CHECK(pthread_create(&readers[i].thread, NULL, reader_thread, &readers[i]) == 0);
    }
    write_frames(&w, b, scaled(50000, 2000), READERS);
    horus_store_release(&b->stop, 1);
    while (horus_load_acquire(&b->empty) < READERS)
        sched_yield();
    check_no_block_is_lost(&w);
    horus_store_release(&b->over, 1);
    for (unsigned i = 0; i < READERS; i++)
        CHECK(pthread_join(readers[i].thread, NULL) == 0);
    tell_frames(b, READERS);
    end(&w);
}

int main(void) {
    static const test_case cases[] = {
        TEST(threads_share_a_ring),
        TEST(threads_share_a_tiny_ring),
        TEST(threads_hold_what_is_overwritten),
    };
    return RUN_ALL(cases);
}
