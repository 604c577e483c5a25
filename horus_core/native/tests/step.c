/* A publisher is single-stepped through one send and, after each machine instruction, killed or stopped. The
 * others must go on. A sleeper is single-stepped into its sleep, and after each instruction somebody sends:
 * it must wake. Driven by tests/crash/test_step.py:
 *
 *     step kill|stop plain|sleeper|held [from the nth instruction [every nth]]
 *
 * plain: the way a send usually goes; sleeper: somebody seems to sleep, so that the send wakes; held: a
 * living writer is a lap behind in the way, so that the send takes numbers from it. */
#define _GNU_SOURCE
#include "harness.h"

#include <sys/ptrace.h>

#include "../src/futex.h"

#define CAPACITY 8u
#define WORDS 13u /* 104 bytes fill the slot */
#define PEER 1u   /* who a message is of: the first word */
#define VICTIM 2u
#define HANG_NS (20 * SECOND)
#define LATE                                                                                                 \
    30u /* how often the send must have returned in a row: reading the clock takes more or fewer steps */

static uint64_t mix(uint64_t x) {
    x ^= x >> 31;
    x *= 0x9e3779b97f4a7c15u;
    return x ^ x >> 29;
}

static void fill(uint64_t *words, uint64_t who, uint64_t sequence) {
    words[0] = who;
    words[1] = sequence;
    for (unsigned i = 2; i < WORDS; i++)
        words[i] = mix(words[i - 1] + sequence * i + who);
}

typedef struct {
    uint32_t returned; /* set by the victim when its stepped send has returned */
    uint32_t stored, refused, revoked;
} board;

typedef struct {
    world w;
    board *b;
    horus_publisher peer, held;
    horus_subscriber eager, lazy; /* one reads all the time, the other at the end */
    uint64_t peer_sent, peer_seen, victim_last, victims_seen, victims_stored;
    uint64_t stands_at; /* the number that the one in the way has claimed */
    bool sleeper, in_the_way;
} stage;

/* ---- the victim ---- */

static void victim(stage *s, uint64_t sequence, unsigned sends) {
    uint64_t words[WORDS];
    world_enter_child(&s->w);
    horus_publisher pub = publisher_of(&s->w);
    if (s->sleeper)
        s->w.ring->header->futex |= 1u;
    fill(words, VICTIM, sequence);
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    raise(SIGSTOP);
    int result = horus_publisher_send(&pub, words, sizeof words, HORUS_INLINE, NULL);
    horus_store_release(&s->b->returned, 1);
    s->b->stored += result == HORUS_STORED;
    s->b->refused += result == HORUS_REFUSED;
    for (unsigned i = 1; i < sends; i++) {
        fill(words, VICTIM, sequence + i);
        s->b->stored += horus_publisher_send(&pub, words, sizeof words, HORUS_INLINE, NULL) == HORUS_STORED;
    }
    s->b->revoked = (uint32_t)pub.revoked;
    for (uint64_t i = 0; i < CAPACITY; i++) /* it has let go of what was taken from it */
        CHECK(word_state(word_at(&s->w, i)) != HELD || word_owner(word_at(&s->w, i)) != pub.owner);
    horus_publisher_leave(&pub);
    _exit(0);
}

/* Goes to sleep until a message comes. Without the slice that would mend a lost wake: that would be a hang.
 */
static void sleeper(stage *s) {
    uint64_t words[WORDS];
    horus_info info;
    horus_wait ticket;
    world_enter_child(&s->w);
    horus_subscriber sub = subscriber_of(&s->w);
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    raise(SIGSTOP);
    int there = horus_subscriber_wait_begin(&sub, horus_now_ns() + HANG_NS, &ticket);
    horus_store_release(&s->b->returned, 1);
    while (!there) {
        CHECK(horus_futex_wait(ticket.word, ticket.expected, horus_now_ns() + HANG_NS) != ETIMEDOUT);
        there = horus_subscriber_wait_begin(&sub, horus_now_ns() + HANG_NS, &ticket);
    }
    CHECK(horus_subscriber_recv(&sub, words, &info));
    _exit(0);
}

/* A child that stands before its send of `sends` messages; with 0 of them before its sleep. */
static pid_t start_victim(stage *s, uint64_t sequence, unsigned sends) {
    int status;
    memset(s->b, 0, sizeof *s->b);
    pid_t child = spawn();
    if (child == 0 && sends == 0)
        sleeper(s);
    if (child == 0)
        victim(s, sequence, sends);
    CHECK(waitpid(child, &status, 0) == child && WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    return child;
}

static void one_step(pid_t child) {
    int status;
    CHECK(ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) == 0);
    CHECK(waitpid(child, &status, 0) == child && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
}

/* `steps` machine instructions, or as many as it takes until the send has returned: then false. */
static bool step(const stage *s, pid_t child, unsigned steps) {
    if (s->in_the_way) {
        uint64_t *taken = &slot_of(s->w.ring, s->stands_at)->word, word = horus_load_acquire(taken);
        while (horus_load_acquire(taken) == word)
            one_step(child);
    }
    for (; steps > 0 && !horus_load_acquire(&s->b->returned); steps--)
        one_step(child);
    return !horus_load_acquire(&s->b->returned);
}

/* ---- the peers ---- */

/* Everything that is there: whole, each publisher in order. */
static void drain(stage *s) {
    uint64_t words[WORDS], wanted[WORDS];
    horus_info info;
    while (horus_subscriber_recv(&s->eager, words, &info)) {
        CHECK_EQ(info.length, sizeof words);
        CHECK(words[0] == PEER || words[0] == VICTIM);
        fill(wanted, words[0], words[1]);
        CHECK(memcmp(words, wanted, sizeof words) == 0);
        if (words[0] == PEER) {
            CHECK_EQ(words[1], s->peer_seen + 1);
            s->peer_seen = words[1];
        } else {
            CHECK(words[1] > s->victim_last);
            s->victim_last = words[1];
            s->victims_seen++;
        }
    }
}

/* The peer sends, and the subscriber gets what was sent within PATIENCE of looking (bounded: a hang fails).
 */
static void peers_go_on(stage *s, unsigned messages) {
    uint64_t words[WORDS], before = horus_now_ns();
    for (; messages > 0; messages--) {
        fill(words, PEER, ++s->peer_sent);
        CHECK_EQ(horus_publisher_send(&s->peer, words, sizeof words, HORUS_INLINE, NULL), HORUS_STORED);
        while (s->peer_seen < s->peer_sent) {
            (void)horus_subscriber_wait(&s->eager, horus_now_ns() + SECOND);
            drain(s);
            CHECK(horus_now_ns() - before < HANG_NS);
        }
    }
}

/* A living writer claims a number and stays: readers lose patience with it, and when the ring comes round to
 * the victim, its slot is held. */
static void stand_in_the_way(stage *s) {
    if (!s->in_the_way)
        return;
    s->held = publisher_of(&s->w);
    s->stands_at = claim_by_hand(&s->held);
    s->peer.held_look_ns = 0; /* it reclaims what the last victim held, and loses no number there */
    peers_go_on(s, CAPACITY - 1);
}

static void go_out_of_the_way(stage *s) {
    if (!s->in_the_way)
        return;
    CHECK(!commit_by_hand(&s->held, s->stands_at, 0));
    horus_publisher_leave(&s->held);
}

static void check_accounts(stage *s) {
    horus_subscriber *both[2] = {&s->eager, &s->lazy};
    uint64_t accepted = s->peer_sent + s->victims_seen;
    for (unsigned i = 0; i < 2; i++) {
        horus_subscriber *sub = both[i];
        (void)horus_subscriber_has_msg(sub);
        horus_subscriber_settle_all(sub);
        uint64_t whole = 0;
        for (uint64_t number = sub->cursor; number < horus_ring_front(s->w.ring); number++)
            whole +=
                word_number(word_at(&s->w, number)) == number && word_state(word_at(&s->w, number)) == DONE;
        CHECK_EQ(sub->delivered + sub->missed + whole, accepted);
        CHECK_EQ(sub->delivered + sub->missed + sub->voids + horus_subscriber_pending(sub),
                 horus_ring_front(s->w.ring) - CAPACITY);
    }
    CHECK_EQ(s->eager.missed, 0);
    CHECK_EQ(s->eager.delivered, accepted);
}

static stage make_stage(const char *scene) {
    stage s;
    memset(&s, 0, sizeof s);
    s.sleeper = strcmp(scene, "sleeper") == 0;
    s.in_the_way = strcmp(scene, "held") == 0;
    s.w = world_make(CAPACITY, WORDS * 8);
    s.b = mmap(NULL, sizeof *s.b, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    s.peer = publisher_of(&s.w);
    s.eager = subscriber_of(&s.w);
    s.lazy = subscriber_of(&s.w);
    return s;
}

/* ---- the two plays ---- */

static void kill_after_each_instruction(stage *s, unsigned every) {
    unsigned killed = 0, delivered = 0, left_busy = 0;
    unsigned late = 0;
    for (unsigned k = 0; late < LATE; k += every, killed++) {
        stand_in_the_way(s);
        uint64_t seen = s->victims_seen, front = horus_ring_front(s->w.ring);
        pid_t child = start_victim(s, k + 1, 1);
        late = step(s, child, k) ? 0 : late + 1;
        kill_hard(child);
        uint64_t last = horus_ring_front(s->w.ring) - 1;
        left_busy += last >= front && word_state(word_at(&s->w, last)) == BUSY;
        peers_go_on(s,
                    1 + k % 3 * CAPACITY); /* the next victim sweeps the row, or the ring comes round first */
        go_out_of_the_way(s);
        peers_go_on(s, 1);
        check_accounts(s);
        delivered += s->victims_seen > seen;
    }
    CHECK_EQ(s->peer.refused, 0);
    CHECK(left_busy > 0 && delivered > 0 && delivered < killed);
    printf("killed %u times within one send: %u messages left half-written, %u delivered; %" PRIu64
           " delivered of the peers\n",
           killed - LATE, left_busy, delivered, s->peer_seen);
}

static void stop_after_each_instruction(stage *s, unsigned every) {
    unsigned stopped = 0, revoked = 0, refused = 0;
    unsigned late = 0;
    for (unsigned k = 0; late < LATE; k += every, stopped++) {
        int status;
        stand_in_the_way(s);
        uint64_t seen = s->victims_seen;
        pid_t child = start_victim(s, 3 * (uint64_t)k + 1, 3);
        late = step(s, child, k) ? 0 : late + 1;
        CHECK(ptrace(PTRACE_DETACH, child, NULL, SIGSTOP) == 0);
        CHECK(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
        peers_go_on(s, 2 * CAPACITY + 1);
        CHECK(kill(child, SIGCONT) == 0);
        join_ok(child);
        go_out_of_the_way(s);
        peers_go_on(s, 1);
        CHECK_EQ(s->victims_seen - seen, s->b->stored); /* the eager one lags by three at most */
        check_accounts(s);
        revoked += s->b->revoked > 0;
        refused += s->b->refused;
    }
    CHECK_EQ(s->peer.refused + refused, 0);
    CHECK(revoked > 0);
    printf("stopped %u times within one send: it sent again %u times; %" PRIu64
           " of its messages delivered, %" PRIu64 " of the peers\n",
           stopped - LATE, revoked, s->victims_seen, s->peer_seen);
}

static void send_after_each_instruction_of_a_sleeper(stage *s, unsigned every) {
    unsigned woken = 0, late = 0;
    for (unsigned k = 0; late < LATE; k += every, woken++) {
        pid_t child = start_victim(s, 0, 0);
        late = step(s, child, k) ? 0 : late + 1;
        peers_go_on(s, 1);
        CHECK(ptrace(PTRACE_DETACH, child, NULL, NULL) == 0);
        join_ok(child);
    }
    check_accounts(s);
    printf("woken %u times within one falling asleep\n", woken - LATE);
}

int main(int argc, char **argv) {
    if (argc < 3)
        return 2;
    stage s = make_stage(argv[2]);
    unsigned every = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 1;
    if (strcmp(argv[1], "kill") == 0)
        kill_after_each_instruction(&s, every);
    else if (strcmp(argv[1], "stop") == 0)
        stop_after_each_instruction(&s, every);
    else
        send_after_each_instruction_of_a_sleeper(&s, every);
    return 0;
}
