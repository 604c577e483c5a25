/* What the tests of the ring share: checks, tests in processes of their own, and a namespace with one topic
 * in anonymous files. Other processes are forks that join anew, as the protocol demands of a fork. */
#ifndef HORUS_TEST_HARNESS_H
#define HORUS_TEST_HARNESS_H

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../src/ring_internal.h"
#ifdef HORUS_STEPS
#include "steps.h"
#endif
#ifdef HORUS_ONE_MAPPING
#include "one_mapping.h"
#endif

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: not true: %s (pid %d)\n", __FILE__, __LINE__, #condition,                \
                    (int)getpid());                                                                          \
            exit(1);                                                                                         \
        }                                                                                                    \
    } while (0)

#define CHECK_EQ(a, b)                                                                                       \
    do {                                                                                                     \
        unsigned long long got_ = (unsigned long long)(a), wanted_ = (unsigned long long)(b);                \
        if (got_ != wanted_) {                                                                               \
            fprintf(stderr, "%s:%d: %s is %llu, expected %s = %llu\n", __FILE__, __LINE__, #a, got_, #b,     \
                    wanted_);                                                                                \
            exit(1);                                                                                         \
        }                                                                                                    \
    } while (0)

/* In a build with -DHORUS_STEPS, from here on: the windows between the protocol's steps are wide, one of
 * them, or STEP_COUNT, always. */
static inline void widen(enum horus_step_id always) {
    (void)always;
#ifdef HORUS_STEPS
    steps_plan(STEPS_WIDEN, always, 0);
#endif
}

#ifndef HANG_S
#define HANG_S 100 /* a test that runs longer hangs */
#endif
#define SECOND 1000000000ull

/* The environment's STRESS: how many times as long as usual a stress is. */
static inline double stress_factor(void) {
    const char *factor = getenv("STRESS");
    return factor == NULL ? 1.0 : strtod(factor, NULL);
}

static inline unsigned hang_s(void) {
    double factor = stress_factor();
    return (unsigned)(HANG_S * (factor > 1.0 ? factor : 1.0));
}

typedef struct {
    const char *name;
    void (*run)(void);
} test_case;

#define TEST(name) {#name, name}

/* Each test in a child: it starts without memberships, and a crash is its own. */
static inline int run_tests(const test_case *cases, size_t count) {
    unsigned failed = 0;
    for (size_t i = 0; i < count; i++) {
        int status;
        fflush(NULL);
        pid_t child = fork();
        if (child == 0) {
            alarm(hang_s());
            cases[i].run();
            exit(0);
        }
        waitpid(child, &status, 0);
        if (status != 0) {
            failed++;
            fprintf(stderr, "FAILED %s (wait status 0x%x)\n", cases[i].name, (unsigned)status);
        }
    }
    printf("%zu passed, %u failed\n", count - failed, failed);
    return failed != 0;
}

#define RUN_ALL(cases) run_tests((cases), sizeof(cases) / sizeof *(cases))

/* A child that dies with its parent. 0 in the child. */
static inline pid_t spawn(void) {
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm(hang_s());
    }
    return child;
}

static inline void join_ok(pid_t child) {
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK_EQ(status, 0);
}

/* All of them, in the order in which they end: who waits for one that failed must not hide it. */
static inline void join_all(unsigned count) {
    for (; count > 0; count--) {
        int status;
        CHECK(waitpid(-1, &status, 0) > 0);
        CHECK_EQ(status, 0);
    }
}

static inline void kill_hard(pid_t child) {
    CHECK(kill(child, SIGKILL) == 0);
    CHECK(waitpid(child, NULL, 0) == child);
}

/* One byte through a pipe: "I am that far". */
typedef struct {
    int ends[2];
} gate;

static inline gate gate_make(void) {
    gate g;
    CHECK(pipe(g.ends) == 0);
    return g;
}
static inline void gate_open(const gate *g) {
    CHECK(write(g->ends[1], "x", 1) == 1);
}
static inline void gate_pass(const gate *g) {
    char byte;
    CHECK(read(g->ends[0], &byte, 1) == 1);
}

typedef struct {
    int index_fd, ring_fd;
    uint32_t capacity, payload;
    horus_member *member;
    horus_ring *ring;
} world;

static horus_error failure;

static inline int memory_file(const char *name, size_t size) {
    int fd = memfd_create(name, MFD_CLOEXEC);
    CHECK(fd >= 0 && ftruncate(fd, (off_t)size) == 0);
    return fd;
}

static inline void *map_file(int fd, size_t size) {
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(at != MAP_FAILED);
    return at;
}

static inline int make_index(void) {
    int fd = memory_file("index", horus_index_size());
    void *index = map_file(fd, horus_index_size());
    horus_index_format(index);
    munmap(index, horus_index_size());
    return fd;
}

static inline int make_ring(uint32_t capacity, uint32_t payload) {
    static const char meta[] = "{\"topic\":\"test\"}";
    horus_ring_params params = {.kind = HORUS_MSGPACK,
                                .capacity = capacity,
                                .payload = payload,
                                .meta = meta,
                                .meta_length = sizeof meta - 1};
    size_t size = horus_ring_size(&params);
    int fd = memory_file("ring", size);
    void *memory = map_file(fd, size);
    horus_ring_format(memory, &params);
    munmap(memory, size);
    return fd;
}

static inline void world_enter(world *w) {
    w->member = horus_member_join(w->index_fd, "test", &failure);
    CHECK(w->member != NULL);
    w->ring = horus_ring_map(w->ring_fd, w->member, &failure);
    CHECK(w->ring != NULL);
}

static inline world world_make(uint32_t capacity, uint32_t payload) {
    world w = {.index_fd = make_index(),
               .ring_fd = make_ring(capacity, payload),
               .capacity = capacity,
               .payload = payload};
    world_enter(&w);
    return w;
}

/* In a forked child: as any other process, with a membership and a mapping of its own. */
static inline void world_enter_child(world *w) {
    horus_ring_unmap(w->ring);
    horus_member_leave(w->member);
    world_enter(w);
}

static inline void world_end(world *w) {
    horus_ring_unmap(w->ring);
    horus_member_leave(w->member);
    close(w->index_fd);
    close(w->ring_fd);
}

static inline horus_publisher publisher_of(world *w) {
    horus_publisher pub;
    CHECK(horus_publisher_join(&pub, w->ring, "node", &failure) == 0);
    return pub;
}

static inline horus_subscriber subscriber_of(world *w) {
    horus_subscriber sub;
    CHECK(horus_subscriber_join(&sub, w->ring, HORUS_FROM_NEXT) == 0);
    return sub;
}

static inline uint64_t send_value(horus_publisher *pub, uint64_t value) {
    uint64_t number = 0;
    CHECK_EQ(horus_publisher_send(pub, &value, sizeof value, HORUS_INLINE, &number), HORUS_STORED);
    return number;
}

/* The next message's value; 0 when there is none (tests send values from 1). */
static inline uint64_t recv_value(horus_subscriber *sub) {
    uint64_t to[64];
    horus_info info;
    CHECK(sub->ring->payload <= sizeof to);
    if (!horus_subscriber_recv(sub, to, &info))
        return 0;
    CHECK_EQ(info.length, sizeof to[0]);
    return to[0];
}

static inline uint64_t word_at(const world *w, uint64_t number) {
    return horus_load_acquire(&slot_of(w->ring, number)->word);
}

/* A writer between its claim and its commit, as a killed or a stopped one stands there. */
static inline uint64_t claim_by_hand(horus_publisher *pub) {
    horus_ring *ring = pub->ring;
    uint64_t number = horus_ring_front(ring);
    uint64_t *at = &slot_of(ring, number)->word, word = horus_load_acquire(at);
    CHECK(word_state(word) == DONE || word_state(word) == VOID);
    CHECK(horus_cas_acq_rel(at, &word, word_make(number, word_tally(word), BUSY, pub->owner)));
    horus_store_release(&ring->header->hint, number + 1);
    pub->next = number + 1;
    return number;
}

/* He goes on: true when his message is stored, false when his number was taken and he has let go. */
static inline bool commit_by_hand(horus_publisher *pub, uint64_t number, uint64_t value) {
    ring_slot *slot = slot_of(pub->ring, number);
    uint64_t word = horus_load_acquire(&slot->word);
    if (word == word_make(number, word_tally(word), BUSY, pub->owner)) {
        slot->length_kind = sizeof value | HORUS_INLINE << KIND_SHIFT;
        slot->payload[0] = value;
        if (horus_cas_seq_cst(&slot->word, &word, word_make(number, word_tally(word), DONE, pub->owner)))
            return true;
    }
    while (word_state(word) == HELD && word_owner(word) == pub->owner)
        if (horus_cas_acq_rel(&slot->word, &word,
                              word_make(word_number(word), word_tally(word), VOID, pub->owner)))
            break;
    return false;
}

/* As if the reader had stood before its BUSY number for longer than PATIENCE. */
static inline void lose_patience_now(horus_subscriber *sub) {
    sub->busy_since_ns -= 2 * (uint64_t)HORUS_PATIENCE_NS;
}

#endif
