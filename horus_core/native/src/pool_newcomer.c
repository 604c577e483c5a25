/* A process that takes an index takes over the bits that a dead one has left under it in all pools of the
 * namespace. It clears them at once: the index lives now, so no writer may reap them, and the newcomer may be
 * there for something else and never read from those pools. */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "member_internal.h"
#include "pool_internal.h"

static void clear_my_bits(block_meta *blocks, uint32_t count, unsigned index) {
    uint64_t bit = 1ull << (index % 64);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t *word = &blocks[i].holds[index / 64];
        if (horus_load_relaxed(word) & bit) {
            STEP(clear_my_bits__clear);
            __atomic_fetch_and(word, ~bit, __ATOMIC_RELEASE);
        }
    }
}

/* Maps what lies before the payloads, where the file is a chunk. */
static void clear_chunk(int fd, horus_ident writer, uint32_t id, unsigned index) {
    chunk_header header;
    struct stat file;
    if (pread(fd, &header, sizeof header, 0) != (ssize_t)sizeof header ||
        !pool_header_fits(&header, writer, id))
        return;
    size_t size = POOL_HEADER_SIZE + (size_t)header.blocks * sizeof(block_meta);
    uint8_t *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED)
        return;
    if (fstat(fd, &file) == 0 && (uint64_t)file.st_size == header.total_size)
        clear_my_bits((block_meta *)(base + POOL_HEADER_SIZE), header.blocks, index);
    munmap(base, size);
}

void pool_newcomer(const char *ns, unsigned index) {
    char prefix[96];
    size_t length = (size_t)snprintf(prefix, sizeof prefix, "horus_%s.pool.", ns);
    DIR *shm = opendir("/dev/shm");
    if (shm == NULL)
        return; /* then a block may stay held for as long as this process lives, no more */
    for (struct dirent *entry; (entry = readdir(shm)) != NULL;) {
        unsigned row, id;
        uint64_t generation;
        if (strncmp(entry->d_name, prefix, length) != 0 ||
            sscanf(entry->d_name + length, "%u-%" SCNu64 ".%u", &row, &generation, &id) != 3)
            continue;
        int fd = openat(dirfd(shm), entry->d_name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
            continue;
        clear_chunk(fd, generation << 16 | row, id, index);
        close(fd);
    }
    closedir(shm);
}
