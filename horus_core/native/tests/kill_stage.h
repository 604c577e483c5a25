/* The stage on which processes are killed and stopped at named steps (kill_steps.c): a namespace with a topic
 * and a pool of which every file stands in /dev/shm, as the cleaner finds it, a process that has all of it in
 * use, and another one, the ear, that sleeps on the topic and looks at what comes. */
#ifndef HORUS_TEST_KILL_STAGE_H
#define HORUS_TEST_KILL_STAGE_H

#ifndef HORUS_STEPS
#error "built with -DHORUS_STEPS"
#endif
#include "../src/pool_internal.h"
#include "../src/ring_internal.h"
/* The plan's own function gets another name, so that this program can act before it (kill_steps.c). */
#define horus_step steps_act
#include "steps.h"
#undef horus_step
#include "harness.h"

#define CAPACITY 16u
#define WORDS 13u   /* 104 bytes fill the slot */
#define PEER 1u     /* who a message is of: the first word; victims count on from 2 */
#define FRAME 1000u /* bytes of a block */
#define FRAMES 3u   /* that each victim finds */
#define HANG_NS (20 * SECOND)
#define BUDGET (80ull << 10) /* of a pool: one chunk of such blocks */

typedef struct {
    /* of the victim */
    uint64_t struck_ns;                 /* when it came to the step at which its plan acts */
    uint32_t stored, refused, finished; /* sends that returned; whether it came to its end */
    uint32_t passed[STEP_COUNT];        /* at its end */
    horus_block_ref frames[FRAMES];     /* what it may hold */
    /* of the ear: where it is, and what it counts when it is asked */
    uint64_t ear_cursor, ear_peer, ear_accepted;
    uint32_t asked, answered;
} board;

typedef struct {
    char ns[48];
    world w;
    horus_pool *pool;
    horus_publisher peer, slow;
    horus_subscriber eager, lazy; /* one reads whenever it can, the other never */
    board *b;
    pid_t ear;
    uint64_t peer_sent, accepted; /* accepted: by what the eager one counts, after the last round */
    uint64_t who;                 /* the present victim */
    uint64_t slow_number;         /* that the slow publisher has claimed, 0: none */
    uint32_t blocks;              /* of the pool */
    gate down, up;                /* between a victim and its audience, where a role needs it */
} stage;

/* ---- messages ---- */

static inline uint64_t mix(uint64_t x) {
    x ^= x >> 31;
    x *= 0x9e3779b97f4a7c15u;
    return x ^ x >> 29;
}

static inline void fill(uint64_t *words, uint64_t who, uint64_t sequence) {
    words[0] = who;
    words[1] = sequence;
    for (unsigned i = 2; i < WORDS; i++)
        words[i] = mix(words[i - 1] + sequence * i + who);
}

static inline int send_words(horus_publisher *pub, uint64_t who, uint64_t sequence) {
    uint64_t words[WORDS];
    fill(words, who, sequence);
    return horus_publisher_send(pub, words, sizeof words, HORUS_INLINE, NULL);
}

/* A frame is one word, again and again; the reference that crosses the ring says which. */
static inline uint64_t frame_word(uint64_t who, uint64_t sequence) {
    return who << 32 | sequence;
}

static inline int send_frame(horus_publisher *pub, horus_block *block, uint64_t who, uint64_t sequence) {
    uint64_t *data = horus_block_data(block), number;
    for (size_t i = 0; i < horus_block_length(block) / 8; i++)
        data[i] = frame_word(who, sequence);
    horus_block_ref ref = horus_block_refer(block);
    ref.reserved = frame_word(who, sequence);
    int result = horus_publisher_send(pub, &ref, sizeof ref, HORUS_SPILLED, &number);
    if (result == HORUS_STORED)
        horus_block_sent(block, pub->ring, number);
    horus_block_release(block);
    return result;
}

static inline void check_frame(const horus_block *block, uint64_t word) {
    const uint64_t *data = horus_block_data(block);
    for (size_t i = 0; i < horus_block_length(block) / 8; i++)
        CHECK_EQ(data[i], word);
}

/* What a subscriber has seen of whom. */
typedef struct {
    uint64_t peer, victim, victim_last, frames, overwritten;
} heard;

/* Everything that is there: whole, each publisher's in order, none twice. */
static inline void drain(horus_subscriber *sub, horus_pool *pool, heard *h) {
    uint64_t words[WORDS], wanted[WORDS], who, sequence;
    horus_info info;
    while (horus_subscriber_recv(sub, words, &info)) {
        if (info.payload_kind == HORUS_SPILLED) {
            horus_block_ref ref;
            memcpy(&ref, words, sizeof ref);
            CHECK_EQ(info.length, sizeof ref);
            who = ref.reserved >> 32;
            sequence = ref.reserved & 0xffffffffu;
            horus_block *block = pool == NULL ? NULL : horus_pool_hold(pool, &ref, &failure);
            h->overwritten += block == NULL;
            if (block != NULL) {
                check_frame(block, ref.reserved);
                horus_block_release(block);
                h->frames++;
            } else
                CHECK(pool == NULL || failure.code == ESTALE);
        } else {
            CHECK_EQ(info.length, sizeof words);
            who = words[0];
            sequence = words[1];
            fill(wanted, who, sequence);
            CHECK(memcmp(words, wanted, sizeof words) == 0);
        }
        if (who == PEER) {
            CHECK(sequence > h->peer);
            h->peer = sequence;
        } else {
            CHECK(who > h->victim || (who == h->victim && sequence > h->victim_last));
            h->victim = who;
            h->victim_last = sequence;
        }
    }
}

/* ---- accounts: docs/protocol.md, section 3 ---- */

/* What was accepted since the subscriber joined, by its own account; that all numbers are accounted for. */
static inline uint64_t settled(const horus_ring *ring, horus_subscriber *sub) {
    uint64_t whole = 0, front;
    (void)horus_subscriber_has_msg(sub);
    horus_subscriber_settle_all(sub);
    front = horus_ring_front(ring);
    for (uint64_t number = sub->cursor; number < front; number++) {
        uint64_t word = horus_load_acquire(&slot_of(ring, number)->word);
        whole += word_number(word) == number && word_state(word) == DONE;
    }
    CHECK_EQ(sub->delivered + sub->missed + sub->voids + horus_subscriber_pending(sub),
             front - ring->capacity);
    return sub->delivered + sub->missed + whole;
}

/* ---- the ear ---- */

static inline void join_namespace(world *w, const char *ns) {
    w->member = horus_member_join(w->index_fd, ns, &failure);
    CHECK(w->member != NULL);
    w->ring = horus_ring_map(w->ring_fd, w->member, &failure);
    CHECK(w->ring != NULL);
}

/* In a fork that has let go of what it inherited (the pool is the parent's and stays where it is). */
static inline void enter(stage *s) {
    join_namespace(&s->w, s->ns);
    s->pool = NULL;
}

static inline void open_pool(stage *s) {
    s->pool = horus_pool_open(s->w.member, BUDGET, &failure);
    CHECK(s->pool != NULL);
}

static inline void listen(stage *s, const gate *ready) {
    heard h = {0};
    horus_ring_unmap(s->w.ring);
    horus_member_leave(s->w.member);
    enter(s);
    open_pool(s);
    alarm(0);
    horus_subscriber sub = subscriber_of(&s->w);
    gate_open(ready);
    for (;;) {
        drain(&sub, s->pool, &h);
        horus_store_relaxed(&s->b->ear_peer, h.peer);
        horus_store_release(&s->b->ear_cursor, sub.cursor);
        uint32_t asked = horus_load_acquire(&s->b->asked);
        if (asked != s->b->answered) {
            s->b->ear_accepted = settled(s->w.ring, &sub);
            horus_store_release(&s->b->answered, asked);
        }
        (void)horus_subscriber_wait(&sub, horus_now_ns() + SECOND);
    }
}

/* ---- the stage ---- */

static inline int shared_file(const char *ns, const char *kind, size_t size) {
    char name[96];
    snprintf(name, sizeof name, "/horus_%s.%s", ns, kind);
    int fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && posix_fallocate(fd, 0, (off_t)size) == 0);
    return fd;
}

static const horus_ring_params topic_of_stage = {.kind = HORUS_MSGPACK,
                                                 .capacity = CAPACITY,
                                                 .payload = WORDS * 8,
                                                 .meta = "{\"topic\":\"t\"}",
                                                 .meta_length = 13};

/* All blocks of the parent's pool that are to be had at once; they are given back. */
static inline uint32_t takeable(stage *s) {
    horus_block *blocks[256];
    uint32_t count = 0;
    while (count < 256 && (blocks[count] = horus_pool_take(s->pool, FRAME, &failure)) != NULL)
        count++;
    for (uint32_t i = 0; i < count; i++)
        horus_block_release(blocks[i]);
    return count;
}

static inline void stage_make(stage *s, const char *ns) {
    gate ready = gate_make();
    memset(s, 0, sizeof *s);
    snprintf(s->ns, sizeof s->ns, "%s", ns);
    s->w.index_fd = shared_file(ns, "index", horus_index_size());
    void *index = map_file(s->w.index_fd, horus_index_size());
    horus_index_format(index);
    munmap(index, horus_index_size());
    size_t size = horus_ring_size(&topic_of_stage);
    s->w.ring_fd = shared_file(ns, "topic.t", size);
    void *memory = map_file(s->w.ring_fd, size);
    horus_ring_format(memory, &topic_of_stage);
    munmap(memory, size);
    join_namespace(&s->w, ns);
    s->b = mmap(NULL, sizeof *s->b, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    open_pool(s);
    s->peer = publisher_of(&s->w);
    s->eager = subscriber_of(&s->w);
    s->lazy = subscriber_of(&s->w);
    s->blocks = takeable(s);
    CHECK(s->blocks > FRAMES && s->blocks < 256);
    s->who = PEER;
    if ((s->ear = spawn()) == 0)
        listen(s, &ready);
    gate_pass(&ready);
}

static inline horus_block *take(stage *s) {
    horus_block *block = horus_pool_take(s->pool, FRAME, &failure);
    CHECK(block != NULL);
    return block;
}

static inline void peer_sends(stage *s, bool frame) {
    ++s->peer_sent;
    int result =
        frame ? send_frame(&s->peer, take(s), PEER, s->peer_sent) : send_words(&s->peer, PEER, s->peer_sent);
    CHECK_EQ(result, HORUS_STORED);
}

#endif
