/* The accounts of a subscriber close: accepted since it joined = delivered + missed + skipped + pending, over
 * laps, void numbers and revocations. Held against a record of what happened to every number. */
#define _GNU_SOURCE
#include "harness.h"

#define PUBLISHERS 5u
#define NUMBERS 4096u

enum fate { UNKNOWN, WRITING, ACCEPTED, GIVEN_UP };

/* Publisher 0 sends; the others stand in the window, go on or die. */
typedef struct {
    world w;
    horus_publisher pubs[PUBLISHERS];
    uint64_t busy[PUBLISHERS]; /* the number that each stands before; 0 none */
    uint8_t fate[NUMBERS];
} play;

static uint64_t random_state;

static uint64_t dice(uint64_t sides) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (random_state >> 11) % sides;
}

static void send_one(play *p) {
    uint64_t value = horus_ring_front(p->w.ring), number = 0;
    p->pubs[0].held_look_ns = dice(2) ? 0 : horus_now_ns();
    if (horus_publisher_send(&p->pubs[0], &value, sizeof value, HORUS_INLINE, &number) == HORUS_STORED)
        p->fate[number] = ACCEPTED;
}

static void stop_in_the_window(play *p, unsigned who) {
    uint64_t word = word_at(&p->w, horus_ring_front(p->w.ring));
    if (p->busy[who] != 0 || word_state(word) == BUSY || word_state(word) == HELD)
        return;
    p->busy[who] = claim_by_hand(&p->pubs[who]);
    p->fate[p->busy[who]] = WRITING;
}

static void go_on(play *p, unsigned who) {
    if (p->busy[who] == 0)
        return;
    bool stored = commit_by_hand(&p->pubs[who], p->busy[who], p->busy[who]);
    p->fate[p->busy[who]] = stored ? ACCEPTED : GIVEN_UP;
    p->busy[who] = 0;
}

/* Its row is empty as after a death; its words stay. */
static void die(play *p, unsigned who, bool heir_at_once) {
    if (p->busy[who] != 0)
        p->fate[p->busy[who]] = GIVEN_UP;
    p->busy[who] = 0;
    horus_publisher_leave(&p->pubs[who]);
    if (!heir_at_once) {
        send_one(p);
        send_one(p);
    }
    p->pubs[who] = publisher_of(&p->w);
}

static void receive_some(play *p, horus_subscriber *sub) {
    uint64_t value, previous = 0;
    for (uint64_t most = dice(2 * p->w.capacity); most > 0; most--) {
        if (dice(4) == 0)
            lose_patience_now(sub);
        if (dice(8) == 0)
            (void)horus_subscriber_has_msg(sub);
        if (dice(16) == 0)
            horus_subscriber_settle_all(sub);
        if ((value = recv_value(sub)) == 0)
            break;
        CHECK(value > previous);
        previous = value;
    }
    if (dice(16) == 0)
        horus_subscriber_skip(sub, dice(p->w.capacity));
}

/* Numbers below the front: those accepted, given up, and still being written, from `join` and from the
 * cursor. */
static void check_accounts(play *p, horus_subscriber *sub, uint64_t join) {
    uint64_t front = horus_ring_front(p->w.ring), accepted = 0, ahead = 0, voids_passed = 0,
             passed_writing = 0;
    (void)horus_subscriber_has_msg(sub); /* a lapped cursor moves to what is still there */
    horus_subscriber_settle_all(sub);
    CHECK(front < NUMBERS);
    for (uint64_t number = join; number < front; number++) {
        enum fate fate = p->fate[number] == UNKNOWN ? GIVEN_UP : (enum fate)p->fate[number];
        uint64_t word = word_at(&p->w, number);
        if (fate == WRITING && !(word_number(word) == number && word_state(word) == BUSY))
            fate = GIVEN_UP; /* revoked, and its writer does not know yet */
        accepted += fate == ACCEPTED;
        ahead += number >= sub->cursor && fate == ACCEPTED;
        voids_passed += number < sub->cursor && fate == GIVEN_UP;
        passed_writing += number < sub->cursor && fate == WRITING;
    }
    CHECK_EQ(sub->delivered + sub->missed + sub->skipped + sub->voids, sub->cursor - join);
    CHECK_EQ(sub->voids, voids_passed);
    CHECK_EQ(sub->delivered + sub->missed + sub->skipped + ahead, accepted + passed_writing);
}

static uint64_t joined_at(const play *p, const horus_subscriber *sub, enum horus_join from) {
    return from == HORUS_FROM_FIRST ? p->w.capacity : sub->cursor;
}

/* At a join no number is being written: then the accounts are exact (docs/protocol.md, section 3). */
static void settle_down(play *p) {
    for (unsigned who = 1; who < PUBLISHERS; who++)
        go_on(p, who);
}

static uint64_t lapped, voided; /* what the plays together have seen */

static void one_play(uint64_t seed, uint32_t capacity, enum horus_join from) {
    static play p;
    memset(&p, 0, sizeof p);
    random_state = seed * 0x9e3779b97f4a7c15u + 1;
    p.w = world_make(capacity, 8);
    for (unsigned i = 0; i < PUBLISHERS; i++)
        p.pubs[i] = publisher_of(&p.w);
    for (uint64_t before = dice(20); before > 0; before--) {
        unsigned who = 1 + (unsigned)dice(PUBLISHERS - 1);
        send_one(&p);
        if (dice(3) == 0)
            stop_in_the_window(&p, who);
        if (dice(3) == 0)
            die(&p, who, dice(2));
    }
    settle_down(&p);
    horus_subscriber sub;
    CHECK(horus_subscriber_join(&sub, p.w.ring, from) == 0);
    uint64_t join = joined_at(&p, &sub, from);
    for (unsigned step = 0; step < 150; step++) {
        unsigned who = 1 + (unsigned)dice(PUBLISHERS - 1);
        switch (dice(8)) {
        case 0:
            stop_in_the_window(&p, who);
            break;
        case 1:
            go_on(&p, who);
            break;
        case 2:
            die(&p, who, dice(2));
            break;
        case 3:
        case 4:
            receive_some(&p, &sub);
            break;
        default:
            for (uint64_t burst = dice(4); burst > 0; burst--)
                send_one(&p);
        }
        if (step % 10 == 9)
            check_accounts(&p, &sub, join);
    }
    lapped += sub.missed;
    voided += sub.voids;
    horus_subscriber_leave(&sub);
    for (unsigned i = 0; i < PUBLISHERS; i++)
        horus_publisher_leave(&p.pubs[i]);
    world_end(&p.w);
}

static void plays(enum horus_join from) {
    for (uint64_t seed = 1; seed <= 150; seed++)
        one_play(seed, seed % 3 == 0 ? 16 : seed % 3 == 1 ? 4 : 8, from);
    CHECK(lapped > 1000 && voided > 1000);
}

static void accounts_close_from_the_next_message(void) {
    plays(HORUS_FROM_NEXT);
}
static void accounts_close_from_the_last_message(void) {
    plays(HORUS_FROM_LAST);
}
static void accounts_close_from_the_first_message(void) {
    plays(HORUS_FROM_FIRST);
}

static void a_lap_is_counted_exactly(void) {
    for (uint32_t capacity = 4; capacity <= 64; capacity *= 2)
        for (uint64_t sent = 0; sent < 5 * (uint64_t)capacity; sent++) {
            world w = world_make(capacity, 8);
            horus_publisher pub = publisher_of(&w);
            horus_subscriber sub = subscriber_of(&w);
            for (uint64_t value = 1; value <= sent; value++)
                send_value(&pub, value);
            uint64_t kept = sent < capacity ? sent : capacity;
            for (uint64_t i = 1; i <= kept; i++)
                CHECK_EQ(recv_value(&sub), sent - kept + i);
            CHECK_EQ(recv_value(&sub), 0);
            CHECK(sub.missed == sent - kept && sub.delivered == kept && sub.voids == 0);
            horus_subscriber_leave(&sub);
            horus_publisher_leave(&pub);
            world_end(&w);
        }
}

static void a_latched_join_before_void_numbers_loses_no_count(void) {
    world w = world_make(4, 8);
    horus_publisher pub = publisher_of(&w), slow = publisher_of(&w);
    horus_subscriber other = subscriber_of(&w), sub;
    send_value(&pub, 1);
    uint64_t number = claim_by_hand(&slow);
    send_value(&pub, 2);
    CHECK_EQ(recv_value(&other), 1);
    CHECK_EQ(recv_value(&other), 0);
    lose_patience_now(&other);
    CHECK_EQ(recv_value(&other), 2); /* the slow one's number is void now */
    CHECK(!commit_by_hand(&slow, number, 9));
    uint64_t last = claim_by_hand(&slow); /* and another, behind the last message */
    horus_publisher_leave(&slow);
    slow = publisher_of(&w);
    CHECK_EQ(word_state(word_at(&w, last)), VOID);
    CHECK(horus_subscriber_join(&sub, w.ring, HORUS_FROM_LAST) == 0);
    for (uint64_t value = 3; value <= 5; value++)
        send_value(&pub, value); /* one more than the ring keeps */
    CHECK_EQ(recv_value(&sub), 3);
    CHECK(sub.missed == 1 && sub.voids == 1 && sub.delivered == 1);
}

/* A writer that stays in the way costs its slot a number a lap. Who gave one up long ago and comes to count
 * it now, and who never came, must not put the others' count wrong. */
static void the_count_of_void_numbers_survives_who_comes_late_or_never(void) {
    world w = world_make(4, 8);
    horus_publisher pub = publisher_of(&w), slow = publisher_of(&w);
    horus_subscriber sub = subscriber_of(&w);
    ring_slot *slot = slot_of(w.ring, claim_by_hand(&slow));
    for (unsigned lap = 1; lap <= 200; lap++) {
        for (unsigned i = 0; i < 3; i++)
            send_value(&pub, 1);
        if (lap % 7 == 0)
            slot->voids -= lap % 20; /* as many in a row were killed before they counted */
        for (unsigned late = 1; late < 60; late++)
            slot_count_void(slot, word_tally(horus_load_acquire(&slot->word)) + late);
    }
    send_value(&pub, 1);        /* passes the slot once more */
    CHECK_EQ(slot->voids, 201); /* with the number that it had claimed */
    while (recv_value(&sub) != 0) {
    }
    horus_subscriber_settle_all(&sub);
    CHECK_EQ(sub.missed + sub.delivered, 601);
    CHECK_EQ(sub.voids, 201);
}

int main(void) {
    static const test_case cases[] = {
        TEST(a_lap_is_counted_exactly),
        TEST(accounts_close_from_the_next_message),
        TEST(accounts_close_from_the_last_message),
        TEST(accounts_close_from_the_first_message),
        TEST(the_count_of_void_numbers_survives_who_comes_late_or_never),
        TEST(a_latched_join_before_void_numbers_loses_no_count),
    };
    return RUN_ALL(cases);
}
