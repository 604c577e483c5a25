/* Which block next. A block that nobody uses here is in one of three places of its size class:
 *
 *   free    never sent, or its numbers have left their rings; freed last comes first (warm pages)
 *   queue   sent on that ring, maybe still in it; by rising order of sending
 *   held    a reader's bit was seen; looked at again when free is empty
 *
 * A block "freed last" is not simply the one that a reader gave back last: a fast reader's newest frame would
 * be overwritten while older ones still lie in the ring for others. */
#include <stdlib.h>

#include "pool_internal.h"

/* How far from the end a block is sorted in, when a sender kept it longer than those it sent later. */
#define SORT_STEPS 64

static horus_block *block_at(pool_link *link) {
    return (horus_block *)link; /* `link` is the first member */
}

/* Drops the numbers that have left their rings. */
static void forget_gone(horus_block *block) {
    uint8_t kept = 0;
    for (uint8_t i = 0; i < block->sent_count; i++)
        if (!horus_ring_gone(block->sent[i].ring, block->sent[i].number))
            block->sent[kept++] = block->sent[i];
    block->sent_count = kept;
}

bool pool_block_unread(const horus_block *block) {
    for (uint8_t i = 0; i < block->sent_count; i++)
        if (!horus_ring_gone(block->sent[i].ring, block->sent[i].number))
            return true;
    return block->maybe_unread;
}

static pool_queue *queue_for(pool_class *cls, horus_ring *ring) {
    if (cls->recent < cls->queue_count && cls->queues[cls->recent]->ring == ring)
        return cls->queues[cls->recent];
    for (uint32_t i = 0; i < cls->queue_count; i++)
        if (cls->queues[i]->ring == ring) {
            cls->recent = i;
            return cls->queues[i];
        }
    pool_queue **queues = realloc(cls->queues, (cls->queue_count + 1) * sizeof *queues);
    if (queues == NULL)
        return NULL;
    cls->queues = queues;
    pool_queue *queue = malloc(sizeof *queue);
    if (queue == NULL)
        return NULL;
    queue->ring = ring;
    pool_list_init(&queue->blocks);
    cls->recent = cls->queue_count;
    queues[cls->queue_count++] = queue;
    return queue;
}

static void enqueue(pool_class *cls, horus_block *block) {
    pool_queue *queue = queue_for(cls, block->sent[block->sent_count - 1].ring);
    if (queue == NULL) {
        pool_link_after(cls->free.prev, &block->link); /* out of memory: handed out again last */
        return;
    }
    pool_link *where = queue->blocks.prev;
    for (int i = 0; i < SORT_STEPS && where != &queue->blocks && block_at(where)->order > block->order; i++)
        where = where->prev;
    pool_link_after(where, &block->link);
}

void pool_put_back(horus_pool *pool, horus_block *block) {
    pool_class *cls = &pool->classes[block->chunk->size_class];
    if (block->sent_count > 0)
        enqueue(cls, block);
    else if (block->maybe_unread)
        pool_link_after(cls->free.prev, &block->link);
    else
        pool_link_after(&cls->free, &block->link);
}

static void forget_ring_of(horus_block *block, const horus_ring *ring);

/* Whether as many newer large messages were sent on the ring as it keeps: a ring of 256 slots would otherwise
 * keep 256 pictures, and each new one would be written into memory that no cache remembers. */
static bool outlived(const pool_queue *queue, const horus_block *block) {
    if (block->chunk->block_size < POOL_LARGE)
        return false;
    const pool_link *at = &block->link;
    for (uint32_t newer = horus_ring_large_kept(queue->ring); newer > 0; newer--) {
        at = at->next;
        if (at == &queue->blocks)
            return false;
    }
    return true;
}

/* Moves the blocks whose numbers have left the ring to the front of free. */
static void drain(pool_class *cls, pool_queue *queue) {
    while (!pool_list_empty(&queue->blocks)) {
        horus_block *block = block_at(queue->blocks.next);
        forget_gone(block);
        if (block->sent_count > 0 && block->sent[block->sent_count - 1].ring == queue->ring) {
            if (!outlived(queue, block))
                return;
            forget_ring_of(block, queue->ring);
            block->maybe_unread = false;
        }
        pool_unlink(&block->link);
        if (block->sent_count > 0)
            enqueue(cls, block); /* still in another ring */
        else
            pool_link_after(&cls->free, &block->link);
    }
}

/* Makes the block ours for a new payload, or puts it among the held ones. The raise of the generation and the
 * second look at the holds cross a reader's setting of its bit and second look at the generation (all
 * seq_cst): one of the two sees the other. */
static bool claim_block(horus_pool *pool, pool_class *cls, horus_block *block) {
    pool_unlink(&block->link);
    STEP(claim_block__look);
    if (!pool_held(block->meta)) {
        STEP(claim_block__raise);
        if (!block->raised) /* an exchange costs no more; QEMU lets a load pass a mere store before it */
            (void)__atomic_exchange_n(&block->meta->generation, ++block->generation, __ATOMIC_SEQ_CST);
        block->raised = true;
        STEP(claim_block__look_again);
        if (!pool_held(block->meta)) {
            block->raised = false;
            block->maybe_unread = false;
            block->sent_count = 0;
            block->chunk->last_take = pool->takes;
            return true;
        }
    }
    pool_link_after(cls->held.prev, &block->link);
    return false;
}

static horus_block *take_free(horus_pool *pool, pool_class *cls) {
    while (!pool_list_empty(&cls->free)) {
        horus_block *block = block_at(cls->free.next);
        if (claim_block(pool, cls, block))
            return block;
    }
    return NULL;
}

/* The common case: a stream on one ring, from which one number has just left. */
horus_block *pool_reuse_gone(horus_pool *pool, pool_class *cls) {
    if (cls->recent < cls->queue_count)
        drain(cls, cls->queues[cls->recent]);
    return take_free(pool, cls);
}

horus_block *pool_reuse_any_gone(horus_pool *pool, pool_class *cls) {
    for (uint32_t i = 0; i < cls->queue_count; i++)
        drain(cls, cls->queues[i]);
    for (pool_link *link = cls->held.next, *next; link != &cls->held; link = next) {
        horus_block *block = block_at(link);
        next = link->next;
        if (pool_held(block->meta))
            continue;
        pool_unlink(link);
        forget_gone(block);
        pool_put_back(pool, block);
    }
    return take_free(pool, cls);
}

/* The oldest of those that are still in a ring: who has not read it misses it, as for any overwritten
 * message. */
horus_block *pool_reuse_oldest(horus_pool *pool, pool_class *cls) {
    for (;;) {
        horus_block *oldest = NULL;
        for (uint32_t i = 0; i < cls->queue_count; i++) {
            pool_link *list = &cls->queues[i]->blocks;
            if (!pool_list_empty(list) && (oldest == NULL || block_at(list->next)->order < oldest->order))
                oldest = block_at(list->next);
        }
        if (oldest == NULL || claim_block(pool, cls, oldest))
            return oldest;
    }
}

void horus_block_sent(horus_block *block, horus_ring *ring, uint64_t number) {
    horus_pool *pool = block->chunk->arena->pool;
    if (!pool_of_this_process(pool) || block->chunk->arena != pool->own)
        return; /* forwarded: only our hold keeps the block for the readers of that ring */
    pthread_mutex_lock(&pool->mutex);
    uint8_t at = 0;
    while (at < block->sent_count && block->sent[at].ring != ring)
        at++;
    if (at == POOL_SENT_MAX) {
        forget_gone(block);
        at = block->sent_count;
        if (at == POOL_SENT_MAX) { /* on more than four rings at once: the first one is given up */
            for (at = 0; at + 1u < POOL_SENT_MAX; at++)
                block->sent[at] = block->sent[at + 1];
            block->sent_count = at;
        }
    }
    block->sent[at] = (pool_sent){ring, number};
    if (at == block->sent_count)
        block->sent_count++;
    block->order = ++pool->order;
    pthread_mutex_unlock(&pool->mutex);
}

static void forget_ring_of(horus_block *block, const horus_ring *ring) {
    uint8_t kept = 0;
    for (uint8_t i = 0; i < block->sent_count; i++) {
        if (block->sent[i].ring != ring)
            block->sent[kept++] = block->sent[i];
        else if (!horus_ring_gone(ring, block->sent[i].number))
            block->maybe_unread = true;
    }
    block->sent_count = kept;
}

static void drop_queue(horus_pool *pool, pool_class *cls, const horus_ring *ring) {
    for (uint32_t i = 0; i < cls->queue_count; i++) {
        pool_queue *queue = cls->queues[i];
        if (queue->ring != ring)
            continue;
        cls->queues[i] = cls->queues[--cls->queue_count];
        cls->recent = 0;
        while (!pool_list_empty(&queue->blocks)) {
            horus_block *block = block_at(queue->blocks.next);
            pool_unlink(&block->link);
            pool_put_back(pool, block);
        }
        free(queue);
        return;
    }
}

void horus_pool_forget(horus_pool *pool, horus_ring *ring) {
    if (!pool_of_this_process(pool))
        return;
    pthread_mutex_lock(&pool->mutex);
    for (uint32_t i = 0; pool->own != NULL && i < pool->own->capacity; i++) {
        pool_chunk *chunk = pool->own->chunks[i];
        for (uint32_t b = 0; chunk != NULL && b < chunk->blocks; b++)
            forget_ring_of(&chunk->block[b], ring);
    }
    for (unsigned c = 0; c < POOL_CLASSES; c++)
        if (pool->classes[c].queue_count > 0)
            drop_queue(pool, &pool->classes[c], ring);
    pthread_mutex_unlock(&pool->mutex);
}

void pool_class_drop_queues(pool_class *cls) {
    for (uint32_t i = 0; i < cls->queue_count; i++)
        free(cls->queues[i]);
    free(cls->queues);
    cls->queues = NULL;
    cls->queue_count = 0;
}
