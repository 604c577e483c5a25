/* Sleeping and waking across processes: no wake is lost, a killed sleeper or waker hinders nobody. */
#define _GNU_SOURCE
#include "harness.h"

#include "../src/futex.h"

#define LONG_S 60 /* a sleep that nobody ends: the test fails by it, not by chance */

static uint64_t in_seconds(uint64_t seconds) {
    return horus_now_ns() + seconds * SECOND;
}

/* As horus_subscriber_wait, without the slice: a wake that is lost is lost. */
static void wait_without_slice(horus_subscriber *sub) {
    horus_wait ticket;
    while (!horus_subscriber_wait_begin(sub, in_seconds(LONG_S), &ticket))
        CHECK(horus_futex_wait(ticket.word, ticket.expected, in_seconds(LONG_S)) != ETIMEDOUT);
}

static void no_wake_is_lost_between_two_processes(void) {
    enum { ROUNDS = 3000 };
    world there = world_make(4, 8), back = there;
    back.ring_fd = make_ring(4, 8);
    back.ring = horus_ring_map(back.ring_fd, back.member, &failure);
    horus_subscriber ear = subscriber_of(&there), answers = subscriber_of(&back);
    pid_t child = spawn();
    if (child == 0) {
        horus_member *member = horus_member_join(there.index_fd, "test", &failure);
        back.ring = horus_ring_map(back.ring_fd, member, &failure);
        horus_publisher pub = publisher_of(&back);
        for (uint64_t round = 1; round <= ROUNDS; round++) {
            wait_without_slice(&ear);
            CHECK_EQ(recv_value(&ear), round);
            send_value(&pub, round);
        }
        exit(0);
    }
    horus_publisher pub = publisher_of(&there);
    for (uint64_t round = 1; round <= ROUNDS; round++) {
        send_value(&pub, round);
        wait_without_slice(&answers);
        CHECK_EQ(recv_value(&answers), round);
    }
    join_ok(child);
}

static void one_send_wakes_all_sleepers(void) {
    world w = world_make(64, 8);
    horus_publisher pub = publisher_of(&w);
    gate ready = gate_make();
    pid_t children[5];
    for (unsigned i = 0; i < 5; i++)
        if ((children[i] = spawn()) == 0) {
            world_enter_child(&w);
            horus_subscriber sub = subscriber_of(&w);
            gate_open(&ready);
            for (uint64_t value = 1; value <= 20; value++) {
                wait_without_slice(&sub);
                CHECK_EQ(recv_value(&sub), value);
                gate_open(&ready);
            }
            exit(0);
        }
    for (uint64_t value = 1; value <= 20; value++) {
        for (unsigned i = 0; i < 5; i++)
            gate_pass(&ready);
        send_value(&pub, value);
    }
    for (unsigned i = 0; i < 5; i++)
        join_ok(children[i]);
}

static void a_deadline_passes(void) {
    world w = world_make(4, 8);
    horus_subscriber sub = subscriber_of(&w);
    uint64_t before = horus_now_ns();
    CHECK_EQ(horus_subscriber_wait(&sub, before + 3000000), 0);
    CHECK(horus_now_ns() >= before + 3000000);
    CHECK_EQ(horus_subscriber_wait(&sub, 0), 0);
    horus_publisher pub = publisher_of(&w);
    send_value(&pub, 1);
    CHECK_EQ(horus_subscriber_wait(&sub, 0), 1);
}

static void ignore_signal(int number) {
    (void)number;
}

static void a_signal_ends_the_wait(void) {
    world w = world_make(4, 8);
    horus_subscriber sub = subscriber_of(&w);
    struct sigaction action = {.sa_handler = ignore_signal};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    pid_t parent = getpid(), child = spawn();
    if (child == 0)
        for (;;) {
            kill(parent, SIGUSR1); /* until one hits the sleep */
            horus_futex_wait(&(uint32_t){0}, 0, horus_now_ns() + 1000000);
        }
    CHECK_EQ(horus_subscriber_wait(&sub, in_seconds(LONG_S)), -1);
    kill_hard(child);
}

static void a_killed_sleeper_leaves_a_bit_and_nothing_else(void) {
    world w = world_make(4, 8);
    horus_publisher pub = publisher_of(&w);
    gate ready = gate_make();
    pid_t child = spawn();
    if (child == 0) {
        world_enter_child(&w);
        horus_subscriber sub = subscriber_of(&w);
        horus_wait ticket;
        CHECK(horus_subscriber_wait_begin(&sub, in_seconds(LONG_S), &ticket) == 0);
        gate_open(&ready);
        horus_futex_wait(ticket.word, ticket.expected, in_seconds(LONG_S));
        exit(1);
    }
    gate_pass(&ready);
    CHECK(w.ring->header->futex & 1u);
    kill_hard(child);
    CHECK(w.ring->header->futex & 1u);
    send_value(&pub, 1);
    CHECK(!(w.ring->header->futex & 1u)); /* one call too many, once */
    horus_subscriber sub = subscriber_of(&w);
    child = spawn();
    if (child == 0) {
        world_enter_child(&w);
        horus_publisher other = publisher_of(&w);
        while (!(horus_load_acquire(&w.ring->header->futex) & 1u))
            horus_cpu_relax();
        send_value(&other, 2);
        exit(0);
    }
    wait_without_slice(&sub);
    CHECK_EQ(recv_value(&sub), 2);
    join_ok(child);
}

static void a_message_whose_wake_died_with_its_publisher_arrives(void) {
    world w = world_make(4, 8);
    horus_subscriber sub = subscriber_of(&w);
    pid_t child = spawn();
    if (child == 0) {
        world_enter_child(&w);
        horus_publisher pub = publisher_of(&w);
        while (!(horus_load_acquire(&w.ring->header->futex) & 1u))
            horus_cpu_relax();
        CHECK(commit_by_hand(&pub, claim_by_hand(&pub), 5));
        kill(getpid(), SIGKILL); /* after the commit, before the wake */
    }
    CHECK_EQ(horus_subscriber_wait(&sub, in_seconds(LONG_S)), 1); /* within a slice */
    CHECK_EQ(recv_value(&sub), 5);
    CHECK(waitpid(child, NULL, 0) == child);
}

static void who_sleeps_before_a_number_that_never_comes_is_woken_by_patience(void) {
    world w = world_make(8, 8);
    horus_publisher pub = publisher_of(&w), slow = publisher_of(&w);
    horus_subscriber sub = subscriber_of(&w);
    horus_wait ticket;
    uint64_t number = claim_by_hand(&slow);
    send_value(&pub, 1);
    CHECK_EQ(horus_subscriber_wait(&sub, in_seconds(LONG_S)), 1);
    CHECK_EQ(recv_value(&sub), 1);
    CHECK(!commit_by_hand(&slow, number, 9));
    /* The same behind a void number: the sleep is short there, too. */
    CHECK(!commit_by_hand(&slow, number, 9));
    number = claim_by_hand(&slow);
    horus_publisher_leave(&slow);
    slow = publisher_of(&w);
    CHECK_EQ(word_state(word_at(&w, number)), VOID);
    claim_by_hand(&slow);
    send_value(&pub, 2);
    CHECK_EQ(horus_subscriber_wait_begin(&sub, in_seconds(LONG_S), &ticket), 0);
    CHECK(ticket.until_ns <= horus_now_ns() + HORUS_PATIENCE_NS);
    CHECK_EQ(horus_subscriber_wait(&sub, in_seconds(LONG_S)), 1);
    CHECK_EQ(recv_value(&sub), 2);
}

static void a_wake_without_a_message_ends_nothing(void) {
    world w = world_make(4, 8);
    horus_subscriber sub = subscriber_of(&w);
    horus_wait ticket;
    CHECK_EQ(horus_subscriber_wait_begin(&sub, in_seconds(LONG_S), &ticket), 0);
    horus_ring_wake(w.ring);
    CHECK_EQ(horus_wait_sleep(&ticket), 0); /* at once: the word differs */
    CHECK_EQ(horus_subscriber_wait(&sub, horus_now_ns() + 2000000), 0);
}

int main(void) {
    static const test_case cases[] = {
        TEST(no_wake_is_lost_between_two_processes),
        TEST(one_send_wakes_all_sleepers),
        TEST(a_deadline_passes),
        TEST(a_signal_ends_the_wait),
        TEST(a_killed_sleeper_leaves_a_bit_and_nothing_else),
        TEST(a_message_whose_wake_died_with_its_publisher_arrives),
        TEST(who_sleeps_before_a_number_that_never_comes_is_woken_by_patience),
        TEST(a_wake_without_a_message_ends_nothing),
    };
    return RUN_ALL(cases);
}
