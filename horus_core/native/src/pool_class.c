/* Sizes: which class a length falls into, how chunks grow, how much memory a pool may have. */
#include <sys/statvfs.h>
#include <unistd.h>

#include "pool_internal.h"

/* Up to 512 bytes in steps of 64, then eight steps a doubling: at most 1/9 of a block is waste. */
#define FINE_LIMIT 512u
#define FINE_STEP 64u
#define FINE_CLASSES (FINE_LIMIT / FINE_STEP)
#define FINE_LOG2 9u

#define FIRST_CHUNK (64u << 10)
#define LARGEST_CHUNK (32u << 20)
#define PAGE 4096u
#define BUDGET_MAX (1ull << 30)

unsigned pool_class_of(uint64_t length) {
    if (length <= FINE_LIMIT)
        return length == 0 ? 0 : (unsigned)((length - 1) / FINE_STEP);
    uint64_t last = length - 1;
    unsigned log2 = 63u - (unsigned)__builtin_clzll(last);
    unsigned step = (unsigned)(last >> (log2 - 3)) & 7u;
    return FINE_CLASSES + (log2 - FINE_LOG2) * 8 + step;
}

uint64_t pool_class_size(unsigned size_class) {
    if (size_class < FINE_CLASSES)
        return (uint64_t)(size_class + 1) * FINE_STEP;
    unsigned log2 = (size_class - FINE_CLASSES) / 8 + FINE_LOG2;
    return (1ull << log2) + (uint64_t)((size_class - FINE_CLASSES) % 8 + 1) * (1ull << (log2 - 3));
}

/* Blocks of large classes start on a page, so that a chunk's tables and its payload share none. */
size_t pool_payload_offset(uint64_t block_size, uint32_t blocks) {
    size_t tables = POOL_HEADER_SIZE + (size_t)blocks * sizeof(block_meta);
    return horus_round_up(tables, block_size >= PAGE ? PAGE : HORUS_CACHE_LINE);
}

size_t pool_chunk_size(uint64_t block_size, uint32_t blocks) {
    return horus_round_up(pool_payload_offset(block_size, blocks) + blocks * block_size, PAGE);
}

/* As many blocks again as there are: the number of chunks, which readers map, stays small. A chunk is filled
 * with pages when it is made, so large ones are kept to what that may cost (about 15 ms). */
uint32_t pool_growth(uint32_t blocks_now, uint64_t block_size) {
    uint64_t first = (FIRST_CHUNK - POOL_HEADER_SIZE) / (block_size + sizeof(block_meta));
    uint32_t most = pool_blocks_max(block_size);
    uint64_t wanted = blocks_now == 0 ? first : blocks_now;
    return wanted == 0 ? 1 : wanted > most ? most : (uint32_t)wanted;
}

uint32_t pool_blocks_max(uint64_t block_size) {
    uint64_t most = LARGEST_CHUNK / (block_size + sizeof(block_meta));
    return most == 0 ? 1 : (uint32_t)most;
}

uint64_t pool_default_budget(const horus_pool *pool) {
    struct statvfs shm;
    if (horus_member_is_private(pool->member)) {
        uint64_t free_half = (uint64_t)sysconf(_SC_AVPHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) / 2;
        return free_half < BUDGET_MAX ? free_half : BUDGET_MAX;
    }
    if (statvfs("/dev/shm", &shm) != 0)
        return BUDGET_MAX;
    uint64_t half = (uint64_t)shm.f_bavail * shm.f_frsize / 2;
    return half < BUDGET_MAX ? half : BUDGET_MAX;
}
