/* The writer's side: a block for a new payload, in the order of docs/protocol.md, "Which block next". */
#include <errno.h>
#include <inttypes.h>

#include "pool_internal.h"

/* Takes ago that a chunk of another size was last useful, before it makes room for a new one. */
#define IDLE_TAKES 64

/* Every so many takes the chunk's file is looked for: a microsecond. */
#define LOOK_EVERY 64

static bool ready(horus_pool *pool, uint64_t length, horus_error *error) {
    if (!pool_of_this_process(pool) || pool->closed) {
        horus_error_set(error, EBADF,
                        "This pool belongs to a process that forked, or is closed. Open another.");
        return false;
    }
    if (length > 1ull << 40) {
        horus_error_set(error, EINVAL, "A payload of %" PRIu64 " bytes is too large: at most 1 TiB.", length);
        return false;
    }
    return true;
}

static horus_block *hand_out(horus_pool *pool, horus_block *block, uint64_t length) {
    block->length = length;
    STEP(hand_out__length);
    horus_store_relaxed(&block->meta->length, length); /* published by the ring, with the reference */
    block->views = 1;
    block->chunk->in_use++;
    pool->live++;
    return block;
}

/* Whether the block is in a chunk that nobody can open any more; it is then out of use, like all such. */
static bool lost(horus_pool *pool, horus_block *block) {
    if (HORUS_LIKELY(pool->takes % LOOK_EVERY != 0) || pool_chunk_linked(pool, block->chunk->id))
        return false;
    pool_put_back(pool, block);
    pool_drop_lost(pool);
    return true;
}

/* How many blocks a growth at the budget's end makes room for, at the cost of other sizes. */
static uint32_t fair_growth(const horus_pool *pool, unsigned size_class) {
    uint64_t block_size = pool_class_size(size_class);
    uint32_t blocks = pool_growth(pool->classes[size_class].blocks, block_size);
    while (blocks > 1 && pool_chunk_size(block_size, blocks) > pool->budget / 4)
        blocks /= 2;
    return blocks;
}

static bool make_room(horus_pool *pool, unsigned size_class, uint32_t blocks, uint64_t idle_takes,
                      bool unread, horus_error *error) {
    size_t chunk = pool_chunk_size(pool_class_size(size_class), blocks);
    return pool_trim(pool, chunk, idle_takes, unread) && pool_grow(pool, size_class, error);
}

/* Grows by as much as usual, if chunks of other sizes that nobody needs can give it: what is left of the
 * budget, and the room of one chunk after the other, would make ever smaller chunks, and ever more of them.
 */
static bool grow(horus_pool *pool, unsigned size_class, horus_error *error) {
    return make_room(pool, size_class, fair_growth(pool, size_class), IDLE_TAKES, false, error) ||
           pool_grow(pool, size_class, error);
}

static horus_block *find_slowly(horus_pool *pool, unsigned size_class, horus_error *error) {
    pool_class *cls = &pool->classes[size_class];
    horus_block *block = pool_reuse_any_gone(pool, cls);
    if (block == NULL && !pool_list_empty(&cls->held)) {
        pool_reap(pool, cls);
        block = pool_reuse_any_gone(pool, cls);
    }
    if (block == NULL && grow(pool, size_class, error))
        block = pool_reuse_gone(pool, cls);
    if (block == NULL)
        block = pool_reuse_oldest(pool, cls);
    if (block == NULL &&
        !pool_list_empty(&cls->held)) { /* held ones were found among those still in a ring */
        pool_reap(pool, cls);
        block = pool_reuse_any_gone(pool, cls);
        if (block == NULL)
            block = pool_reuse_oldest(pool, cls);
    }
    if (block == NULL &&
        (make_room(pool, size_class, 1, 0, false, error) || make_room(pool, size_class, 1, 0, true, error)))
        block = pool_reuse_gone(pool, cls);
    return block;
}

horus_block *horus_pool_try(horus_pool *pool, uint64_t length) {
    if (!ready(pool, length, NULL))
        return NULL;
    pthread_mutex_lock(&pool->mutex);
    pool->takes++;
    horus_block *block = pool_reuse_gone(pool, &pool->classes[pool_class_of(length)]);
    if (block != NULL && lost(pool, block))
        block = NULL;
    if (block != NULL)
        hand_out(pool, block, length);
    pthread_mutex_unlock(&pool->mutex);
    return block;
}

horus_block *horus_pool_take(horus_pool *pool, uint64_t length, horus_error *error) {
    horus_error ignored;
    error = error == NULL ? &ignored : error;
    if (!ready(pool, length, error))
        return NULL;
    unsigned size_class = pool_class_of(length);
    pthread_mutex_lock(&pool->mutex);
    pool->takes++;
    horus_block *block = pool_reuse_gone(pool, &pool->classes[size_class]);
    if (block != NULL && lost(pool, block))
        block = NULL;
    if (block == NULL) {
        error->code = 0;
        if (pool->budget == 0)
            pool->budget = pool_default_budget(pool);
        block = find_slowly(pool, size_class, error);
    }
    if (block != NULL)
        hand_out(pool, block, length);
    else {
        pool_describe_exhaustion(pool, length, error);
        pool->refusal = *error;
    }
    pthread_mutex_unlock(&pool->mutex);
    return block;
}
