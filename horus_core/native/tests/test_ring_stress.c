/* Many publishers and many subscribers in processes of their own; payloads fill the slot and carry a
 * checksum. The verdict: nothing torn, each publisher in order, accounts close. STRESS_SENDS scales it (soak
 * runs). */
#define _GNU_SOURCE
#include "harness.h"

#define WORDS 13u /* 104 bytes: two cache lines with the header, so that a torn copy is easy to catch */

typedef struct {
    uint32_t ready, go;
    uint32_t done[8]; /* of each publisher; set twice when it is killed while it leaves */
    uint64_t accepted[8];
} board;

static uint64_t mix(uint64_t x) {
    x ^= x >> 31;
    x *= 0x9e3779b97f4a7c15u;
    return x ^ x >> 29;
}

static void fill(uint64_t *words, uint64_t publisher, uint64_t sequence) {
    words[0] = publisher;
    words[1] = sequence;
    for (unsigned i = 2; i < WORDS; i++)
        words[i] = mix(words[i - 1] + sequence * i + publisher);
}

static bool whole(const uint64_t *words) {
    uint64_t wanted[WORDS];
    fill(wanted, words[0], words[1]);
    return memcmp(words, wanted, sizeof wanted) == 0;
}

static void meet(board *b) {
    __atomic_fetch_add(&b->ready, 1, __ATOMIC_SEQ_CST);
    while (!horus_load_acquire(&b->go))
        sched_yield();
}

static void publish(world *w, board *b, unsigned id, uint64_t sends) {
    uint64_t words[WORDS];
    world_enter_child(w);
    horus_publisher pub = publisher_of(w);
    meet(b);
    for (uint64_t sequence = 1; sequence <= sends; sequence++) {
        fill(words, id, sequence);
        if (horus_publisher_send(&pub, words, sizeof words, HORUS_INLINE, NULL) == HORUS_STORED)
            b->accepted[id]++;
    }
    horus_store_release(&b->done[id], 1);
    exit(0);
}

static bool all_done(const board *b, unsigned publishers) {
    unsigned done = 0;
    for (unsigned id = 0; id < publishers; id++)
        done += horus_load_acquire(&b->done[id]);
    return done == publishers;
}

/* Receives until all is quiet. `known` is the number of accepted messages, or it is not known (kills). */
static void subscribe(world *w, board *b, unsigned publishers, bool killed) {
    uint64_t words[WORDS], last[8] = {0}, accepted = 0;
    horus_info info;
    world_enter_child(w);
    horus_subscriber sub = subscriber_of(w);
    uint64_t join = sub.cursor;
    meet(b);
    for (;;) {
        bool quiet = all_done(b, publishers);
        while (horus_subscriber_recv(&sub, words, &info)) {
            CHECK(info.length == sizeof words && whole(words));
            CHECK(words[0] < 8 && words[1] > last[words[0]]);
            last[words[0]] = words[1];
        }
        if (quiet && !horus_subscriber_has_msg(&sub) && horus_subscriber_pending(&sub) == 0)
            break;
        if (quiet)
            (void)horus_subscriber_wait(&sub, horus_now_ns() + 10000000); /* before a number that was left */
        if (quiet && killed && horus_subscriber_pending(&sub) <= 1)
            break; /* a BUSY number with nothing behind it stays */
        sched_yield();
    }
    horus_subscriber_settle_all(&sub);
    for (unsigned id = 0; id < 8; id++)
        accepted += b->accepted[id];
    CHECK_EQ(sub.delivered + sub.missed + sub.voids + horus_subscriber_pending(&sub),
             horus_ring_front(w->ring) - join);
    if (!killed)
        CHECK_EQ(sub.delivered + sub.missed, accepted);
    CHECK(sub.delivered > 0);
    exit(0);
}

static uint64_t sends_each(uint64_t usual) {
    const char *scale = getenv("STRESS_SENDS");
    return scale == NULL ? usual : strtoull(scale, NULL, 10);
}

static void start(world *w, board *b, unsigned publishers, unsigned subscribers, uint64_t sends, bool killed,
                  pid_t *children) {
    for (unsigned i = 0; i < publishers + subscribers; i++)
        if ((children[i] = spawn()) == 0) {
            if (i < publishers)
                publish(w, b, i, sends);
            subscribe(w, b, publishers, killed);
        }
    while (horus_load_acquire(&b->ready) < publishers + subscribers)
        sched_yield();
    horus_store_release(&b->go, 1);
}

static board *make_board(void) {
    return mmap(NULL, sizeof(board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static void stress(uint32_t capacity, unsigned publishers, unsigned subscribers, uint64_t sends) {
    world w = world_make(capacity, WORDS * 8);
    board *b = make_board();
    pid_t children[16];
    start(&w, b, publishers, subscribers, sends_each(sends), false, children);
    for (unsigned i = 0; i < publishers + subscribers; i++)
        join_ok(children[i]);
}

static void many_publishers_many_subscribers(void) {
    stress(64, 3, 3, 60000);
}
static void a_tiny_ring_that_laps_all_the_time(void) {
    stress(4, 4, 2, 40000);
}

/* Publishers are killed at random moments while the others go on. */
static void publishers_that_are_killed_in_the_middle(void) {
    world w = world_make(16, WORDS * 8);
    board *b = make_board();
    pid_t children[16];
    uint64_t sends = sends_each(40000);
    start(&w, b, 4, 2, sends, true, children);
    for (unsigned i = 0; i < 3; i++) {
        while (__atomic_load_n(&b->accepted[i], __ATOMIC_ACQUIRE) < (i + 1) * sends / 8)
            sched_yield();
        (void)kill(children[i], SIGKILL); /* it may have finished */
        CHECK(waitpid(children[i], NULL, 0) == children[i]);
        horus_store_release(&b->done[i], 1);
    }
    for (unsigned i = 3; i < 6; i++)
        join_ok(children[i]);
}

int main(void) {
    static const test_case cases[] = {
        TEST(many_publishers_many_subscribers),
        TEST(a_tiny_ring_that_laps_all_the_time),
        TEST(publishers_that_are_killed_in_the_middle),
    };
    return RUN_ALL(cases);
}
