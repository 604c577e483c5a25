/* The pool's own structures: what lies in shared memory (chunk_header, block_meta), and what this process
 * keeps about it (chunk, arena, size class, pool). docs/protocol.md, "The pool", has the layouts and the
 * reasons. */
#ifndef HORUS_POOL_INTERNAL_H
#define HORUS_POOL_INTERNAL_H

#include <pthread.h>

#include "horus/pool.h"
#include "step.h"

#define POOL_MAGIC 0x31304c4f4f505248ull /* "HRPOOL01" in memory */
#define POOL_HOLD_WORDS (HORUS_MAX_PROCESSES / 64u)
#define POOL_CLASSES 256u
#define POOL_CHUNKS_MAX (1u << 20)
#define POOL_SENT_MAX 4u
#define POOL_LARGE 65536u /* bytes from which a ring's large_kept counts */

/* ---- in shared memory ---- */

typedef struct {
    uint64_t magic;
    uint32_t version;
    uint32_t chunk;
    uint64_t writer;
    uint64_t total_size;
    uint64_t payload_offset;
    uint64_t block_size;
    uint32_t blocks;
    uint32_t retired;     /* the writer gave the chunk up: readers unmap it when they hold nothing in it */
    uint64_t quota_bytes; /* one reader process should hold no more of this arena */
} chunk_header;

/* The generation, which every take writes, and the holds, which every reader writes, on lines of their own.
 */
typedef struct {
    uint64_t generation;
    uint64_t length;
    uint8_t pad[HORUS_CACHE_LINE - 16];
    uint64_t holds[POOL_HOLD_WORDS];
} block_meta;

#define POOL_HEADER_SIZE 128u
_Static_assert(sizeof(chunk_header) <= POOL_HEADER_SIZE, "the header has its fixed place");
_Static_assert(sizeof(block_meta) == 128 && POOL_HOLD_WORDS == 8, "two cache lines a block");
_Static_assert(sizeof(horus_block_ref) == 40, "the reference is part of the wire format");

/* ---- in this process ---- */

typedef struct pool_link {
    struct pool_link *prev, *next;
} pool_link;

typedef struct {
    horus_ring *ring;
    uint64_t number;
} pool_sent;

/* One block as this process sees it. `link`, `raised`, `order` and `sent` are the writer's alone. */
struct horus_block {
    pool_link link; /* in free, a queue or held; alone while it is in use here */
    struct pool_chunk *chunk;
    block_meta *meta;
    uint8_t *data;
    uint64_t generation; /* the writer's truth; a reader's: what it holds while views > 0 */
    uint64_t length;
    uint32_t views;
    bool raised;       /* the generation was raised, but a reader's bit came in between */
    bool maybe_unread; /* was sent on a ring that we have forgotten */
    uint8_t sent_count;
    uint64_t order; /* of the last send among all sends of this pool */
    pool_sent sent[POOL_SENT_MAX];
};

typedef struct pool_chunk {
    struct pool_arena *arena;
    uint32_t id;
    uint32_t blocks;
    unsigned size_class;
    uint64_t block_size;
    uint64_t quota_bytes;
    uint64_t last_take; /* value of pool->takes when a block was last taken out of it */
    uint32_t in_use;    /* blocks with views */
    bool lost;          /* its file was removed: nothing of it is handed out any more */
    chunk_header *header;
    size_t size;
    horus_block block[];
} pool_chunk;

typedef struct pool_arena {
    horus_pool *pool;
    horus_ident writer;
    struct pool_arena *next; /* others whose writers had the same index */
    pool_chunk **chunks;     /* by id; NULL where not mapped */
    uint32_t capacity;
    uint32_t held_blocks; /* by this process, in a foreign arena */
    uint64_t held_bytes;
} pool_arena;

/* Blocks sent on one ring and let go of here, by rising `order`. */
typedef struct {
    horus_ring *ring;
    pool_link blocks;
} pool_queue;

/* Where the writer's blocks of one size are, unless they are in use in this process. */
typedef struct {
    pool_link free;      /* class 1 of the order of recycling; first = freed last */
    pool_link held;      /* a reader's bit was seen */
    pool_queue **queues; /* maybe still in a ring, one queue for each ring */
    uint32_t queue_count;
    uint32_t recent; /* the queue that was appended to last */
    uint32_t blocks; /* in all */
} pool_class;

struct horus_pool {
    pthread_mutex_t mutex; /* guards everything below */
    uint32_t fork_epoch;
    bool closed;
    horus_member *member;
    horus_ident self;
    unsigned hold_word;
    uint64_t hold_bit;
    char ns[64];
    uint64_t budget; /* 0 until first use, when it was left to us */
    uint64_t used;   /* bytes of the writer's chunks */
    uint64_t takes, order;
    uint32_t next_chunk;
    uint64_t live;       /* blocks with views, of any arena */
    horus_error refusal; /* of the last take that failed */
    pool_arena *own;
    pool_arena *arenas[HORUS_MAX_PROCESSES]; /* by the writer's index */
    pool_class classes[POOL_CLASSES];
};

/* ---- lists ---- */

static inline void pool_list_init(pool_link *list) {
    list->prev = list->next = list;
}
static inline bool pool_list_empty(const pool_link *list) {
    return list->next == list;
}
static inline void pool_link_after(pool_link *where, pool_link *item) {
    item->prev = where;
    item->next = where->next;
    where->next->prev = item;
    where->next = item;
}
static inline void pool_unlink(pool_link *item) {
    item->prev->next = item->next;
    item->next->prev = item->prev;
    pool_list_init(item);
}

/* ---- between the pool's files; all but grow and map expect the mutex to be held ---- */

/* pool.c */
uint32_t pool_fork_epoch(void);
static inline bool pool_of_this_process(const horus_pool *pool) {
    return pool->fork_epoch == pool_fork_epoch();
}

/* pool_class.c */
unsigned pool_class_of(uint64_t length);
uint64_t pool_class_size(unsigned size_class);
uint32_t pool_growth(uint32_t blocks_now, uint64_t block_size);
uint32_t pool_blocks_max(uint64_t block_size); /* of one chunk */
size_t pool_payload_offset(uint64_t block_size, uint32_t blocks);
size_t pool_chunk_size(uint64_t block_size, uint32_t blocks);
uint64_t pool_default_budget(const horus_pool *pool);

/* pool_chunk.c */
pool_chunk *pool_chunk_create(horus_pool *pool, uint32_t id, unsigned size_class, uint32_t blocks,
                              horus_error *error);
pool_chunk *pool_chunk_map(horus_pool *pool, horus_ident writer, uint32_t id, horus_error *error);
bool pool_header_fits(const chunk_header *h, horus_ident writer, uint32_t id);
void pool_chunk_unmap(pool_chunk *chunk);
bool pool_chunk_linked(const horus_pool *pool, uint32_t id);
void pool_chunk_unlink(const horus_pool *pool, horus_ident writer, uint32_t id);
int pool_arena_add(pool_arena *arena, pool_chunk *chunk);
pool_arena *pool_arena_new(horus_pool *pool, horus_ident writer);
void pool_arena_free(pool_arena *arena);

/* pool_recycle.c: which block next */
void pool_put_back(horus_pool *pool, horus_block *block);
horus_block *pool_reuse_gone(horus_pool *pool, pool_class *cls);
horus_block *pool_reuse_any_gone(horus_pool *pool, pool_class *cls);
horus_block *pool_reuse_oldest(horus_pool *pool, pool_class *cls);
bool pool_block_unread(const horus_block *block);
void pool_class_drop_queues(pool_class *cls);

/* pool_reader.c */
void pool_let_go(horus_pool *pool, horus_block *block);

/* pool_grow.c */
bool pool_grow(horus_pool *pool, unsigned size_class, horus_error *error);
void pool_drop_lost(horus_pool *pool);
bool pool_trim(horus_pool *pool, uint64_t needed, uint64_t idle_takes, bool unread);

/* pool_reap.c */
bool pool_held(const block_meta *meta);
void pool_reap(horus_pool *pool, pool_class *cls);
void pool_describe_exhaustion(horus_pool *pool, uint64_t length, horus_error *error);

#endif
