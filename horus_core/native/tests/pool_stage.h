/* What the tests of the pool share: a namespace with a ring, a pool and a publisher, and other processes that
 * hold blocks. Chunks are files in /dev/shm, so the namespace's name is the process's own; '~' keeps cleaners
 * of other processes away, which do not know the anonymous index. */
#ifndef HORUS_TEST_POOL_STAGE_H
#define HORUS_TEST_POOL_STAGE_H

#include "../src/pool_internal.h"
#include "harness.h"

#define RING_SLOTS 4u
#define FRAME 100000u /* bytes; one block a chunk at first */
#define ROOMY (64ull << 20)

typedef struct {
    int index_fd, ring_fd;
    char ns[48];
    horus_member *member;
    horus_pool *pool;
    horus_ring *ring;
    horus_publisher pub;
} stage;

static horus_error error;

static inline void join(stage *w, uint64_t budget) {
    w->member = horus_member_join(w->index_fd, w->ns, &error);
    CHECK(w->member != NULL);
    w->pool = horus_pool_open(w->member, budget, &error);
    CHECK(w->pool != NULL);
    w->ring = horus_ring_map(w->ring_fd, w->member, &error);
    CHECK(w->ring != NULL);
}

static inline stage begin(const char *name, uint64_t budget) {
    stage w = {.index_fd = make_index(), .ring_fd = make_ring(RING_SLOTS, 64)};
    snprintf(w.ns, sizeof w.ns, "ctest~%s~%d", name, (int)getpid());
    join(&w, budget);
    CHECK(horus_publisher_join(&w.pub, w.ring, "test", &error) == 0);
    return w;
}

static inline void unlink_all(stage *w) {
    horus_ident self = horus_member_self(w->member);
    for (uint32_t id = 0; id < w->pool->next_chunk; id++)
        pool_chunk_unlink(w->pool, self, id);
}

static inline void end(stage *w) {
    unlink_all(w);
    horus_pool_forget(w->pool, w->ring);
    horus_publisher_leave(&w->pub);
    horus_pool_close(w->pool);
    horus_ring_unmap(w->ring);
    horus_member_leave(w->member);
    close(w->index_fd);
    close(w->ring_fd);
}

/* Fills the block with one word and sends it; the sender's handle is released. */
static inline horus_block_ref send_frame(stage *w, horus_block *block, uint64_t word) {
    uint64_t *data = horus_block_data(block);
    for (size_t i = 0; i < horus_block_length(block) / 8; i++)
        data[i] = word;
    horus_block_ref ref = horus_block_refer(block);
    ref.reserved = word; /* what a reader must find there */
    uint64_t number;
    CHECK(horus_publisher_send(&w->pub, &ref, sizeof ref, HORUS_SPILLED, &number) == HORUS_STORED);
    horus_block_sent(block, w->ring, number);
    horus_block_release(block);
    return ref;
}

static inline horus_block *take(stage *w) {
    horus_block *block = horus_pool_take(w->pool, FRAME, &error);
    if (block == NULL)
        fprintf(stderr, "%s\n", error.text);
    CHECK(block != NULL);
    return block;
}

static inline horus_pool_use usage(stage *w) {
    horus_pool_use use;
    horus_pool_usage(w->pool, &use);
    return use;
}

/* Another process, which runs `body` as a member of its own and talks through two pipes. */
typedef struct {
    pid_t pid;
    int to, from;
} peer;

static inline peer start(stage *w, void (*body)(stage *, int in, int out)) {
    int down[2], up[2];
    CHECK(pipe(down) == 0 && pipe(up) == 0);
    peer p = {.pid = spawn()};
    if (p.pid == 0) {
        close(down[1]);
        close(up[0]);
        join(w, ROOMY);
        body(w, down[0], up[1]);
        _exit(0);
    }
    close(down[0]);
    close(up[1]);
    p.to = down[1];
    p.from = up[0];
    return p;
}

static inline void put(int fd, const void *data, size_t length) {
    CHECK(write(fd, data, length) == (ssize_t)length);
}

static inline bool get(int fd, void *data, size_t length) {
    return read(fd, data, length) == (ssize_t)length;
}

static inline int finish(peer *p, int signal) {
    int status;
    if (signal != 0)
        kill(p->pid, signal);
    close(p->to);
    CHECK(waitpid(p->pid, &status, 0) == p->pid);
    close(p->from);
    return status;
}

/* Holds every reference that it is told, answers with the first word of the payload or with 0. */
static inline void holder(stage *w, int in, int out) {
    horus_block_ref ref;
    while (get(in, &ref, sizeof ref)) {
        horus_block *block = horus_pool_hold(w->pool, &ref, &error);
        uint64_t word = block == NULL ? 0 : *(uint64_t *)horus_block_data(block);
        put(out, &word, sizeof word);
    }
}

static inline uint64_t ask(peer *p, horus_block_ref ref) {
    uint64_t word;
    put(p->to, &ref, sizeof ref);
    CHECK(get(p->from, &word, sizeof word));
    return word;
}

#endif
