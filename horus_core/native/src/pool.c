/* A pool's life, and the counted handles on its blocks. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pool_internal.h"

/* How often this process is a fork of the one that started: an inherited pool is of an older epoch and may
 * touch nothing, for its mutex, its blocks and its bits are the parent's. */
static uint32_t fork_epoch;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

static void in_child(void) {
    __atomic_add_fetch(&fork_epoch, 1, __ATOMIC_RELAXED);
}

static void watch_forks(void) {
    pthread_atfork(NULL, NULL, in_child);
}

uint32_t pool_fork_epoch(void) {
    return horus_load_relaxed(&fork_epoch);
}

horus_pool *horus_pool_open(horus_member *member, uint64_t budget_bytes, horus_error *error) {
    pthread_once(&fork_once, watch_forks);
    horus_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL) {
        horus_error_set(error, ENOMEM, "Out of memory for a pool.");
        return NULL;
    }
    pthread_mutex_init(&pool->mutex, NULL);
    pool->fork_epoch = pool_fork_epoch();
    pool->member = member;
    pool->self = horus_member_self(member);
    pool->hold_word = horus_ident_index(pool->self) / 64;
    pool->hold_bit = 1ull << (horus_ident_index(pool->self) % 64);
    pool->budget = budget_bytes;
    snprintf(pool->ns, sizeof pool->ns, "%s", horus_member_namespace(member));
    for (unsigned i = 0; i < POOL_CLASSES; i++) {
        pool_list_init(&pool->classes[i].free);
        pool_list_init(&pool->classes[i].held);
    }
    pool->own = pool_arena_new(pool, pool->self);
    if (pool->own == NULL) {
        horus_error_set(error, ENOMEM, "Out of memory for a pool.");
        free(pool);
        return NULL;
    }
    return pool;
}

static void destroy(horus_pool *pool) {
    for (unsigned i = 0; i < HORUS_MAX_PROCESSES; i++)
        for (pool_arena *arena = pool->arenas[i], *next; arena != NULL; arena = next) {
            next = arena->next;
            pool_arena_free(arena);
        }
    for (unsigned i = 0; i < POOL_CLASSES; i++)
        pool_class_drop_queues(&pool->classes[i]);
    pthread_mutex_destroy(&pool->mutex);
    free(pool);
}

/* Chunks with nothing that somebody may still read lose their names now; the others are the cleaner's. */
static void unlink_read(horus_pool *pool) {
    for (uint32_t i = 0; i < pool->own->capacity; i++) {
        pool_chunk *chunk = pool->own->chunks[i];
        bool unread = false;
        for (uint32_t b = 0; chunk != NULL && b < chunk->blocks && !unread; b++)
            unread = pool_block_unread(&chunk->block[b]);
        if (chunk != NULL && !unread)
            pool_chunk_unlink(pool, pool->self, chunk->id);
    }
}

bool horus_pool_close(horus_pool *pool) {
    if (pool == NULL || !pool_of_this_process(pool))
        return true; /* a fork's copy: the memory is the parent's */
    pthread_mutex_lock(&pool->mutex);
    pool->closed = true;
    unlink_read(pool);
    bool last = pool->live == 0;
    pthread_mutex_unlock(&pool->mutex);
    if (last)
        destroy(pool);
    return last;
}

void horus_pool_usage(horus_pool *pool, horus_pool_use *use) {
    memset(use, 0, sizeof *use);
    if (!pool_of_this_process(pool))
        return;
    pthread_mutex_lock(&pool->mutex);
    use->budget_bytes = pool->budget;
    use->used_bytes = pool->used;
    for (uint32_t i = 0; i < pool->own->capacity; i++) {
        const pool_chunk *chunk = pool->own->chunks[i];
        if (chunk == NULL)
            continue;
        use->chunks++;
        use->blocks += chunk->blocks;
        use->in_use += chunk->in_use;
        for (uint32_t b = 0; b < chunk->blocks; b++)
            use->held += pool_held(chunk->block[b].meta);
    }
    for (unsigned i = 0; i < HORUS_MAX_PROCESSES; i++)
        for (const pool_arena *arena = pool->arenas[i]; arena != NULL; arena = arena->next)
            if (arena != pool->own) {
                use->foreign_arenas++;
                use->holding += arena->held_blocks;
            }
    pthread_mutex_unlock(&pool->mutex);
}

horus_pool *horus_block_pool(const horus_block *block) {
    return block->chunk->arena->pool;
}

bool horus_pool_usable(const horus_pool *pool) {
    return pool_of_this_process(pool) && !pool->closed;
}

void horus_pool_refusal(horus_pool *pool, horus_error *error) {
    error->code = 0;
    error->text[0] = 0;
    if (!pool_of_this_process(pool))
        return;
    pthread_mutex_lock(&pool->mutex);
    *error = pool->refusal;
    pthread_mutex_unlock(&pool->mutex);
}

void *horus_block_data(const horus_block *block) {
    return block->data;
}

uint64_t horus_block_length(const horus_block *block) {
    return block->length;
}

horus_block_ref horus_block_refer(const horus_block *block) {
    return (horus_block_ref){
        .writer = block->chunk->arena->writer,
        .chunk = block->chunk->id,
        .block = (uint32_t)(block - block->chunk->block),
        .generation = block->generation,
        .length = block->length,
    };
}

void horus_block_retain(horus_block *block) {
    horus_pool *pool = block->chunk->arena->pool;
    if (!pool_of_this_process(pool))
        return;
    pthread_mutex_lock(&pool->mutex);
    block->views++;
    pthread_mutex_unlock(&pool->mutex);
}

void horus_block_release(horus_block *block) {
    horus_pool *pool = block->chunk->arena->pool;
    if (!pool_of_this_process(pool))
        return;
    bool last = false;
    pthread_mutex_lock(&pool->mutex);
    if (--block->views == 0) {
        block->chunk->in_use--;
        if (block->chunk->lost) {
            if (block->chunk->in_use == 0)
                pool_chunk_unmap(block->chunk);
        } else if (block->chunk->arena == pool->own)
            pool_put_back(pool, block);
        else
            pool_let_go(pool, block);
        last = --pool->live == 0 && pool->closed;
    }
    pthread_mutex_unlock(&pool->mutex);
    if (last)
        destroy(pool);
}
