/* The reader's side: a hold on a referenced block, which is one bit of this process in the block. */
#include <errno.h>
#include <inttypes.h>

#include "pool_internal.h"

/* Holds that no quota refuses: what a node that compares two images needs. */
#define QUOTA_FREE_BLOCKS 2

static pool_arena *find_arena(const horus_pool *pool, horus_ident writer) {
    pool_arena *arena = pool->arenas[horus_ident_index(writer)];
    while (arena != NULL && arena->writer != writer)
        arena = arena->next;
    return arena;
}

static pool_chunk *find_chunk(const pool_arena *arena, uint32_t id) {
    return arena != NULL && id < arena->capacity ? arena->chunks[id] : NULL;
}

static void unmap_retired(pool_arena *arena) {
    for (uint32_t i = 0; i < arena->capacity; i++) {
        pool_chunk *chunk = arena->chunks[i];
        if (chunk != NULL && chunk->in_use == 0 && horus_load_relaxed(&chunk->header->retired)) {
            arena->chunks[i] = NULL;
            pool_chunk_unmap(chunk);
        }
    }
}

/* Takes the arenas of dead writers in which nothing is held out of the pool. */
static pool_arena *take_dead(horus_pool *pool) {
    pool_arena *dead = NULL;
    for (unsigned i = 0; i < HORUS_MAX_PROCESSES; i++)
        for (pool_arena **at = &pool->arenas[i]; *at != NULL;) {
            pool_arena *arena = *at;
            if (arena == pool->own || arena->held_blocks > 0 ||
                horus_member_alive(pool->member, arena->writer)) {
                at = &arena->next;
                continue;
            }
            *at = arena->next;
            arena->next = dead;
            dead = arena;
        }
    return dead;
}

void horus_pool_unmap_dead(horus_pool *pool) {
    if (!pool_of_this_process(pool))
        return;
    pthread_mutex_lock(&pool->mutex);
    pool_arena *dead = take_dead(pool);
    pthread_mutex_unlock(&pool->mutex);
    while (dead != NULL) { /* with the mutex open, for that takes long */
        pool_arena *next = dead->next;
        pool_arena_free(dead);
        dead = next;
    }
}

/* Maps a chunk with the mutex open, for that takes long; another thread may have been faster. */
static pool_chunk *map_chunk(horus_pool *pool, const horus_block_ref *ref, horus_error *error) {
    bool newcomer = find_arena(pool, ref->writer) == NULL;
    pthread_mutex_unlock(&pool->mutex);
    if (newcomer)
        horus_pool_unmap_dead(pool); /* writers come and go */
    pool_chunk *fresh = pool_chunk_map(pool, ref->writer, ref->chunk, error);
    pthread_mutex_lock(&pool->mutex);
    if (fresh == NULL)
        return NULL;
    pool_arena *arena = find_arena(pool, ref->writer);
    pool_chunk *chunk = find_chunk(arena, ref->chunk);
    if (chunk == NULL) {
        if (arena == NULL)
            arena = pool_arena_new(pool, ref->writer);
        else
            unmap_retired(arena);
        if (arena != NULL && pool_arena_add(arena, fresh) == 0)
            return fresh;
        horus_error_set(error, ENOMEM, "Out of memory for the table of a pool's chunks.");
    }
    pool_chunk_unmap(fresh);
    return chunk;
}

static horus_block *stale(horus_error *error) {
    if (error != NULL)
        error->code = ESTALE; /* frequent: the text is left to who wants one */
    return NULL;
}

static bool take_bit(const horus_pool *pool, horus_block *block, uint64_t generation) {
    block_meta *meta = block->meta;
    STEP(take_bit__filter);
    if (horus_load_relaxed(&meta->generation) != generation) /* filter only */
        return false;
    uint64_t *word = &meta->holds[pool->hold_word];
    STEP(take_bit__set);
    __atomic_fetch_or(word, pool->hold_bit, __ATOMIC_SEQ_CST);
    STEP(take_bit__look_again);
    if (horus_load_seq_cst(&meta->generation) == generation) /* crosses claim_block() in pool_recycle.c */
        return true;
    STEP(take_bit__undo);
    __atomic_fetch_and(word, ~pool->hold_bit, __ATOMIC_RELEASE);
    return false;
}

static void drop_bit(const horus_pool *pool, horus_block *block) {
    STEP(drop_bit__clear);
    /* release: my last read of the payload comes before the writer's first new write to it */
    __atomic_fetch_and(&block->meta->holds[pool->hold_word], ~pool->hold_bit, __ATOMIC_RELEASE);
}

static horus_block *hold_foreign(horus_pool *pool, horus_block *block, const horus_block_ref *ref,
                                 horus_error *error) {
    if (!take_bit(pool, block, ref->generation))
        return stale(error);
    STEP(hold_foreign__load_length);
    uint64_t length = horus_load_relaxed(&block->meta->length);
    if (length != ref->length) {
        drop_bit(pool, block);
        horus_error_set(error, EINVAL,
                        "Cannot trust a pool reference: it says %" PRIu64 " bytes, its block %" PRIu64
                        " (writer index %u).",
                        ref->length, length, horus_ident_index(ref->writer));
        return NULL;
    }
    block->generation = ref->generation;
    block->length = ref->length;
    block->chunk->arena->held_blocks++;
    block->chunk->arena->held_bytes += block->chunk->block_size;
    return block;
}

static horus_block *hold_in(horus_pool *pool, pool_chunk *chunk, const horus_block_ref *ref,
                            horus_error *error) {
    if (ref->block >= chunk->blocks || ref->length > chunk->block_size) {
        horus_error_set(error, EINVAL,
                        "Cannot trust a pool reference: expected a block below %u and at most %" PRIu64
                        " bytes, got block %u with %" PRIu64 " bytes (writer index %u).",
                        chunk->blocks, chunk->block_size, ref->block, ref->length,
                        horus_ident_index(ref->writer));
        return NULL;
    }
    horus_block *block = &chunk->block[ref->block];
    bool own = chunk->arena == pool->own;
    if (own || block->views > 0) {
        if (block->generation != ref->generation || block->length != ref->length)
            return stale(error);
        if (own && block->views == 0)
            pool_unlink(&block->link);
    } else if (hold_foreign(pool, block, ref, error) == NULL) {
        return NULL;
    }
    if (block->views++ == 0) {
        chunk->in_use++;
        pool->live++;
    }
    return block;
}

horus_block *horus_pool_hold(horus_pool *pool, const horus_block_ref *ref, horus_error *error) {
    if (!pool_of_this_process(pool) || pool->closed) {
        horus_error_set(error, EBADF,
                        "This pool belongs to a process that forked, or is closed. Open another.");
        return NULL;
    }
    if (horus_ident_index(ref->writer) >= HORUS_MAX_PROCESSES || ref->writer == 0 ||
        ref->chunk >= POOL_CHUNKS_MAX || ref->generation == 0) {
        horus_error_set(error, EINVAL,
                        "Cannot trust a pool reference: writer index %u, chunk %u, generation %" PRIu64 ".",
                        horus_ident_index(ref->writer), ref->chunk, ref->generation);
        return NULL;
    }
    pthread_mutex_lock(&pool->mutex);
    pool_chunk *chunk = find_chunk(find_arena(pool, ref->writer), ref->chunk);
    horus_block *block = NULL;
    if (chunk == NULL && ref->writer == pool->self)
        stale(error); /* one of ours that was given up */
    else if (chunk != NULL || (chunk = map_chunk(pool, ref, error)) != NULL)
        block = hold_in(pool, chunk, ref, error);
    pthread_mutex_unlock(&pool->mutex);
    return block;
}

bool horus_block_over_quota(const horus_block *block) {
    const pool_arena *arena = block->chunk->arena;
    return horus_load_relaxed(&arena->held_blocks) > QUOTA_FREE_BLOCKS &&
           horus_load_relaxed(&arena->held_bytes) > block->chunk->quota_bytes;
}

/* The last view of a foreign block is gone. */
void pool_let_go(horus_pool *pool, horus_block *block) {
    drop_bit(pool, block);
    block->chunk->arena->held_blocks--;
    block->chunk->arena->held_bytes -= block->chunk->block_size;
}
