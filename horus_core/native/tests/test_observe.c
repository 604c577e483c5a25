/* Looking without taking part: a member that only observes, and what can be seen of messages without their
 * payload. */
#define _GNU_SOURCE
#include "harness.h"

#include "horus/pool.h"

typedef struct {
    horus_member *member;
    horus_ring *ring;
} observer;

static observer observer_of(const world *w) {
    observer o = {.member = horus_member_observe(w->index_fd, "test", &failure)};
    CHECK(o.member != NULL);
    o.ring = horus_ring_map(w->ring_fd, o.member, &failure);
    CHECK(o.ring != NULL);
    return o;
}

static void observer_end(observer *o) {
    horus_ring_unmap(o->ring);
    horus_member_leave(o->member);
}

/* All bytes of a file; who looks must leave them as they are. */
static uint8_t *bytes_of(int fd, size_t size) {
    uint8_t *bytes = malloc(size);
    CHECK(bytes != NULL && pread(fd, bytes, size, 0) == (ssize_t)size);
    return bytes;
}

static void who_only_looks_is_seen_by_nobody_and_writes_nothing(void) {
    world w = world_make(4, 8);
    horus_publisher pub = publisher_of(&w), late;
    horus_subscriber sub;
    horus_endpoint end;
    horus_info info;
    uint64_t to;
    send_value(&pub, 7);
    size_t sizes[2] = {horus_index_size(), w.ring->size};
    uint8_t *before[2] = {bytes_of(w.index_fd, sizes[0]), bytes_of(w.ring_fd, sizes[1])};

    observer o = observer_of(&w);
    CHECK(horus_member_observes(o.member) && !horus_member_observes(w.member));
    CHECK_EQ(horus_member_self(o.member), 0);
    CHECK(horus_member_alive(o.member, horus_member_self(w.member)));
    CHECK(horus_ring_in_use(o.ring, true) && !horus_ring_in_use(w.ring, true));
    CHECK(horus_ring_publisher_at(o.ring, pub.owner, &end) && end.sent == 1);
    CHECK(horus_ring_latest(o.ring, &to, &info) && to == 7);
    horus_ring_wake(o.ring);
    horus_member_bump(o.member);
    CHECK(!horus_member_lock_index(o.member, 5));
    CHECK(horus_publisher_join(&late, o.ring, "late", &failure) < 0 &&
          strstr(failure.text, "only looks") != NULL);
    CHECK(horus_subscriber_join(&sub, o.ring, HORUS_FROM_NEXT) < 0);
    observer_end(&o);

    uint8_t *after[2] = {bytes_of(w.index_fd, sizes[0]), bytes_of(w.ring_fd, sizes[1])};
    for (int i = 0; i < 2; i++) {
        CHECK(memcmp(before[i], after[i], sizes[i]) == 0);
        free(before[i]);
        free(after[i]);
    }
}

static void who_only_looks_sees_who_dies(void) {
    world w = world_make(4, 8);
    gate ready = gate_make();
    pid_t child = spawn();
    if (child == 0) {
        world_enter_child(&w);
        publisher_of(&w);
        gate_open(&ready);
        for (;;)
            pause();
    }
    gate_pass(&ready);
    horus_ring_unmap(w.ring);
    horus_member_leave(w.member);
    observer o = observer_of(&w);
    horus_endpoint end;
    CHECK(horus_ring_publisher_at(o.ring, 1, &end) && horus_ring_in_use(o.ring, false));
    kill_hard(child);
    CHECK(!horus_ring_publisher_at(o.ring, 1, &end) && !horus_ring_in_use(o.ring, false));
    observer_end(&o);
}

static void an_observer_that_lost_its_descriptor_keeps_nobody_from_joining(void) {
    world w = world_make(4, 8);
    observer o = observer_of(&w);
    int fd = 3;
    for (; fd < 4096; fd++) /* as a daemonizer does */
        if (fd != w.index_fd && fd != w.ring_fd)
            close(fd);
    CHECK(!horus_member_locked(o.member));
    horus_member *first = horus_member_join(w.index_fd, "test", &failure);
    CHECK(first != NULL);
    horus_member_leave(first);
    observer_end(&o);
}

static void a_sighting_says_all_but_the_payload(void) {
    world w = world_make(4, 64);
    horus_publisher pub = publisher_of(&w), other = publisher_of(&w);
    observer o = observer_of(&w);
    horus_sighting seen;
    horus_info info;
    uint64_t payload[8] = {10, 11, 12, 13, 14}, to[8], number, before = horus_now_ns();
    CHECK_EQ(horus_publisher_send(&pub, payload, 20, HORUS_INLINE, &number), HORUS_STORED);
    CHECK_EQ(horus_ring_sight(o.ring, number, HORUS_NO_WORD, &seen), HORUS_SIGHT_MESSAGE);
    CHECK(seen.number == number && seen.bytes == 20 && seen.owner == pub.owner && !seen.refers);
    CHECK(seen.publish_ns >= before && seen.publish_ns <= horus_now_ns() && !seen.has_word);
    CHECK(horus_ring_peek(w.ring, number, to, &info) && info.publish_ns == seen.publish_ns);
    CHECK(horus_ring_sight(o.ring, number, 8, &seen) == HORUS_SIGHT_MESSAGE && seen.word == 11);
    CHECK(horus_ring_sight(o.ring, number, 16, &seen) == HORUS_SIGHT_MESSAGE && !seen.has_word);
    CHECK(horus_ring_sight(o.ring, number, 4, &seen) == HORUS_SIGHT_MESSAGE && !seen.has_word);

    horus_block_ref ref = {.writer = 1 << 16, .chunk = 2, .block = 3, .generation = 4, .length = 6220800};
    CHECK_EQ(horus_publisher_send(&pub, &ref, sizeof ref, HORUS_SPILLED, &number), HORUS_STORED);
    CHECK(horus_ring_sight(o.ring, number, 0, &seen) == HORUS_SIGHT_MESSAGE && seen.refers);
    CHECK(seen.bytes == 6220800 && seen.word == ref.writer);

    CHECK_EQ(horus_ring_sight(o.ring, number + 1, 0, &seen), HORUS_SIGHT_PENDING);
    number = claim_by_hand(&other);
    CHECK_EQ(horus_ring_sight(o.ring, number, 0, &seen), HORUS_SIGHT_PENDING);
    CHECK(commit_by_hand(&other, number, 1));
    CHECK_EQ(horus_ring_sight(o.ring, number, 0, &seen), HORUS_SIGHT_MESSAGE);
    CHECK_EQ(horus_ring_sight(o.ring, number - w.capacity, 0, &seen), HORUS_SIGHT_NONE);
    observer_end(&o);
}

/* What was accepted is the front less the first number less the void ones, over any number of laps. */
static void void_numbers_are_counted_from_outside(void) {
    world w = world_make(4, 8);
    horus_publisher pub = publisher_of(&w), slow = publisher_of(&w);
    observer o = observer_of(&w);
    uint64_t sent = 0;
    for (unsigned round = 0; round < 40; round++) {
        uint64_t number = claim_by_hand(&slow);
        for (unsigned i = 0; i < 9; i++, sent++) /* round the ring: the slow one's number is taken */
            send_value(&pub, i + 1);
        uint64_t front = horus_ring_front(o.ring);
        CHECK_EQ(front - w.capacity - horus_ring_voids(o.ring, front), sent);
        horus_sighting seen;
        CHECK_EQ(horus_ring_sight(o.ring, number, HORUS_NO_WORD, &seen), HORUS_SIGHT_NONE);
        CHECK(!commit_by_hand(&slow, number, 1));
    }
    CHECK(horus_ring_voids(o.ring, horus_ring_front(o.ring)) >= 40);
    CHECK_EQ(horus_ring_voids(o.ring, w.capacity), horus_ring_voids(o.ring, horus_ring_front(o.ring)) - 1);
    observer_end(&o);
}

int main(void) {
    static const test_case cases[] = {
        TEST(who_only_looks_is_seen_by_nobody_and_writes_nothing),
        TEST(who_only_looks_sees_who_dies),
        TEST(an_observer_that_lost_its_descriptor_keeps_nobody_from_joining),
        TEST(a_sighting_says_all_but_the_payload),
        TEST(void_numbers_are_counted_from_outside),
    };
    return RUN_ALL(cases);
}
