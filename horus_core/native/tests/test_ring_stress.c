/* Many publishers and many subscribers in processes of their own. The verdict: nothing torn, each publisher
 * in order, each number one message's, accounts that close. STRESS multiplies the length; a build with
 * -DHORUS_STEPS widens the windows between the protocol's steps. */
#define _GNU_SOURCE
#include "stress.h"

#define PLAYERS 16u

static const enum manner manners[] = {EAGER, MIXED, LATE, LAZY, MIXED};

static pid_t start_publisher(play *p, uint64_t serial, uint64_t sends, bool at_once) {
    pid_t child = spawn();
    if (child == 0) {
        widen(STEP_COUNT);
        world_enter_child(&p->w);
        publish(p, serial, sends, at_once);
        exit(0);
    }
    return child;
}

static pid_t start_subscriber(play *p, unsigned i) {
    pid_t child = spawn();
    if (child == 0) {
        widen(STEP_COUNT);
        world_enter_child(&p->w);
        subscribe(p, manners[i % (sizeof manners / sizeof *manners)], i + 1);
        exit(0);
    }
    return child;
}

static void start(play *p, pid_t *children, unsigned publishers, unsigned subscribers, uint64_t sends) {
    for (unsigned i = 0; i < publishers; i++)
        children[i] = start_publisher(p, i + 1, sends, false);
    for (unsigned i = 0; i < subscribers; i++)
        children[publishers + i] = start_subscriber(p, i);
    begin_when_ready(p->b, publishers + subscribers);
}

static bool is_among(pid_t child, const pid_t *children, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        if (children[i] == child)
            return true;
    return false;
}

/* In the order in which they end, so that a subscriber's complaint is heard at once. */
static void finish(play *p, const pid_t *children, unsigned publishers, unsigned subscribers) {
    for (unsigned left = publishers; left > 0;) {
        int status;
        pid_t gone = waitpid(-1, &status, 0);
        CHECK_EQ(status, 0);
        left -= is_among(gone, children, publishers);
    }
    horus_store_release(&p->b->quiet, 1);
    join_all(subscribers);
    tell(p, publishers, subscribers);
    play_end(p);
}

static void stress(uint32_t capacity, unsigned publishers, unsigned subscribers, uint64_t sends) {
    play p = play_make(capacity, publishers * sends);
    pid_t children[PLAYERS];
    start(&p, children, publishers, subscribers, sends);
    finish(&p, children, publishers, subscribers);
}

static void many_publishers_many_subscribers(void) {
    stress(64, 3, 4, scaled(500000, 5000));
}
static void a_tiny_ring_that_laps_all_the_time(void) {
    stress(4, 4, 4, scaled(400000, 4000));
}

/* While they send, publishers are stopped for a while, or killed, and another one comes for each that was. */
static void disturb(play *p, pid_t *children, unsigned publishers, uint64_t sends) {
    uint64_t dice = (uint64_t)getpid() * 0x9e3779b97f4a7c15u, serial = publishers;
    while (horus_load_acquire(&p->b->stored) < sends && serial + 1 < SERIALS) {
        unsigned victim = (unsigned)roll(&dice, publishers);
        nap(roll(&dice, 4000000));
        if (roll(&dice, 2)) {
            CHECK(kill(children[victim], SIGSTOP) == 0);
            nap(roll(&dice, 8000000));
            CHECK(kill(children[victim], SIGCONT) == 0);
        } else {
            horus_store_relaxed(&p->b->kills, p->b->kills + 1);
            kill_hard(children[victim]);
            children[victim] = start_publisher(p, ++serial, UINT64_MAX, true);
        }
    }
    horus_store_relaxed(&p->b->enough, 1);
}

static void stress_with_kills(uint32_t capacity, unsigned publishers, unsigned subscribers, uint64_t sends) {
    play p = play_make(capacity, 4 * sends);
    pid_t children[PLAYERS];
    start(&p, children, publishers, subscribers, UINT64_MAX);
    disturb(&p, children, publishers, sends);
    finish(&p, children, publishers, subscribers);
}

static void publishers_that_are_stopped_and_killed(void) {
    stress_with_kills(16, 4, 4, scaled(1000000, 10000));
}
static void publishers_that_are_stopped_and_killed_in_a_tiny_ring(void) {
    stress_with_kills(4, 4, 4, scaled(1000000, 10000));
}

int main(void) {
    static const test_case cases[] = {
        TEST(many_publishers_many_subscribers),
        TEST(a_tiny_ring_that_laps_all_the_time),
        TEST(publishers_that_are_stopped_and_killed),
        TEST(publishers_that_are_stopped_and_killed_in_a_tiny_ring),
    };
    return RUN_ALL(cases);
}
