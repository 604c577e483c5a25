/* The pool between processes: holds, death, forks, bad references; and frames that are just being
 * overwritten. */
#define _GNU_SOURCE
#include <poll.h>

#include "pool_stage.h"

static void test_exhaustion_names_the_holder_and_death_returns_its_blocks(void) {
    stage w = begin("reap", 4 * (FRAME + 20000));
    peer p = start(&w, holder);
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
    stage w = begin("held", ROOMY);
    peer p = start(&w, holder);
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
    stage w = begin("newcomer", ROOMY);
    horus_block *a = horus_pool_take(w.pool, 700, &error), *b = horus_pool_take(w.pool, 700, &error);
    horus_block_ref first_ref = send_frame(&w, a, 5), second_ref = send_frame(&w, b, 6);
    CHECK(first_ref.chunk == second_ref.chunk);
    peer first = start(&w, holder);
    CHECK(ask(&first, first_ref) == 5 && usage(&w).held == 1);
    finish(&first, SIGKILL);
    CHECK(usage(&w).held == 1);
    peer second = start(&w, holder); /* takes the lowest free index, the dead one's */
    CHECK(ask(&second, (horus_block_ref){0}) == 0 && usage(&w).held == 0); /* it need not read for that */
    CHECK(ask(&second, second_ref) == 6);
    CHECK(usage(&w).held == 1);
    CHECK(finish(&second, 0) == 0);
    end(&w);
}

static void test_a_fork_cannot_touch_its_parents_blocks(void) {
    stage w = begin("fork", ROOMY);
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

static void test_bad_references_are_refused(void) {
    stage w = begin("bad", ROOMY);
    peer p = start(&w, holder);
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
    stage w = begin("lies", ROOMY);
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
        peer p = start(&w, holder);
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
static void auditor(stage *w, int in, int out) {
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
    stage w = begin("stress", 64 << 10);
    peer readers[2] = {start(&w, auditor), start(&w, auditor)};
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

static void test_a_removed_file_is_replaced(void) {
    stage w = begin("removed", ROOMY);
    horus_block *kept = take(&w); /* its chunk cannot be unmapped with the others */
    horus_block_ref ref = {0};
    unlink_all(&w);
    for (uint64_t n = 1; n <= 200; n++)
        ref = send_frame(&w, take(&w), n);
    peer p = start(&w, holder);
    CHECK(ask(&p, ref) == 200);
    CHECK(finish(&p, 0) == 0);
    memset(horus_block_data(kept), 1, FRAME);
    horus_block_release(kept);
    end(&w);
}

/* Answers each word with a reference to a block that begins with it. */
static void giver(stage *w, int in, int out) {
    uint64_t word;
    while (get(in, &word, sizeof word)) {
        horus_block *block = take(w);
        *(uint64_t *)horus_block_data(block) = word;
        horus_block_ref ref = horus_block_refer(block);
        put(out, &ref, sizeof ref);
    }
}

static horus_block *given(stage *w, peer *p, uint64_t word) {
    horus_block_ref ref;
    put(p->to, &word, sizeof word);
    CHECK(get(p->from, &ref, sizeof ref));
    horus_block *block = horus_pool_hold(w->pool, &ref, &error);
    CHECK(block != NULL && *(uint64_t *)horus_block_data(block) == word);
    pool_chunk_unlink(w->pool, ref.writer, ref.chunk); /* what is mapped stays */
    return block;
}

static void test_what_dead_writers_left_is_unmapped_unless_it_is_held(void) {
    stage w = begin("dead", ROOMY);
    peer kept = start(&w, giver), gone = start(&w, giver), lives = start(&w, giver);
    horus_block *held = given(&w, &kept, 7);
    horus_block_release(given(&w, &gone, 8));
    horus_block_release(given(&w, &lives, 9));
    horus_pool_unmap_dead(w.pool);
    CHECK(usage(&w).foreign_arenas == 3);
    finish(&kept, SIGKILL);
    finish(&gone, SIGKILL);
    horus_pool_unmap_dead(w.pool);
    CHECK(usage(&w).foreign_arenas == 2 && *(uint64_t *)horus_block_data(held) == 7);
    horus_block_release(held);
    horus_pool_unmap_dead(w.pool);
    CHECK(usage(&w).foreign_arenas == 1);
    CHECK(finish(&lives, 0) == 0);
    end(&w);
}

static void test_quota(void) {
    stage w = begin("quota", 16 * (FRAME + 20000));
    stage reader = w; /* a second member of this process stands for another one */
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
    stage w = begin("speed", ROOMY);
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
    stage reader = w;
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
    if (argc > 1 && strcmp(argv[1], "--measure") == 0) {
        measure();
        return 0;
    }
    const test_case tests[] = {
        TEST(test_exhaustion_names_the_holder_and_death_returns_its_blocks),
        TEST(test_a_held_block_keeps_its_payload),
        TEST(test_a_newcomer_drops_the_holds_of_its_index),
        TEST(test_a_fork_cannot_touch_its_parents_blocks),
        TEST(test_bad_references_are_refused),
        TEST(test_a_chunk_that_lies_is_refused),
        TEST(test_readers_never_see_another_frame),
        TEST(test_a_removed_file_is_replaced),
        TEST(test_what_dead_writers_left_is_unmapped_unless_it_is_held),
        TEST(test_quota),
    };
    return RUN_ALL(tests);
}
