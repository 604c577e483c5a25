/* Holds of the dead are returned; holds of the living are named. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pool_internal.h"

#define NAMED_HOLDERS 6

/* seq_cst: in claim_block() this is the second look, after the generation was raised. */
bool pool_held(const block_meta *meta) {
    uint64_t any = 0;
    for (unsigned i = 0; i < POOL_HOLD_WORDS; i++)
        any |= horus_load_seq_cst(&meta->holds[i]);
    return any != 0;
}

static void clear_holds(pool_arena *arena, unsigned index) {
    uint64_t bit = 1ull << (index % 64);
    for (uint32_t i = 0; i < arena->capacity; i++) {
        pool_chunk *chunk = arena->chunks[i];
        for (uint32_t b = 0; chunk != NULL && b < chunk->blocks; b++) {
            uint64_t *word = &chunk->block[b].meta->holds[index / 64];
            if (horus_load_relaxed(word) & bit) {
                STEP(clear_holds__clear);
                __atomic_fetch_and(word, ~bit, __ATOMIC_RELEASE);
            }
        }
    }
}

/* Returns the holds of dead processes. To clear the bit of an index one must own the index: merely seeing
 * that its process is dead would let a new process take it, hold a block, and lose that hold to us. */
void pool_reap(horus_pool *pool, pool_class *cls) {
    uint64_t holders[POOL_HOLD_WORDS] = {0};
    for (pool_link *link = cls->held.next; link != &cls->held; link = link->next)
        for (unsigned i = 0; i < POOL_HOLD_WORDS; i++)
            holders[i] |= horus_load_relaxed(&((horus_block *)link)->meta->holds[i]);
    for (unsigned index = 0; index < HORUS_MAX_PROCESSES; index++) {
        if (!(holders[index / 64] >> (index % 64) & 1) || index == horus_ident_index(pool->self))
            continue;
        if (horus_member_lock_index(pool->member, index)) {
            clear_holds(pool->own, index);
            horus_member_unlock_index(pool->member, index);
        }
    }
}

typedef struct {
    uint32_t blocks, ours;
    uint32_t by_index[HORUS_MAX_PROCESSES];
} census;

static void count_holders(const horus_pool *pool, unsigned size_class, census *count) {
    memset(count, 0, sizeof *count);
    for (uint32_t i = 0; i < pool->own->capacity; i++) {
        const pool_chunk *chunk = pool->own->chunks[i];
        if (chunk == NULL || chunk->size_class != size_class)
            continue;
        for (uint32_t b = 0; b < chunk->blocks; b++) {
            const horus_block *block = &chunk->block[b];
            count->blocks++;
            count->ours += block->views > 0;
            for (unsigned i = 0; i < POOL_HOLD_WORDS; i++)
                for (uint64_t bits = horus_load_relaxed(&block->meta->holds[i]); bits != 0; bits &= bits - 1)
                    count->by_index[i * 64 + (unsigned)__builtin_ctzll(bits)]++;
        }
    }
}

static size_t name_holder(char *text, size_t room, uint32_t pid, uint32_t blocks) {
    int length = snprintf(text, room, ", pid %u holds %u", pid, blocks);
    return length < 0 || (size_t)length >= room ? 0 : (size_t)length;
}

/* Keeps the reason of a growth that failed in the system (a full /dev/shm), where there is one. */
void pool_describe_exhaustion(horus_pool *pool, uint64_t length, horus_error *error) {
    unsigned size_class = pool_class_of(length);
    census count;
    count_holders(pool, size_class, &count);
    if (count.blocks == 0 && error->code != 0)
        return;
    char holders[256] = "";
    size_t used = 0;
    if (count.ours > 0)
        used += name_holder(holders, sizeof holders, (uint32_t)getpid(), count.ours);
    for (unsigned q = 0, named = 0; q < HORUS_MAX_PROCESSES && named < NAMED_HOLDERS; q++)
        if (count.by_index[q] > 0) {
            uint32_t pid = horus_member_pid(pool->member, horus_member_at(pool->member, q));
            used += name_holder(holders + used, sizeof holders - used, pid, count.by_index[q]);
            named++;
        }
    if (length > pool->budget) {
        horus_error_set(error, ENOBUFS,
                        "No pool block for %" PRIu64
                        " bytes: expected at most the budget of %.1f MiB, got %.1f MiB "
                        "(pid=%d). Enlarge /dev/shm, half of whose free space is the budget (in a container: "
                        "--shm-size=1g), or raise HORUS_POOL_BUDGET (MiB) where that is set.",
                        length, (double)pool->budget / (1 << 20), (double)length / (1 << 20), (int)getpid());
        return;
    }
    double budget = (double)pool->budget / (1 << 20), in_use = (double)pool->used / (1 << 20);
    horus_error_set(
        error, ENOBUFS,
        "No pool block for %" PRIu64 " bytes: expected a free one, got %u blocks of that size%s "
        "(pid=%d, %.1f of %.1f MiB used). Let go of images sooner or copy() those you keep, or raise "
        "HORUS_POOL_BUDGET (MiB).",
        length, count.blocks, holders, (int)getpid(), in_use, budget);
}
