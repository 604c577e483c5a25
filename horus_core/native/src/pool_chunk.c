/* Chunks: the shared-memory objects that an arena consists of. Made by the writer, mapped by readers. Those
 * of a private namespace have no names. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "pool_internal.h"

#define MIB (1024.0 * 1024.0)

static void chunk_name(char *name, const char *ns, horus_ident writer, uint32_t id) {
    snprintf(name, 160, "/horus_%s.pool.%u-%" PRIu64 ".%u", ns, horus_ident_index(writer),
             horus_ident_generation(writer), id);
}

static bool is_private(const horus_pool *pool) {
    return horus_member_is_private(pool->member);
}

void pool_chunk_unlink(const horus_pool *pool, horus_ident writer, uint32_t id) {
    char name[160];
    if (is_private(pool))
        return; /* gone with its mapping */
    chunk_name(name, pool->ns, writer, id);
    STEP(pool_chunk_unlink__unlink);
    shm_unlink(name);
}

/* Whether readers can still open this process's chunk: systemd removes a user's objects when he logs out. */
bool pool_chunk_linked(const horus_pool *pool, uint32_t id) {
    char path[176] = "/dev/shm";
    if (is_private(pool))
        return true;
    chunk_name(path + strlen(path), pool->ns, pool->self, id);
    return access(path, F_OK) == 0 || errno != ENOENT;
}

/* The process's side of a mapped chunk. `seen`: a copy of its header that has been checked, for what stands
 * in shared memory may change. */
static pool_chunk *chunk_new(void *memory, size_t size, const chunk_header *seen) {
    uint64_t block_size = seen->block_size;
    uint32_t blocks = seen->blocks;
    pool_chunk *chunk = calloc(1, sizeof *chunk + (size_t)blocks * sizeof(horus_block));
    if (chunk == NULL)
        return NULL;
    chunk->header = memory;
    chunk->size = size;
    chunk->id = seen->chunk;
    chunk->blocks = blocks;
    chunk->block_size = block_size;
    chunk->size_class = pool_class_of(block_size);
    chunk->quota_bytes = seen->quota_bytes;
    uint8_t *base = memory;
    uint8_t *payload = base + pool_payload_offset(block_size, blocks);
    for (uint32_t i = 0; i < blocks; i++) {
        horus_block *block = &chunk->block[i];
        pool_list_init(&block->link);
        block->chunk = chunk;
        block->meta = (block_meta *)(base + POOL_HEADER_SIZE) + i;
        block->data = payload + i * block_size;
    }
    return chunk;
}

/* Reserves the pages now: a full /dev/shm must be an error here, not a SIGBUS at the first write. */
static int reserve(const horus_pool *pool, int fd, size_t size, horus_error *error) {
    int code;
    do
        code = posix_fallocate(fd, 0, (off_t)size);
    while (code == EINTR);
    if (code == 0)
        return 0;
    if (is_private(pool)) {
        horus_error_set(
            error, code,
            "Cannot reserve memory for a pool: expected %.2f MiB, got none (%s, pid=%d). Free some, or "
            "raise the memory limit.",
            (double)size / MIB, strerror(code), (int)getpid());
        return -1;
    }
    struct statvfs shm;
    double free_mib = fstatvfs(fd, &shm) == 0 ? (double)shm.f_bavail * (double)shm.f_frsize / MIB : 0.0;
    horus_error_set(
        error, code,
        "Cannot reserve shared memory for a pool: expected %.2f MiB free in /dev/shm, got %.2f MiB "
        "(%s, pid=%d). Free some (horus clean), or enlarge it: docker run --shm-size=1g, or "
        "mount -o remount,size=1G /dev/shm.",
        (double)size / MIB, free_mib, strerror(code), (int)getpid());
    return -1;
}

/* EEXIST is left to the caller: a file of that name can only stem from before the namespace's index was made
 * anew, and is passed by. */
static int create_object(const horus_pool *pool, const char *name, horus_error *error) {
    int fd = is_private(pool) ? memfd_create("horus pool", MFD_CLOEXEC)
                              : shm_open(name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        horus_error_set(error, errno, "Cannot create pool memory %s: %s. Check the permissions of /dev/shm.",
                        name, strerror(errno));
    return fd;
}

pool_chunk *pool_chunk_create(horus_pool *pool, uint32_t id, unsigned size_class, uint32_t blocks,
                              horus_error *error) {
    uint64_t block_size = pool_class_size(size_class);
    size_t size = pool_chunk_size(block_size, blocks);
    char name[160];
    chunk_name(name, pool->ns, pool->self, id);
    int fd = create_object(pool, name, error);
    if (fd < 0)
        return NULL;
    void *memory = MAP_FAILED;
    STEP(pool_chunk_create__reserve);
    if (reserve(pool, fd, size, error) == 0) {
        /* Populated: copying into pages that were never touched takes 25 times as long. */
        memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
        if (memory == MAP_FAILED)
            horus_error_set(error, errno, "Cannot map pool memory %s: %s.", name, strerror(errno));
    }
    close(fd);
    if (memory == MAP_FAILED) {
        pool_chunk_unlink(pool, pool->self, id);
        return NULL;
    }
    chunk_header header = {
        .magic = POOL_MAGIC,
        .version = HORUS_POOL_LAYOUT,
        .chunk = id,
        .writer = pool->self,
        .total_size = size,
        .payload_offset = pool_payload_offset(block_size, blocks),
        .block_size = block_size,
        .blocks = blocks,
        .quota_bytes = pool->budget / 2,
    };
    STEP(pool_chunk_create__header);
    *(chunk_header *)memory = header;
    pool_chunk *chunk = chunk_new(memory, size, &header);
    if (chunk == NULL) {
        horus_error_set(error, ENOMEM, "Out of memory for a pool of %u blocks.", blocks);
        munmap(memory, size);
        pool_chunk_unlink(pool, pool->self, id);
    }
    return chunk;
}

/* Everything in the header is untrusted: all of it has to agree. */
bool pool_header_fits(const chunk_header *h, horus_ident writer, uint32_t id) {
    return h->magic == POOL_MAGIC && h->version == HORUS_POOL_LAYOUT && h->writer == writer &&
           h->chunk == id && h->total_size <= INT64_MAX && h->blocks > 0 && h->block_size > 0 &&
           h->block_size <= h->total_size && h->block_size % HORUS_CACHE_LINE == 0 &&
           h->block_size == pool_class_size(pool_class_of(h->block_size)) &&
           h->blocks <= pool_blocks_max(h->block_size) &&
           h->payload_offset == pool_payload_offset(h->block_size, h->blocks) &&
           pool_chunk_size(h->block_size, h->blocks) == h->total_size;
}

/* Through the file, not the mapping: nobody changes the copy while it is checked, and nothing is mapped that
 * was not checked. */
static bool read_header(int fd, const char *name, chunk_header *seen, horus_error *error) {
    ssize_t got = pread(fd, seen, sizeof *seen, 0);
    if (got == (ssize_t)sizeof *seen)
        return true;
    if (got < 0)
        horus_error_set(error, errno, "Cannot read pool memory %s: %s.", name, strerror(errno));
    else
        horus_error_set(
            error, EINVAL,
            "Cannot trust pool memory %s: expected at least %u bytes, got %zd. Restart its writer.", name,
            POOL_HEADER_SIZE, got);
    return false;
}

/* All of the file. To populate what its writer has not reserved would make us allocate a terabyte because
 * somebody says so. The size is looked at once it is mapped: cut short before, it is refused here and not by
 * a SIGBUS. */
static void *map_file(int fd, const char *name, size_t size, horus_error *error) {
    struct stat file = {0};
    bool reserved = fstat(fd, &file) == 0 && (uint64_t)file.st_blocks * 512u >= size;
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | (reserved ? MAP_POPULATE : 0), fd, 0);
    if (memory == MAP_FAILED || fstat(fd, &file) != 0)
        horus_error_set(error, errno, "Cannot map pool memory %s: %s.", name, strerror(errno));
    else if ((uint64_t)file.st_size != size)
        horus_error_set(
            error, EINVAL,
            "Cannot trust pool memory %s: its header says %zu bytes, the file has %lld. Restart its writer.",
            name, size, (long long)file.st_size);
    else
        return memory;
    if (memory != MAP_FAILED)
        munmap(memory, size);
    return NULL;
}

static pool_chunk *map_open(int fd, const char *name, horus_ident writer, uint32_t id, horus_error *error) {
    chunk_header seen;
    if (!read_header(fd, name, &seen, error))
        return NULL;
    if (!pool_header_fits(&seen, writer, id)) {
        horus_error_set(
            error, EINVAL,
            "Cannot trust pool memory %s: expected chunk %u of layout version %u, got version %u with "
            "%u blocks of %" PRIu64 " bytes. Restart its writer.",
            name, id, HORUS_POOL_LAYOUT, seen.version, seen.blocks, seen.block_size);
        return NULL;
    }
    void *memory = map_file(fd, name, seen.total_size, error);
    if (memory == NULL)
        return NULL;
    pool_chunk *chunk = chunk_new(memory, seen.total_size, &seen);
    if (chunk == NULL) {
        horus_error_set(error, ENOMEM, "Out of memory for a pool of %u blocks.", seen.blocks);
        munmap(memory, seen.total_size);
    }
    return chunk;
}

pool_chunk *pool_chunk_map(horus_pool *pool, horus_ident writer, uint32_t id, horus_error *error) {
    char name[160];
    chunk_name(name, pool->ns, writer, id);
    STEP(pool_chunk_map__open);
    int fd = -1;
    errno = ENOENT;
    if (!is_private(pool)) /* there a chunk that is not mapped any more is gone */
        fd = shm_open(name, O_RDWR | O_CLOEXEC, 0);
    if (fd < 0) {
        /* Gone with its last message, or cleaned after its writer died: nothing is left to read there. */
        int code = errno == ENOENT ? ESTALE : errno;
        horus_error_set(error, code, "Cannot open pool memory %s: %s.", name, strerror(errno));
        return NULL;
    }
    pool_chunk *chunk = map_open(fd, name, writer, id, error);
    close(fd);
    return chunk;
}

void pool_chunk_unmap(pool_chunk *chunk) {
    munmap(chunk->header, chunk->size);
    free(chunk);
}

pool_arena *pool_arena_new(horus_pool *pool, horus_ident writer) {
    pool_arena *arena = calloc(1, sizeof *arena);
    if (arena == NULL)
        return NULL;
    pool_arena **first = &pool->arenas[horus_ident_index(writer)];
    arena->pool = pool;
    arena->writer = writer;
    arena->next = *first;
    *first = arena;
    return arena;
}

int pool_arena_add(pool_arena *arena, pool_chunk *chunk) {
    if (chunk->id >= arena->capacity) {
        uint32_t capacity = arena->capacity == 0 ? 8 : arena->capacity;
        while (capacity <= chunk->id)
            capacity *= 2;
        pool_chunk **chunks = calloc(capacity, sizeof *chunks); /* pages that hold no chunk cost no memory */
        if (chunks == NULL)
            return -1;
        if (arena->capacity > 0)
            memcpy(chunks, arena->chunks, arena->capacity * sizeof *chunks);
        free(arena->chunks);
        arena->chunks = chunks;
        arena->capacity = capacity;
    }
    chunk->arena = arena;
    arena->chunks[chunk->id] = chunk;
    return 0;
}

/* Unmaps what is left of an arena that is in no list any more. */
void pool_arena_free(pool_arena *arena) {
    for (uint32_t i = 0; i < arena->capacity; i++)
        if (arena->chunks[i] != NULL)
            pool_chunk_unmap(arena->chunks[i]);
    free(arena->chunks);
    free(arena);
}
