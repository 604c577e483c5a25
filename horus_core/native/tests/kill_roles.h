/* What the victims of kill_steps.c do. A role brings itself into a state first, then calls begin(), from
 * where on its plan acts, and goes on to its end: whoever is stopped on the way must get there, too. */
#ifndef HORUS_TEST_KILL_ROLES_H
#define HORUS_TEST_KILL_ROLES_H

#include <sys/file.h>

#include "../src/futex.h"
#include "kill_stage.h"

/* ---- a process that died before, played by a second membership of this one ---- */

typedef struct {
    world w;
    horus_pool *pool;
    horus_publisher pub;
} dead;

static inline dead doomed(const stage *s) {
    dead d = {.w = s->w};
    join_namespace(&d.w, s->ns);
    return d;
}

/* As the kernel leaves it after a kill: its lock is gone, and all that it wrote stays. */
static inline void die(dead *d) {
    horus_member_leave(d->w.member);
}

/* ---- numbers that are claimed and not committed ---- */

static inline void take_number(const horus_publisher *pub) {
    ring_slot *slot = slot_of(pub->ring, pub->next - 1);
    uint64_t word = horus_load_acquire(&slot->word);
    unsigned tally = word_tally(word) + 1;
    if (word_state(word) == BUSY && word_owner(word) == pub->owner &&
        horus_cas_acq_rel(&slot->word, &word, word_make(word_number(word), tally, HELD, pub->owner)))
        slot_count_void(slot, tally);
}

/* A writer that stood between its claim and its commit leaves without a message. */
static inline void give_up(horus_publisher *pub, uint64_t number) {
    take_number(pub);
    CHECK(!commit_by_hand(pub, number, 0));
    horus_publisher_leave(pub);
}

/* ---- plan ---- */

static enum steps_plan plan_of_victim;
static unsigned plan_step;
static uint32_t plan_passage;

static inline void begin(void) {
    steps_plan(plan_of_victim, plan_step, plan_passage);
}

static inline void sends(stage *s, horus_publisher *pub, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        int result = send_words(pub, s->who, s->b->stored + s->b->refused + 1);
        s->b->stored += result == HORUS_STORED;
        s->b->refused += result == HORUS_REFUSED;
    }
}

/* One that has let go of everything leaves no word that says otherwise. */
static inline void leave(stage *s, horus_publisher *pub) {
    if (pub != NULL) {
        for (uint64_t i = 0; i < CAPACITY; i++)
            CHECK(word_state(word_at(&s->w, i)) != HELD || word_owner(word_at(&s->w, i)) != pub->owner);
        horus_publisher_leave(pub);
    }
    if (s->pool != NULL)
        CHECK(horus_pool_close(s->pool));
    horus_ring_unmap(s->w.ring);
    horus_member_leave(s->w.member);
}

/* ---- publishers ---- */

static void publish(stage *s) {
    begin();
    enter(s);
    horus_publisher pub = publisher_of(&s->w);
    for (unsigned i = 0; i < 4; i++) {
        __atomic_fetch_or(&s->w.ring->header->futex, 1u, __ATOMIC_SEQ_CST); /* somebody sleeps */
        sends(s, &pub, 1);
    }
    leave(s, &pub);
}

static horus_publisher *revoke_before_commit; /* of this publisher, once */

/* Its number is taken before its commit, as by a reader out of patience. */
static void revoked(stage *s) {
    enter(s);
    horus_publisher pub = publisher_of(&s->w);
    revoke_before_commit = &pub;
    begin();
    sends(s, &pub, 2);
    CHECK(pub.revoked > 0);
    leave(s, &pub);
}

/* A living writer stands in the way (the parent's slow one), and loses its number. */
static void overtake(stage *s) {
    enter(s);
    horus_publisher pub = publisher_of(&s->w);
    begin();
    sends(s, &pub, CAPACITY + 2);
    leave(s, &pub);
}

/* Goes round the ring to the slot that a dead writer left BUSY. */
static void reclaim(stage *s) {
    enter(s);
    horus_publisher pub = publisher_of(&s->w);
    dead d = doomed(s);
    d.pub = publisher_of(&d.w);
    claim_by_hand(&d.pub);
    die(&d);
    begin();
    sends(s, &pub, CAPACITY + 2);
    leave(s, &pub);
}

/* Takes the row of a dead publisher, who left slots BUSY and HELD, and sweeps it. */
static void sweep_row(stage *s) {
    enter(s);
    dead d = doomed(s);
    d.pub = publisher_of(&d.w);
    claim_by_hand(&d.pub);
    take_number(&d.pub);
    claim_by_hand(&d.pub);
    die(&d);
    begin();
    horus_publisher pub = publisher_of(&s->w);
    sends(s, &pub, 2);
    leave(s, &pub);
}

/* ---- subscribers ---- */

/* Before a BUSY number with a message behind it, it loses patience. */
static void lose_patience_there(stage *s, horus_publisher *own, horus_subscriber *sub) {
    horus_publisher late = publisher_of(&s->w);
    heard h = {0};
    uint64_t number = claim_by_hand(&late);
    sends(s, own, 1);
    drain(sub, NULL, &h);
    lose_patience_now(sub);
    drain(sub, NULL, &h);
    give_up(&late, number);
}

static horus_ring *wake_without_call; /* once, when this process looks whether somebody sleeps */

/* As a publisher between its swap of the word and its call of the kernel. */
static inline void wake_half(horus_ring *ring) {
    uint32_t word = horus_load_seq_cst(&ring->header->futex);
    if (word & 1u)
        (void)horus_cas_seq_cst(&ring->header->futex, &word, word + 1u);
}

static void subscribe(stage *s) {
    enter(s);
    horus_publisher pub = publisher_of(&s->w);
    uint64_t words[WORDS], stamp;
    horus_info info;
    heard h = {0}, again = {0};
    horus_subscriber lapped = subscriber_of(&s->w);
    sends(s, &pub, CAPACITY + 3);
    begin();
    horus_subscriber sub;
    CHECK(horus_subscriber_join(&sub, s->w.ring, HORUS_FROM_LAST) == 0);
    horus_subscriber_announce(&sub, "victim");
    drain(&sub, NULL, &h);
    drain(&lapped, NULL, &again); /* catches up */
    lose_patience_there(s, &pub, &sub);
    (void)horus_ring_peek(s->w.ring, sub.cursor - 1, words, &info);
    (void)horus_ring_latest(s->w.ring, words, &info);
    (void)horus_ring_latest_time(s->w.ring, &stamp);
    sends(s, &pub, 3);
    horus_subscriber_skip(&sub, 1);
    drain(&sub, NULL, &h);
    wake_without_call = s->w.ring;
    (void)horus_subscriber_wait(&sub, horus_now_ns() + 300000); /* nobody sends: it sleeps */
    horus_futex_wake_all(&s->w.ring->header->futex);
    horus_subscriber_settle_all(&sub);
    horus_subscriber_leave(&sub);
    horus_subscriber_leave(&lapped);
    horus_ring_wake(s->w.ring);
    leave(s, &pub);
}

/* A hint that is no claimed number sends everybody to look at all words. */
static void wrong_hint(stage *s) {
    enter(s);
    begin();
    horus_store_release(&s->w.ring->header->hint, 1ull << 40);
    (void)horus_ring_front(s->w.ring);
    horus_publisher pub = publisher_of(&s->w);
    sends(s, &pub, 1);
    leave(s, &pub);
}

/* ---- large payloads ---- */

static inline void frame_sends(stage *s, horus_publisher *pub, uint64_t length) {
    horus_block *block;
    while ((block = horus_pool_take(s->pool, length, &failure)) == NULL)
        sched_yield(); /* the ear holds a frame of the chunk that is to be given up */
    int result = send_frame(pub, block, s->who, s->b->stored + s->b->refused + 1);
    s->b->stored += result == HORUS_STORED;
    s->b->refused += result == HORUS_REFUSED;
}

/* Makes a pool, sends frames, and gives the chunk up for one of another size. */
static void send_frames(stage *s) {
    begin();
    enter(s);
    open_pool(s);
    horus_publisher pub = publisher_of(&s->w);
    for (unsigned i = 0; i < 4; i++)
        frame_sends(s, &pub, FRAME);
    frame_sends(s, &pub, 40000);
    horus_pool_forget(s->pool, s->w.ring);
    leave(s, &pub);
}

/* Holds the parent's frames; under this index somebody died who held one of them. */
static void hold_frames(stage *s) {
    horus_block *held[FRAMES];
    enter(s);
    horus_member *first = s->w.member;
    dead d = doomed(s); /* the next higher index */
    d.pool = horus_pool_open(d.w.member, BUDGET, &failure);
    CHECK(horus_pool_hold(d.pool, &s->b->frames[0], &failure) != NULL);
    die(&d);
    begin();
    s->w.member = horus_member_join(s->w.index_fd, s->ns, &failure); /* the same index again */
    open_pool(s);
    for (unsigned i = 0; i < FRAMES; i++) {
        held[i] = horus_pool_hold(s->pool, &s->b->frames[i], &failure);
        CHECK(held[i] != NULL || failure.code == ESTALE); /* the latter after it was stopped for long */
        if (held[i] != NULL)
            check_frame(held[i], s->b->frames[i].reserved);
    }
    for (unsigned i = 0; i < FRAMES; i++)
        if (held[i] != NULL) {
            check_frame(held[i], s->b->frames[i].reserved);
            horus_block_release(held[i]);
        }
    CHECK(horus_pool_close(s->pool));
    horus_member_leave(s->w.member);
    s->w.member = first;
    s->pool = NULL;
    leave(s, NULL);
}

static bool between_set_and_look; /* this victim waits there until the frame was overwritten */

/* The parent hands the block out again between this reader's bit and its second look. */
static void hold_too_late(stage *s) {
    enter(s);
    open_pool(s);
    between_set_and_look = true;
    begin();
    gate_pass(&s->down); /* the parent stands between its look at the holds and its raise */
    horus_block *block = horus_pool_hold(s->pool, &s->b->frames[0], &failure);
    CHECK(block == NULL && failure.code == ESTALE);
    leave(s, NULL);
}

/* All blocks of its pool are held by a dead process: they come back. */
static void reap(stage *s) {
    enter(s);
    open_pool(s);
    uint32_t count = takeable(s);
    dead d = doomed(s);
    d.pool = horus_pool_open(d.w.member, BUDGET, &failure);
    horus_block *blocks[256];
    for (uint32_t i = 0; i < count; i++)
        blocks[i] = take(s);
    for (uint32_t i = 0; i < count; i++) {
        horus_block_ref ref = horus_block_refer(blocks[i]);
        CHECK(horus_pool_hold(d.pool, &ref, &failure) != NULL);
        horus_block_release(blocks[i]);
    }
    die(&d);
    begin();
    CHECK_EQ(takeable(s), count);
    leave(s, NULL);
}

/* ---- creators: as horus_core/shm/region.py does it ---- */

static void create(stage *s) {
    char lock[96], making[96], name[96];
    snprintf(lock, sizeof lock, "/dev/shm/horus_%s/lock", s->ns);
    snprintf(making, sizeof making, "/dev/shm/horus_%s.making", s->ns);
    snprintf(name, sizeof name, "/dev/shm/horus_%s.topic.new%u", s->ns, (unsigned)(s->who % 2));
    begin();
    enter(s);
    int locked = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    CHECK(locked >= 0 && flock(locked, LOCK_EX) == 0);
    unlink(making);
    int fd = shared_file(s->ns, "making", horus_ring_size(&topic_of_stage));
    void *memory = map_file(fd, horus_ring_size(&topic_of_stage));
    horus_ring_format(memory, &topic_of_stage);
    CHECK(rename(making, name) == 0);
    horus_ring *ring = horus_ring_map(fd, s->w.member, &failure);
    CHECK(ring != NULL);
    horus_member_bump(s->w.member);
    close(locked);
    horus_ring_unmap(ring);
    leave(s, NULL);
}

/* Sleeps until some topic appears. */
static void await_topic(stage *s) {
    begin();
    enter(s);
    uint32_t epoch = horus_member_epoch(s->w.member);
    CHECK_EQ(horus_member_wait(s->w.member, epoch, horus_now_ns() + 300000), 0);
    horus_member_bump(s->w.member);
    CHECK_EQ(horus_member_wait(s->w.member, epoch, horus_now_ns() + SECOND), 1);
    leave(s, NULL);
}

/* ---- all of them ---- */

typedef struct {
    const char *name;
    void (*play)(stage *);
    bool claims_by_hand; /* which wants a free slot at the front */
} role;

static const role roles[] = {
    {"publish", publish, false},
    {"revoked", revoked, false},
    {"overtake", overtake, true},
    {"reclaim", reclaim, true},
    {"sweep_row", sweep_row, true},
    {"subscribe", subscribe, true},
    {"wrong_hint", wrong_hint, false},
    {"send_frames", send_frames, false},
    {"hold_frames", hold_frames, false},
    {"hold_too_late", hold_too_late, false},
    {"reap", reap, false},
    {"create", create, false},
    {"await_topic", await_topic, false},
};
#define ROLES (sizeof roles / sizeof *roles)

#endif
