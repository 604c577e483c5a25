/* The pool in one process: sizes, which block next, what happens when there is none. */
#define _GNU_SOURCE
#include "pool_stage.h"

static void test_classes_waste_little(void) {
    for (uint64_t length = 1; length < 1ull << 38; length += 1 + length / 37) {
        uint64_t size = pool_class_size(pool_class_of(length));
        CHECK(size >= length && size % 64 == 0);
        CHECK(length <= 512 ? size - length < 64 : (size - length) * 8 <= size);
        CHECK(pool_class_of(size) == pool_class_of(length));
    }
}

static void test_small_payloads_need_little_memory(void) {
    stage w = begin("small", ROOMY);
    horus_block *block = horus_pool_take(w.pool, 700, &error);
    CHECK(block != NULL && (uintptr_t)horus_block_data(block) % 64 == 0);
    CHECK(usage(&w).used_bytes <= 64 << 10);
    horus_block_release(block);
    end(&w);
}

static void test_never_sent_is_handed_out_again(void) {
    stage w = begin("lifo", ROOMY);
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
    stage w = begin("ring", ROOMY);
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
    stage w = begin("oldest", 3 * (FRAME + 20000));
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

static void test_other_sizes_give_way(void) {
    stage w = begin("trim", 1 << 20);
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
    stage w = begin("forget", ROOMY);
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
    stage w = begin("two", ROOMY), v = begin("two_b", ROOMY);
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

int main(void) {
    const test_case tests[] = {
        TEST(test_classes_waste_little),
        TEST(test_small_payloads_need_little_memory),
        TEST(test_never_sent_is_handed_out_again),
        TEST(test_a_block_in_the_ring_is_not_reused),
        TEST(test_without_budget_the_oldest_in_the_ring_goes_first),
        TEST(test_other_sizes_give_way),
        TEST(test_forgotten_rings),
        TEST(test_one_block_on_two_rings),
    };
    return RUN_ALL(tests);
}
