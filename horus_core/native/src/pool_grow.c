/* More memory for a size class, within the budget: new chunks, and idle chunks of other classes given up. */
#include <errno.h>

#include "pool_internal.h"

static uint32_t affordable(const horus_pool *pool, uint64_t block_size, uint32_t wanted) {
    uint64_t left = pool->used < pool->budget ? pool->budget - pool->used : 0;
    while (wanted > 0 && pool_chunk_size(block_size, wanted) > left)
        wanted /= 2;
    return wanted;
}

static void adopt(horus_pool *pool, pool_class *cls, pool_chunk *chunk) {
    for (uint32_t i = chunk->blocks; i-- > 0;)
        pool_link_after(&cls->free, &chunk->block[i].link);
    chunk->last_take = pool->takes;
    cls->blocks += chunk->blocks;
}

/* Makes one chunk. The mutex is open meanwhile, for that may take milliseconds. */
static bool add_chunk(horus_pool *pool, unsigned size_class, uint32_t blocks, horus_error *error) {
    size_t size = pool_chunk_size(pool_class_size(size_class), blocks);
    pool->used += size;
    uint32_t id;
    pool_chunk *chunk;
    do {
        id = pool->next_chunk++;
        error->code = 0;
        pthread_mutex_unlock(&pool->mutex);
        chunk = pool_chunk_create(pool, id, size_class, blocks, error);
        pthread_mutex_lock(&pool->mutex);
    } while (chunk == NULL && error->code == EEXIST && pool->next_chunk < POOL_CHUNKS_MAX);
    if (chunk != NULL && pool_arena_add(pool->own, chunk) < 0) {
        horus_error_set(error, ENOMEM, "Out of memory for the table of a pool's chunks.");
        pool_chunk_unlink(pool, pool->self, id);
        pool_chunk_unmap(chunk);
        chunk = NULL;
    }
    if (chunk == NULL) {
        pool->used -= size;
        return false;
    }
    adopt(pool, &pool->classes[size_class], chunk);
    return true;
}

bool pool_grow(horus_pool *pool, unsigned size_class, horus_error *error) {
    uint64_t block_size = pool_class_size(size_class);
    if (pool->next_chunk >= POOL_CHUNKS_MAX) {
        horus_error_set(error, ENOSPC, "The pool is worn out after %u chunks. Restart this process.",
                        POOL_CHUNKS_MAX);
        return false;
    }
    uint32_t blocks = affordable(pool, block_size, pool_growth(pool->classes[size_class].blocks, block_size));
    if (blocks == 0)
        return false;
    if (add_chunk(pool, size_class, blocks, error))
        return true;
    return blocks > 1 && error->code == ENOSPC && add_chunk(pool, size_class, 1, error);
}

/* Whether nobody uses the chunk; `unread`: even if it has frames that are still in a ring. */
static bool chunk_idle(const pool_chunk *chunk, bool unread) {
    if (chunk->in_use > 0)
        return false;
    for (uint32_t i = 0; i < chunk->blocks; i++)
        if (pool_held(chunk->block[i].meta) || (!unread && pool_block_unread(&chunk->block[i])))
            return false;
    return true;
}

/* Who has it mapped keeps its frames; they are not written again. */
static void give_up(horus_pool *pool, pool_chunk *chunk) {
    for (uint32_t i = 0; i < chunk->blocks; i++)
        pool_unlink(&chunk->block[i].link);
    horus_store_relaxed(&chunk->header->retired, 1u);
    pool->classes[chunk->size_class].blocks -= chunk->blocks;
    pool->used -= chunk->size;
    pool->own->chunks[chunk->id] = NULL;
    pool_chunk_unlink(pool, pool->self, chunk->id);
    pool_chunk_unmap(chunk);
}

/* Puts the chunks whose files were removed out of use; views of their blocks stay good until released. */
void pool_drop_lost(horus_pool *pool) {
    for (uint32_t i = 0; i < pool->own->capacity; i++) {
        pool_chunk *chunk = pool->own->chunks[i];
        if (chunk == NULL || pool_chunk_linked(pool, chunk->id))
            continue;
        if (chunk->in_use == 0) {
            give_up(pool, chunk);
            continue;
        }
        for (uint32_t b = 0; b < chunk->blocks; b++)
            pool_unlink(&chunk->block[b].link);
        chunk->lost = true;
        horus_store_relaxed(&chunk->header->retired, 1u);
        pool->classes[chunk->size_class].blocks -= chunk->blocks;
        pool->used -= chunk->size;
        pool->own->chunks[i] = NULL;
    }
}

static pool_chunk *longest_idle(horus_pool *pool, uint64_t idle_takes, bool unread) {
    pool_chunk *found = NULL;
    for (uint32_t i = 0; i < pool->own->capacity; i++) {
        pool_chunk *chunk = pool->own->chunks[i];
        if (chunk != NULL && pool->takes - chunk->last_take >= idle_takes &&
            (found == NULL || chunk->last_take < found->last_take) && chunk_idle(chunk, unread))
            found = chunk;
    }
    return found;
}

/* Gives up chunks that nobody uses and from which nothing was taken for `idle_takes` takes, until `needed`
 * bytes fit the budget. A camera that changes its resolution gets its memory back this way. `unread`: also
 * what is still in a ring, as the last resort before there is no block at all. */
bool pool_trim(horus_pool *pool, uint64_t needed, uint64_t idle_takes, bool unread) {
    if (needed > pool->budget)
        return false;
    while (pool->used + needed > pool->budget) {
        pool_chunk *chunk = longest_idle(pool, idle_takes, unread);
        if (chunk == NULL)
            return false;
        give_up(pool, chunk);
    }
    return true;
}
