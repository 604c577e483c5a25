/* The pool without Python: order of recycling, holds across processes, reaping, exhaustion, bad references.
 * Other processes are forks that join anew, as the protocol demands of a fork. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../src/pool_internal.h"

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: not true: %s (pid %d)\n", __FILE__, __LINE__, #condition,                \
                    (int)getpid());                                                                          \
            exit(1);                                                                                         \
        }                                                                                                    \
    } while (0)

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
} world;

static horus_error error;

static void join(world *w, uint64_t budget) {
    w->member = horus_member_join(w->index_fd, w->ns, &error);
    CHECK(w->member != NULL);
    w->pool = horus_pool_open(w->member, budget, &error);
    CHECK(w->pool != NULL);
    w->ring = horus_ring_map(w->ring_fd, w->member, &error);
    CHECK(w->ring != NULL);
}

static world begin(const char *name, uint64_t budget) {
    world w;
    memset(&w, 0, sizeof w);
    snprintf(w.ns, sizeof w.ns, "ctest_pool_%s_%d", name, (int)getpid());
    w.index_fd = memfd_create("index", MFD_CLOEXEC);
    CHECK(ftruncate(w.index_fd, (off_t)horus_index_size()) == 0);
    void *index = mmap(NULL, horus_index_size(), PROT_READ | PROT_WRITE, MAP_SHARED, w.index_fd, 0);
    horus_index_format(index);
    munmap(index, horus_index_size());
    horus_ring_params params = {
        .kind = HORUS_DESCRIPTOR, .capacity = RING_SLOTS, .payload = 64, .meta = "{}", .meta_length = 2};
    w.ring_fd = memfd_create("ring", MFD_CLOEXEC);
    CHECK(ftruncate(w.ring_fd, (off_t)horus_ring_size(&params)) == 0);
    void *ring = mmap(NULL, horus_ring_size(&params), PROT_READ | PROT_WRITE, MAP_SHARED, w.ring_fd, 0);
    horus_ring_format(ring, &params);
    munmap(ring, horus_ring_size(&params));
    join(&w, budget);
    CHECK(horus_publisher_join(&w.pub, w.ring, "test", &error) == 0);
    return w;
}

static void unlink_all(world *w) {
    horus_ident self = horus_member_self(w->member);
    for (uint32_t id = 0; id < w->pool->next_chunk; id++)
        pool_chunk_unlink(w->pool, self, id);
}

static void end(world *w) {
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
static horus_block_ref send_frame(world *w, horus_block *block, uint64_t word) {
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

static horus_block *take(world *w) {
    horus_block *block = horus_pool_take(w->pool, FRAME, &error);
    if (block == NULL)
        fprintf(stderr, "%s\n", error.text);
    CHECK(block != NULL);
    return block;
}

static horus_pool_use usage(world *w) {
    horus_pool_use use;
    horus_pool_usage(w->pool, &use);
    return use;
}

/* ---- other processes ---- */

typedef struct {
    pid_t pid;
    int to, from;
} peer;

static peer spawn(world *w, void (*body)(world *, int in, int out)) {
    int down[2], up[2];
    CHECK(pipe(down) == 0 && pipe(up) == 0);
    fflush(NULL);
    peer p = {.pid = fork()};
    CHECK(p.pid >= 0);
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

static void put(int fd, const void *data, size_t length) {
    CHECK(write(fd, data, length) == (ssize_t)length);
}

static bool get(int fd, void *data, size_t length) {
    return read(fd, data, length) == (ssize_t)length;
}

static int finish(peer *p, int signal) {
    int status;
    if (signal != 0)
        kill(p->pid, signal);
    close(p->to);
    CHECK(waitpid(p->pid, &status, 0) == p->pid);
    close(p->from);
    return status;
}

/* Holds every reference that it is told, answers with the first word of the payload or with 0. */
static void holder(world *w, int in, int out) {
    horus_block_ref ref;
    while (get(in, &ref, sizeof ref)) {
        horus_block *block = horus_pool_hold(w->pool, &ref, &error);
        uint64_t word = block == NULL ? 0 : *(uint64_t *)horus_block_data(block);
        put(out, &word, sizeof word);
    }
}

static uint64_t ask(peer *p, horus_block_ref ref) {
    uint64_t word;
    put(p->to, &ref, sizeof ref);
    CHECK(get(p->from, &word, sizeof word));
    return word;
}

/* ---- tests ---- */

static void test_classes_waste_little(void) {
    for (uint64_t length = 1; length < 1ull << 38; length += 1 + length / 37) {
        uint64_t size = pool_class_size(pool_class_of(length));
        CHECK(size >= length && size % 64 == 0);
        CHECK(length <= 512 ? size - length < 64 : (size - length) * 8 <= size);
        CHECK(pool_class_of(size) == pool_class_of(length));
    }
}

static void test_small_payloads_need_little_memory(void) {
    world w = begin("small", ROOMY);
    horus_block *block = horus_pool_take(w.pool, 700, &error);
    CHECK(block != NULL && (uintptr_t)horus_block_data(block) % 64 == 0);
    CHECK(usage(&w).used_bytes <= 64 << 10);
    horus_block_release(block);
    end(&w);
}

static void test_never_sent_is_handed_out_again(void) {
    world w = begin("lifo", ROOMY);
    horus_block *a = take(&w), *b = take(&w);
    CHECK(a != b);
    uint64_t generation = horus_block_refer(a).generation;
    horus_block_release(b);
    horus_block_release(a);
    CHECK(horus_pool_try(w.pool, FRAME) == a);
    CHECK(horus_block_refer(a).generation == generation + 1);
    horus_block_retain(a);
    horus_block_release(a);
    CHECK(usage(&w).in_use == 1);
    horus_block_release(a);
    CHECK(usage(&w).in_use == 0);
    end(&w);
}

static void test_a_block_in_the_ring_is_not_reused(void) {
    world w = begin("ring", ROOMY);
    horus_block_ref sent[64];
    for (uint64_t n = 0; n < 64; n++) {
        sent[n] = send_frame(&w, take(&w), n + 1);
        for (uint64_t back = 0; back < RING_SLOTS && back <= n; back++) {
            horus_block *block = horus_pool_hold(w.pool, &sent[n - back], &error);
            CHECK(block != NULL && *(uint64_t *)horus_block_data(block) == n - back + 1);
            horus_block_release(block);
        }
    }
    horus_pool_use use = usage(&w);
    CHECK(use.blocks <= 2 * RING_SLOTS && use.in_use == 0);
    CHECK(horus_pool_hold(w.pool, &sent[0], &error) == NULL && error.code == ESTALE);
    end(&w);
}

static void test_without_budget_the_oldest_in_the_ring_goes_first(void) {
    world w = begin("oldest", 3 * (FRAME + 20000));
    horus_block_ref a = send_frame(&w, take(&w), 1), b = send_frame(&w, take(&w), 2);
    horus_block *third = take(&w);
    uint32_t blocks = usage(&w).blocks;
    CHECK(blocks == 3 || blocks == 2);
    if (blocks == 3)
        send_frame(&w, third, 3), third = take(&w);
    CHECK(horus_pool_hold(w.pool, &a, &error) == NULL && error.code == ESTALE);
    horus_block *still = horus_pool_hold(w.pool, &b, &error);
    CHECK(still != NULL && *(uint64_t *)horus_block_data(still) == 2);
    horus_block_release(still);
    horus_block_release(third);
    end(&w);
}

static void test_exhaustion_names_the_holder_and_death_returns_its_blocks(void) {
    world w = begin("reap", 4 * (FRAME + 20000));
    peer p = spawn(&w, holder);
    uint64_t word = 0;
    horus_block *block;
    while ((block = horus_pool_take(w.pool, FRAME, &error)) != NULL) {
        word++;
        CHECK(ask(&p, send_frame(&w, block, word)) == word);
    }
    CHECK(error.code == ENOBUFS && word >= 3);
    char holds[64];
    snprintf(holds, sizeof holds, "pid %d holds %" PRIu64, (int)p.pid, word);
    CHECK(strstr(error.text, holds) != NULL);
    CHECK(usage(&w).held == word);
    CHECK(WIFSIGNALED(finish(&p, SIGKILL)));
    block = take(&w);
    CHECK(usage(&w).held == 0);
    horus_block_release(block);
    end(&w);
}

static void test_a_held_block_keeps_its_payload(void) {
    world w = begin("held", ROOMY);
    peer p = spawn(&w, holder);
    horus_block_ref kept = send_frame(&w, take(&w), 77);
    CHECK(ask(&p, kept) == 77);
    for (uint64_t n = 0; n < 50; n++)
        send_frame(&w, take(&w), 1000 + n);
    horus_block *own = horus_pool_hold(w.pool, &kept, &error);
    CHECK(own != NULL && *(uint64_t *)horus_block_data(own) == 77);
    horus_block_release(own);
    CHECK(finish(&p, 0) == 0);
    end(&w);
}

static void test_a_newcomer_drops_the_holds_of_its_index(void) {
    world w = begin("newcomer", ROOMY);
    horus_block *a = horus_pool_take(w.pool, 700, &error), *b = horus_pool_take(w.pool, 700, &error);
    horus_block_ref first_ref = send_frame(&w, a, 5), second_ref = send_frame(&w, b, 6);
    CHECK(first_ref.chunk == second_ref.chunk);
    peer first = spawn(&w, holder);
    CHECK(ask(&first, first_ref) == 5 && usage(&w).held == 1);
    finish(&first, SIGKILL);
    CHECK(usage(&w).held == 1);
    peer second = spawn(&w, holder); /* takes the lowest free index, the dead one's */
    CHECK(ask(&second, second_ref) == 6);
    CHECK(usage(&w).held == 1);
    CHECK(finish(&second, 0) == 0);
    end(&w);
}

static void test_a_fork_cannot_touch_its_parents_blocks(void) {
    world w = begin("fork", ROOMY);
    horus_block *block = take(&w);
    *(uint64_t *)horus_block_data(block) = 42;
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(!horus_pool_usable(horus_block_pool(block)) && *(uint64_t *)horus_block_data(block) == 42);
        horus_block_retain(block);
        horus_block_release(block);
        horus_block_release(block);
        CHECK(horus_pool_take(w.pool, FRAME, &error) == NULL && error.code == EBADF);
        horus_block_ref ref = horus_block_refer(block);
        CHECK(horus_pool_hold(w.pool, &ref, &error) == NULL && error.code == EBADF);
        horus_pool_close(w.pool);
        _exit(0);
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    CHECK(usage(&w).in_use == 1 && take(&w) != block);
    end(&w);
}

static void test_other_sizes_give_way(void) {
    world w = begin("trim", 1 << 20);
    for (uint64_t n = 0; n < 40; n++)
        send_frame(&w, take(&w), n);
    for (uint64_t n = 0; n < 400; n++) {
        horus_block *block = horus_pool_take(w.pool, 2 * FRAME, &error);
        CHECK(block != NULL);
        send_frame(&w, block, n);
    }
    horus_pool_use use = usage(&w);
    CHECK(use.used_bytes <= use.budget_bytes);
    CHECK(w.pool->classes[pool_class_of(FRAME)].blocks <= 1 && use.blocks >= 4);
    end(&w);
}

static void test_forgotten_rings(void) {
    world w = begin("forget", ROOMY);
    horus_block_ref ref = send_frame(&w, take(&w), 9);
    horus_block *unsent = take(&w);
    horus_pool_forget(w.pool, w.ring);
    horus_block *kept = horus_pool_hold(w.pool, &ref, &error);
    CHECK(kept != NULL);
    horus_block_release(unsent);
    horus_block_release(kept);
    CHECK(horus_pool_try(w.pool, FRAME) == unsent); /* the forgotten one comes last */
    horus_block *last = take(&w);
    CHECK(last == kept);
    horus_block_release(last);
    horus_block_release(unsent);
    end(&w);
}

static void test_one_block_on_two_rings(void) {
    world w = begin("two", ROOMY), v = begin("two_b", ROOMY);
    horus_block *block = take(&w);
    uint64_t number;
    horus_block_ref ref = horus_block_refer(block);
    CHECK(horus_publisher_send(&v.pub, &ref, sizeof ref, HORUS_SPILLED, &number) == HORUS_STORED);
    horus_block_sent(block, v.ring, number);
    send_frame(&w, block, 1);
    for (uint64_t n = 0; n < 4 * RING_SLOTS; n++)
        send_frame(&w, take(&w), n);
    horus_block *kept = horus_pool_hold(w.pool, &ref, &error); /* still in v's ring */
    CHECK(kept == block);
    horus_block_release(kept);
    for (uint64_t n = 0; n < RING_SLOTS; n++)
        CHECK(horus_publisher_send(&v.pub, &ref, sizeof ref, HORUS_SPILLED, &number) == HORUS_STORED);
    for (uint64_t n = 0; n < 4 * RING_SLOTS; n++)
        send_frame(&w, take(&w), n);
    CHECK(horus_pool_hold(w.pool, &ref, &error) == NULL && error.code == ESTALE);
    horus_pool_forget(w.pool, v.ring);
    end(&w);
    end(&v);
}

static void test_bad_references_are_refused(void) {
    world w = begin("bad", ROOMY);
    peer p = spawn(&w, holder);
    horus_block_ref good = send_frame(&w, take(&w), 3), bad;
    CHECK(ask(&p, good) == 3);
    for (unsigned i = 0; i < 10000; i++) {
        bad = good;
        uint8_t *bytes = (uint8_t *)&bad;
        for (unsigned k = 0; k <= i % 3; k++)
            bytes[(unsigned)rand() % sizeof bad] = (uint8_t)rand();
        bool same = memcmp(&bad, &good, offsetof(horus_block_ref, reserved)) == 0;
        uint64_t word = ask(&p, bad);
        CHECK(same ? word == 3 : word == 0);
    }
    CHECK(finish(&p, 0) == 0);
    end(&w);
}

static void test_a_chunk_that_lies_is_refused(void) {
    world w = begin("lies", ROOMY);
    horus_block_ref ref = send_frame(&w, take(&w), 3);
    chunk_header *header = w.pool->own->chunks[ref.chunk]->header, saved = *header;
    for (unsigned field = 0; field < 6; field++) {
        *header = saved;
        uint64_t wild = 1ull << 40;
        field == 0   ? (header->magic = 1)
        : field == 1 ? (header->version = 99)
        : field == 2 ? (header->blocks = 1u << 30)
        : field == 3 ? (header->block_size = wild)
        : field == 4 ? (header->total_size = wild)
                     : (header->payload_offset = wild);
        peer p = spawn(&w, holder);
        CHECK(ask(&p, ref) == 0);
        CHECK(finish(&p, 0) == 0);
    }
    *header = saved;
    end(&w);
}

static void check_words(const horus_block *block, uint64_t word) {
    const uint64_t *data = horus_block_data(block);
    for (size_t i = 0; i < horus_block_length(block) / 8; i++)
        CHECK(data[i] == word);
}

static bool told_to_stop(int in) {
    struct pollfd look = {.fd = in, .events = POLLIN};
    return poll(&look, 1, 0) > 0;
}

/* Holds frames that are just being overwritten, some of them for a while, and looks at every word when it
 * gets them and again when it lets go. */
static void auditor(world *w, int in, int out) {
    enum { KEPT = 6, SEEN = 8 };
    horus_block *kept[KEPT] = {NULL};
    horus_block_ref seen[SEEN] = {{0}};
    uint64_t words[KEPT] = {0}, counts[2] = {0, 0}, buffer[16], done = 0;
    horus_subscriber sub;
    horus_info info;
    CHECK(horus_subscriber_join(&sub, w->ring, HORUS_FROM_NEXT) == 0);
    put(out, &done, sizeof done);
    unsigned seed = (unsigned)getpid();
    for (unsigned n = 0; n % 64 != 0 || !told_to_stop(in); n++) {
        if (horus_subscriber_recv(&sub, buffer, &info))
            memcpy(&seen[n % SEEN], buffer, sizeof *seen);
        horus_block_ref ref = seen[rand_r(&seed) % SEEN];
        horus_block *block = ref.writer == 0 ? NULL : horus_pool_hold(w->pool, &ref, &error);
        if (block == NULL) {
            CHECK(ref.writer == 0 || error.code == ESTALE);
            counts[1]++;
            continue;
        }
        counts[0]++;
        check_words(block, ref.reserved);
        unsigned at = (unsigned)rand_r(&seed) % KEPT;
        if (kept[at] != NULL) {
            check_words(kept[at], words[at]);
            horus_block_release(kept[at]);
        }
        kept[at] = block;
        words[at] = ref.reserved;
    }
    for (unsigned i = 0; i < KEPT; i++)
        if (kept[i] != NULL)
            horus_block_release(kept[i]);
    put(out, counts, sizeof counts);
    CHECK(get(in, buffer, 1) && get(in, buffer, 1)); /* what told us to stop, and what lets us go */
}

static void test_readers_never_see_another_frame(void) {
    world w = begin("stress", 64 << 10);
    peer readers[2] = {spawn(&w, auditor), spawn(&w, auditor)};
    uint64_t ready, none = 0, sent = 0;
    for (unsigned i = 0; i < 2; i++)
        CHECK(get(readers[i].from, &ready, sizeof ready));
    uint64_t until = horus_now_ns() + 700000000u;
    while (horus_now_ns() < until) {
        horus_block *block = horus_pool_take(w.pool, 640, &error);
        if (block == NULL) {
            none++;
            continue;
        }
        send_frame(&w, block, ++sent);
    }
    uint64_t counts[2][2];
    for (unsigned i = 0; i < 2; i++) {
        put(readers[i].to, &ready, 1);
        CHECK(get(readers[i].from, counts[i], sizeof counts[i]));
        CHECK(counts[i][0] > 0);
    }
    CHECK(usage(&w).held == 0);
    for (unsigned i = 0; i < 2; i++) {
        put(readers[i].to, &ready, 1);
        CHECK(finish(&readers[i], 0) == 0);
    }
    printf("  stress: %" PRIu64 " frames sent, held %" PRIu64 " and %" PRIu64 ", stale %" PRIu64
           " and %" PRIu64 ", no block %" PRIu64 " times\n",
           sent, counts[0][0], counts[1][0], counts[0][1], counts[1][1], none);
    end(&w);
}

static void test_quota(void) {
    world w = begin("quota", 16 * (FRAME + 20000));
    world reader = w; /* a second member of this process stands for another one */
    join(&reader, ROOMY);
    horus_block *held[16];
    unsigned count = 0, over = 0;
    while (count < 14) {
        horus_block_ref ref = send_frame(&w, take(&w), count);
        held[count] = horus_pool_hold(reader.pool, &ref, &error);
        CHECK(held[count] != NULL);
        over += horus_block_over_quota(held[count++]);
    }
    CHECK(over >= 4 && over <= 8);
    while (count > 0)
        horus_block_release(held[--count]);
    CHECK(usage(&w).held == 0);
    horus_pool_close(reader.pool);
    horus_ring_unmap(reader.ring);
    horus_member_leave(reader.member);
    end(&w);
}

static void measure(void) {
    world w = begin("speed", ROOMY);
    enum { ROUNDS = 200000 };
    horus_block *warm[8];
    for (unsigned i = 0; i < 8; i++)
        warm[i] = horus_pool_take(w.pool, 700, &error);
    for (unsigned i = 0; i < 8; i++)
        horus_block_release(warm[i]);
    uint64_t start = horus_now_ns();
    for (unsigned i = 0; i < ROUNDS; i++)
        horus_block_release(horus_pool_take(w.pool, 700, &error));
    uint64_t unsent = horus_now_ns() - start;
    start = horus_now_ns();
    for (unsigned i = 0; i < ROUNDS; i++) {
        horus_block *block = horus_pool_take(w.pool, 700, &error);
        horus_block_ref ref = horus_block_refer(block);
        uint64_t number;
        horus_publisher_send(&w.pub, &ref, sizeof ref, HORUS_SPILLED, &number);
        horus_block_sent(block, w.ring, number);
        horus_block_release(block);
    }
    uint64_t sent = horus_now_ns() - start;
    world reader = w;
    join(&reader, ROOMY);
    horus_block *block = horus_pool_take(w.pool, 700, &error);
    horus_block_ref ref = horus_block_refer(block);
    horus_block_release(horus_pool_hold(reader.pool, &ref, &error));
    start = horus_now_ns();
    for (unsigned i = 0; i < ROUNDS; i++)
        horus_block_release(horus_pool_hold(reader.pool, &ref, &error));
    uint64_t hold = horus_now_ns() - start;
    printf("  take+release %.1f ns, take+send+sent+release %.1f ns, foreign hold+release %.1f ns\n",
           (double)unsent / ROUNDS, (double)sent / ROUNDS, (double)hold / ROUNDS);
    horus_block_release(block);
    horus_pool_close(reader.pool);
    horus_ring_unmap(reader.ring);
    horus_member_leave(reader.member);
    end(&w);
}

int main(int argc, char **argv) {
    alarm(60);
    test_classes_waste_little();
    test_small_payloads_need_little_memory();
    test_never_sent_is_handed_out_again();
    test_a_block_in_the_ring_is_not_reused();
    test_without_budget_the_oldest_in_the_ring_goes_first();
    test_exhaustion_names_the_holder_and_death_returns_its_blocks();
    test_a_held_block_keeps_its_payload();
    test_a_newcomer_drops_the_holds_of_its_index();
    test_a_fork_cannot_touch_its_parents_blocks();
    test_other_sizes_give_way();
    test_forgotten_rings();
    test_one_block_on_two_rings();
    test_bad_references_are_refused();
    test_a_chunk_that_lies_is_refused();
    test_quota();
    test_readers_never_see_another_frame();
    if (argc > 1 && strcmp(argv[1], "--measure") == 0)
        measure();
    printf("pool: ok\n");
    return 0;
}
