/* What dead, stopped and slow publishers leave behind, and words that no publisher writes. */
#define _GNU_SOURCE
#include "harness.h"

/* A process that dies in the middle of its send, after `sends` whole ones. Returns the number it claimed. */
static uint64_t killed_in_the_window(world *w, uint64_t sends) {
    int ends[2];
    uint64_t number;
    CHECK(pipe(ends) == 0);
    pid_t child = spawn();
    if (child == 0) {
        world_enter_child(w);
        horus_publisher pub = publisher_of(w);
        for (uint64_t i = 0; i < sends; i++)
            send_value(&pub, 900 + i);
        number = claim_by_hand(&pub);
        CHECK(write(ends[1], &number, sizeof number) == sizeof number);
        for (;;)
            pause();
    }
    CHECK(read(ends[0], &number, sizeof number) == sizeof number);
    kill_hard(child);
    close(ends[0]);
    close(ends[1]);
    return number;
}

static void readers_pass_the_number_of_a_killed_publisher_once_something_waits_behind_it(void) {
    world w = world_make(8, 8);
    horus_publisher pub = publisher_of(&w);
    horus_subscriber sub = subscriber_of(&w);
    uint64_t number = killed_in_the_window(&w, 0);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ(recv_value(&sub), 0);
        lose_patience_now(&sub);
    }
    CHECK_EQ(word_state(word_at(&w, number)), BUSY); /* nothing behind it: nobody is in a hurry */
    send_value(&pub, 7);
    uint64_t value, before = horus_now_ns();
    CHECK_EQ(recv_value(&sub), 0); /* the first look at it starts the clock */
    while ((value = recv_value(&sub)) == 0)
        CHECK(horus_now_ns() - before < 50 * SECOND);
    CHECK(horus_now_ns() - before >= HORUS_PATIENCE_NS);
    CHECK(value == 7 && sub.voids == 1 && sub.delivered == 1 && sub.missed == 0);
    CHECK_EQ(word_state(word_at(&w, number)), HELD);
}

static void publishers_reclaim_the_slot_of_a_killed_one(void) {
    for (int revoked = 0; revoked < 2; revoked++) {
        world w = world_make(4, 8);
        horus_publisher pub = publisher_of(&w);
        horus_subscriber sub = subscriber_of(&w);
        uint64_t number = killed_in_the_window(&w, 0);
        CHECK_EQ(word_owner(word_at(&w, number)), 2);
        if (revoked) {
            send_value(&pub, 1);
            CHECK_EQ(recv_value(&sub), 0);
            lose_patience_now(&sub);
            CHECK_EQ(recv_value(&sub), 1);
        }
        for (uint64_t value = 2; value < 20; value++)
            send_value(&pub, value);
        uint64_t word = word_at(&w, number);
        CHECK(word_state(word) == DONE && word_owner(word) == pub.owner && word_tally(word) == 1);
        CHECK_EQ(pub.refused, 0);
        while (recv_value(&sub) != 0) {
        }
        horus_subscriber_settle_all(&sub);
        CHECK(sub.voids == 1 && sub.delivered + sub.missed == pub.sent);
    }
}

static void who_takes_the_row_of_a_dead_publisher_sweeps_it(void) {
    world w = world_make(8, 8);
    horus_publisher pub = publisher_of(&w);
    horus_subscriber sub = subscriber_of(&w);
    uint64_t busy = killed_in_the_window(&w, 0);
    uint64_t held = killed_in_the_window(&w, 0); /* swept the first one, and left another */
    CHECK_EQ(word_state(word_at(&w, busy)), VOID);
    CHECK_EQ(word_tally(word_at(&w, busy)), 1);
    send_value(&pub, 1);
    CHECK_EQ(recv_value(&sub), 0);
    lose_patience_now(&sub);
    CHECK_EQ(recv_value(&sub), 1);
    CHECK_EQ(word_state(word_at(&w, held)), HELD);
    horus_publisher heir = publisher_of(&w);
    CHECK_EQ(heir.owner, 2);
    CHECK(word_state(word_at(&w, held)) == VOID && word_tally(word_at(&w, held)) == 1);
    CHECK(sub.voids == 2 && sub.missed == 0);
}

static void a_living_writer_a_lap_behind_loses_its_number_but_not_its_memory(void) {
    world w = world_make(4, 8);
    horus_publisher pub = publisher_of(&w), slow = publisher_of(&w);
    horus_subscriber sub = subscriber_of(&w);
    uint64_t number = claim_by_hand(&slow), revoked_with;
    for (uint64_t value = 1; value <= 9; value++)
        send_value(&pub, value);
    revoked_with = word_at(&w, number);
    CHECK(word_state(revoked_with) == HELD && word_owner(revoked_with) == slow.owner);
    CHECK_EQ(word_tally(revoked_with), 3); /* its own number, and two more that went round */
    CHECK(!commit_by_hand(&slow, number, 99));
    CHECK_EQ(word_state(word_at(&w, number)), VOID);
    for (uint64_t value = 10; value <= 13; value++)
        send_value(&pub, value);
    CHECK_EQ(word_state(word_at(&w, number)), DONE); /* free again */
    uint64_t value, last = 0;
    while ((value = recv_value(&sub)) != 0) {
        CHECK(value > last && value != 99);
        last = value;
    }
    horus_subscriber_settle_all(&sub);
    CHECK(last == 13 && sub.voids == 3);
    CHECK_EQ(sub.delivered + sub.missed, 13);
}

static void when_living_writers_hold_every_slot_a_send_is_refused(void) {
    world w = world_make(4, 8);
    horus_publisher pub = publisher_of(&w), slow[4];
    horus_subscriber sub = subscriber_of(&w);
    uint64_t value = 1, numbers[4];
    for (unsigned i = 0; i < 4; i++) {
        slow[i] = publisher_of(&w);
        numbers[i] = claim_by_hand(&slow[i]);
    }
    CHECK_EQ(horus_publisher_send(&pub, &value, 8, HORUS_INLINE, NULL), HORUS_REFUSED);
    CHECK_EQ(horus_publisher_send(&pub, &value, 8, HORUS_INLINE, NULL), HORUS_REFUSED);
    CHECK(pub.refused == 2 && pub.sent == 0);
    horus_endpoint end;
    CHECK(horus_ring_publisher_at(w.ring, pub.owner, &end) && end.refused == 2);
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(word_state(word_at(&w, numbers[i])), HELD);
    CHECK(!commit_by_hand(&slow[2], numbers[2], 50));
    send_value(&pub, 2);
    CHECK_EQ(recv_value(&sub), 2);
    CHECK_EQ(recv_value(&sub), 0);
    horus_subscriber_settle_all(&sub);
    CHECK_EQ(sub.delivered + sub.missed, 1);
    CHECK_EQ(sub.delivered + sub.missed + sub.voids + horus_subscriber_pending(&sub),
             horus_ring_front(w.ring) - w.capacity);
}

static void a_held_slot_is_reclaimed_when_its_writer_dies(void) {
    world w = world_make(4, 8);
    horus_publisher pub = publisher_of(&w);
    gate ready = gate_make();
    pid_t child = spawn();
    if (child == 0) {
        world_enter_child(&w);
        horus_publisher slow = publisher_of(&w);
        claim_by_hand(&slow);
        gate_open(&ready);
        for (;;)
            pause();
    }
    gate_pass(&ready);
    for (uint64_t value = 1; value <= 10; value++)
        send_value(&pub, value);
    CHECK_EQ(word_state(word_at(&w, 4)), HELD);
    kill_hard(child);
    pub.held_look_ns = 0; /* the next look is due */
    for (uint64_t value = 11; value <= 14; value++)
        send_value(&pub, value);
    CHECK_EQ(word_state(word_at(&w, 4)), DONE);
}

static void a_wrong_hint_heals(void) {
    static const uint64_t hints[] = {0,          1,          3,          1000,       1ull << 20,
                                     NUMBER_MAX, 1ull << 48, 1ull << 60, UINT64_MAX, UINT64_MAX - 5};
    world w = world_make(8, 8);
    horus_publisher pub = publisher_of(&w);
    uint64_t value = 0;
    for (unsigned i = 0; i < sizeof hints / sizeof *hints; i++) {
        w.ring->header->hint = hints[i];
        horus_subscriber sub = subscriber_of(&w);
        CHECK_EQ(horus_subscriber_pending(&sub), 0);
        uint64_t number = send_value(&pub, ++value);
        CHECK_EQ(w.ring->header->hint, number + 1);
        CHECK_EQ(recv_value(&sub), value);
        w.ring->header->hint = hints[i];
        horus_publisher other = publisher_of(&w);
        CHECK_EQ(send_value(&other, ++value), number + 1);
        CHECK_EQ(recv_value(&sub), value);
        CHECK_EQ(sub.missed + sub.voids, 0);
        horus_publisher_leave(&other);
        horus_subscriber_leave(&sub);
    }
}

static uint64_t random_state = 88172645463325252u;

static uint64_t random_word(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* Every call comes back, whatever stands in the words; `to` is not overrun (the sanitizers look). */
static void use_all(world *w, horus_publisher *pub, horus_subscriber *sub) {
    uint64_t from[5] = {1, 2, 3, 4, 5}, to[5], stamp;
    horus_info info;
    (void)horus_publisher_send(pub, from, sizeof from, HORUS_INLINE, NULL);
    for (unsigned i = 0; i < 10 && horus_subscriber_recv(sub, to, &info); i++)
        CHECK(info.length <= sizeof to);
    (void)horus_subscriber_has_msg(sub);
    (void)horus_subscriber_pending(sub);
    horus_subscriber_settle_all(sub);
    horus_subscriber_skip(sub, 2);
    (void)horus_ring_latest(w->ring, to, &info);
    (void)horus_ring_latest_time(w->ring, &stamp);
    (void)horus_ring_peek(w->ring, sub->cursor, to, &info);
    (void)horus_subscriber_wait(sub, horus_now_ns());
}

static void random_words_in_a_region_hang_nobody(void) {
    for (unsigned round = 0; round < 300; round++) {
        world w = world_make(8, 40);
        horus_publisher pub = publisher_of(&w), victim = publisher_of(&w);
        horus_subscriber sub = subscriber_of(&w);
        use_all(&w, &pub, &sub);
        for (unsigned i = 0; i < 8; i++) {
            ring_slot *slot = slot_of(w.ring, i);
            uint64_t near =
                (horus_ring_front(w.ring) + random_word() % 40 - 20) << 16 | (random_word() & 0xffff);
            slot->word = round % 2 ? random_word() : near;
            slot->length_kind = (uint32_t)random_word();
            slot->voids = (uint32_t)random_word();
            if (i % 3 == 0)
                w.ring->header->hint = random_word() >> (random_word() % 64);
            use_all(&w, &pub, &sub);
            horus_subscriber late;
            CHECK(horus_subscriber_join(&late, w.ring, i % 2 ? HORUS_FROM_LAST : HORUS_FROM_NEXT) == 0);
            use_all(&w, &pub, &late);
            horus_subscriber_leave(&late);
        }
        horus_publisher_leave(&victim);
        victim = publisher_of(&w); /* sweeps */
        horus_publisher_leave(&victim);
        horus_publisher_leave(&pub);
        horus_subscriber_leave(&sub);
        world_end(&w);
    }
}

static void a_process_that_scribbles_over_the_region_hangs_nobody(void) {
    world w = world_make(8, 40);
    horus_publisher pub = publisher_of(&w);
    horus_subscriber sub = subscriber_of(&w);
    pid_t child = spawn();
    if (child == 0) {
        uint64_t *from = (uint64_t *)w.ring->base + 16, *end = (uint64_t *)(w.ring->base + w.ring->size);
        for (;;)
            __atomic_store_n(&from[random_word() % (uint64_t)(end - from)],
                             random_word() >> random_word() % 64, __ATOMIC_RELAXED);
    }
    for (unsigned round = 0; round < 3000; round++)
        use_all(&w, &pub, &sub);
    kill_hard(child);
}

int main(void) {
    static const test_case cases[] = {
        TEST(readers_pass_the_number_of_a_killed_publisher_once_something_waits_behind_it),
        TEST(publishers_reclaim_the_slot_of_a_killed_one),
        TEST(who_takes_the_row_of_a_dead_publisher_sweeps_it),
        TEST(a_living_writer_a_lap_behind_loses_its_number_but_not_its_memory),
        TEST(when_living_writers_hold_every_slot_a_send_is_refused),
        TEST(a_held_slot_is_reclaimed_when_its_writer_dies),
        TEST(a_wrong_hint_heals),
        TEST(random_words_in_a_region_hang_nobody),
        TEST(a_process_that_scribbles_over_the_region_hangs_nobody),
    };
    return RUN_ALL(cases);
}
