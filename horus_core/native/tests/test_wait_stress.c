/* Sleepers in processes of their own, and publishers that fall silent after each round: no later send mends a
 * wake that was lost. Lost is a wake when a sleep ended by its time although, before that time, all sends of
 * the round had returned. Nothing is inferred from how long it took. */
#define _GNU_SOURCE
#include "stress.h"

#include "../src/futex.h"

#define PUBLISHERS 2u
#define SLEEPERS 3u
#define LOST_ENOUGH 20u

typedef struct {
    board meeting;
    uint64_t returned_ns[PUBLISHERS]; /* when its send of the round had returned */
    uint64_t round[PUBLISHERS];       /* and which round that was */
    uint64_t content;                 /* sleepers that had all of a round, over all rounds */
    uint64_t sleeps, timeouts, lost;
} hall;

static void speak(world *w, hall *h, unsigned id, uint64_t rounds) {
    uint64_t dice = (id + 1) * 0x9e3779b97f4a7c15u + (uint64_t)getpid();
    horus_publisher pub = publisher_of(w);
    meet(&h->meeting);
    for (uint64_t round = 1; round <= rounds; round++) {
        while (horus_load_acquire(&h->content) < (round - 1) * SLEEPERS)
            sched_yield();
        if (roll(&dice, 2))
            nap(roll(&dice, 60000));
        send_value(&pub, round);
        horus_store_relaxed(&h->returned_ns[id], horus_now_ns());
        horus_store_release(&h->round[id], round);
    }
    horus_publisher_leave(&pub);
}

static bool all_had_returned(const hall *h, uint64_t round, uint64_t before_ns) {
    for (unsigned id = 0; id < PUBLISHERS; id++)
        if (horus_load_acquire(&h->round[id]) != round ||
            horus_load_relaxed(&h->returned_ns[id]) >= before_ns)
            return false;
    return true;
}

/* As horus_subscriber_wait, but it knows how each sleep ended. */
static void sleep_for_message(hall *h, horus_subscriber *sub, uint64_t round) {
    horus_wait ticket;
    while (!horus_subscriber_wait_begin(sub, horus_now_ns() + 10 * SECOND, &ticket)) {
        STEP(horus_wait_sleep__sleep);
        __atomic_fetch_add(&h->sleeps, 1, __ATOMIC_RELAXED);
        if (horus_futex_wait(ticket.word, ticket.expected, ticket.until_ns) != ETIMEDOUT)
            continue;
        __atomic_fetch_add(&h->timeouts, 1, __ATOMIC_RELAXED);
        if (all_had_returned(h, round, ticket.until_ns))
            CHECK(__atomic_add_fetch(&h->lost, 1, __ATOMIC_RELAXED) < LOST_ENOUGH);
    }
}

static void listen_to(world *w, hall *h, uint64_t rounds) {
    horus_subscriber sub = subscriber_of(w);
    meet(&h->meeting);
    for (uint64_t round = 1; round <= rounds; round++) {
        for (unsigned got = 0; got < PUBLISHERS; got++) {
            uint64_t value;
            do
                sleep_for_message(h, &sub, round);
            while ((value = recv_value(&sub)) == 0);
            CHECK_EQ(value, round);
        }
        __atomic_fetch_add(&h->content, 1, __ATOMIC_RELEASE);
    }
    CHECK(sub.delivered == rounds * PUBLISHERS && sub.missed == 0);
    horus_subscriber_leave(&sub);
}

static void no_wake_is_lost(void) {
    uint64_t rounds = scaled(5000, 2000);
    world w = world_make(8, 8);
    hall *h = shared(sizeof *h);
    for (unsigned i = 0; i < PUBLISHERS + SLEEPERS; i++)
        if (spawn() == 0) {
            widen(STEP_COUNT);
            world_enter_child(&w);
            if (i < PUBLISHERS)
                speak(&w, h, i, rounds);
            else
                listen_to(&w, h, rounds);
            exit(0);
        }
    begin_when_ready(&h->meeting, PUBLISHERS + SLEEPERS);
    join_all(PUBLISHERS + SLEEPERS);
    printf("  %" PRIu64 " rounds, %" PRIu64 " sleeps, %" PRIu64 " ended by their time, %" PRIu64
           " of them although all had been sent before\n",
           rounds, h->sleeps, h->timeouts, h->lost);
    CHECK_EQ(h->lost, 0);
    world_end(&w);
}

int main(void) {
    static const test_case cases[] = {TEST(no_wake_is_lost)};
    return RUN_ALL(cases);
}
