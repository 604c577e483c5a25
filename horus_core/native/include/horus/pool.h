/* Large payloads: arenas of blocks in shared memory, and the 40-byte reference that crosses a ring.
 *
 * A pool belongs to one process, its writer; only the writer hands out blocks. Readers hold a block by one
 * bit for each process. docs/protocol.md, "The pool", is the algorithm. */
#ifndef HORUS_POOL_H
#define HORUS_POOL_H

#include "horus/base.h"
#include "horus/member.h"
#include "horus/ring.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Names one generation of one block anywhere in the namespace. */
typedef struct {
    horus_ident writer;
    uint32_t chunk;
    uint32_t block;
    uint64_t generation;
    uint64_t length; /* bytes used */
    uint64_t reserved;
} horus_block_ref;

/* This process's side of all pools of one namespace: its own arenas, and the mappings of others' arenas.
 * Thread-safe by a mutex of its own that is never held while user code runs. */
typedef struct horus_pool horus_pool;

/* A handle on one block: of the writer before and after the send, or of a reader that holds it. */
typedef struct horus_block horus_block;

horus_pool *horus_pool_open(horus_member *member, uint64_t budget_bytes, horus_error *error);

/* No call on the pool may be in progress. Handles stay good until they are released: false says that there
 * are some, and that the member must not leave before the last one is released. */
bool horus_pool_close(horus_pool *pool);

/* A writable block of at least `length` bytes, 64-byte aligned, its pages touched. NULL when none is to be
 * had; the error then names who holds the blocks. */
horus_block *horus_pool_take(horus_pool *pool, uint64_t length, horus_error *error);

/* The same, but NULL at once where that needs more than a warm block: new memory, or a look at who holds
 * what. */
horus_block *horus_pool_try(horus_pool *pool, uint64_t length);

/* Why the last take of this process failed: names who holds the blocks. */
void horus_pool_refusal(horus_pool *pool, horus_error *error);

/* False in a fork's child: the pool is its parent's, and every call on it fails or does nothing. */
bool horus_pool_usable(const horus_pool *pool);

/* The reader's hold on a referenced block: NULL with error->code ESTALE when it was overwritten (count it as
 * missed); NULL with another code when the arena cannot be opened or the reference makes no sense. */
horus_block *horus_pool_hold(horus_pool *pool, const horus_block_ref *ref, horus_error *error);

/* Unmaps the arenas of dead writers in which this process holds nothing. Their memory is kept by whoever has
 * it mapped, also when its names are removed: to be called now and then. A system call for each arena. */
void horus_pool_unmap_dead(horus_pool *pool);

/* Whether this process now holds more of the writer's arena than its quota, half of the writer's budget (and
 * more than two blocks): it should copy the payload and let go, so that who hoards pays with memory of its
 * own. */
bool horus_block_over_quota(const horus_block *block);

/* Remembers under which number of which ring the block was sent: it is handed out again by preference once
 * that number has left the ring. `ring` must outlive the pool's use of it: see horus_pool_forget. */
void horus_block_sent(horus_block *block, horus_ring *ring, uint64_t number);
void horus_pool_forget(horus_pool *pool, horus_ring *ring); /* before a ring is unmapped */

/* memcpy into a block, past the caches where it is large. */
void horus_pool_copy(void *to, const void *from, size_t length);

void *horus_block_data(const horus_block *block);
uint64_t horus_block_length(const horus_block *block);
horus_block_ref horus_block_refer(const horus_block *block);

horus_pool *horus_block_pool(const horus_block *block);

typedef struct {
    uint64_t budget_bytes, used_bytes; /* 0: nothing was taken yet and the default was asked for */
    uint32_t chunks, blocks;           /* of this process's own arena */
    uint32_t in_use;                   /* blocks with handles in this process */
    uint32_t held;                     /* blocks that other processes hold */
    uint32_t foreign_arenas, holding;  /* arenas of others that are mapped here, blocks of theirs held here */
} horus_pool_use;

void horus_pool_usage(horus_pool *pool, horus_pool_use *use);

/* Handles are counted: a numpy view and the message object share one. At zero the process's bit is cleared.
 */
void horus_block_retain(horus_block *block);
void horus_block_release(horus_block *block);

#ifdef __cplusplus
}
#endif
#endif
