/* The index of a namespace as a file: making it, checking it, and what can be said of another version's. */
#define _GNU_SOURCE
#include "member_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define INDEX_MAGIC "HORUSIDX"
#define ROWS_LOOKED_AT 65536u /* more than any version has */

size_t horus_index_size(void) {
    return sizeof(index_region);
}

void horus_index_format(void *memory) {
    index_region *region = memory;
    region->layout = HORUS_INDEX_LAYOUT;
    region->rows = HORUS_MAX_PROCESSES;
    region->topic_layout = HORUS_TOPIC_LAYOUT;
    region->pool_layout = HORUS_POOL_LAYOUT;
    region->message_layout = HORUS_MESSAGE_LAYOUT;
    snprintf(region->release, sizeof region->release, "%s", HORUS_VERSION);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    region->first_generation = (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
    horus_fence_release();
    memcpy(region->magic, INDEX_MAGIC, sizeof region->magic);
}

void horus_release_text(char to[HORUS_VERSION_MAX], const char *from) {
    size_t i = 0;
    for (; i + 1 < HORUS_VERSION_MAX && from[i] > ' ' && from[i] < 127; i++)
        to[i] = from[i];
    to[i] = '\0';
    if (i == 0)
        snprintf(to, HORUS_VERSION_MAX, "of an unknown release");
}

static bool is_an_index(const index_region *seen) {
    return memcmp(seen->magic, INDEX_MAGIC, sizeof seen->magic) == 0 && seen->layout != 0;
}

static bool has_our_layouts(const index_region *seen) {
    return seen->layout == HORUS_INDEX_LAYOUT && seen->topic_layout == HORUS_TOPIC_LAYOUT &&
           seen->pool_layout == HORUS_POOL_LAYOUT && seen->message_layout == HORUS_MESSAGE_LAYOUT;
}

static void explain_layouts(const index_region *seen, horus_error *error) {
    char release[HORUS_VERSION_MAX];
    horus_release_text(release, seen->release);
    horus_error_set(
        error, EPROTO,
        "expected shared memory of HORUS %s (layouts: index %u, topics %u, pools %u, messages %u), "
        "got that of HORUS %s (layouts: index %u, topics %u, pools %u, messages %u)",
        HORUS_VERSION, HORUS_INDEX_LAYOUT, HORUS_TOPIC_LAYOUT, HORUS_POOL_LAYOUT, HORUS_MESSAGE_LAYOUT,
        release, seen->layout, seen->topic_layout, seen->pool_layout, seen->message_layout);
}

static index_region *too_short(long long size, horus_error *error) {
    horus_error_set(error, 0, "the index is %lld bytes, expected %zu", size, sizeof(index_region));
    return NULL;
}

/* What is checked is a copy that nobody changes meanwhile, for an index of another layout also because it may
 * be shorter than ours. The size is looked at once the file is mapped: cut short before, it is refused here.
 */
index_region *horus_index_map(int fd, int prot, horus_error *error) {
    index_region head = {0};
    struct stat status = {0};
    ssize_t got = pread(fd, &head, offsetof(index_region, row), 0);
    if (got < 0) {
        horus_error_set(error, errno, "the index cannot be read: %s", strerror(errno));
        return NULL;
    }
    if (got != (ssize_t)offsetof(index_region, row))
        return too_short(got, error);
    if (is_an_index(&head) && !has_our_layouts(&head)) {
        explain_layouts(&head, error);
        return NULL;
    }
    if (!is_an_index(&head) || head.rows != HORUS_MAX_PROCESSES) {
        horus_error_set(error, 0, "the index was not written by HORUS (layout %u, %u rows)", head.layout,
                        head.rows);
        return NULL;
    }
    index_region *region = mmap(NULL, sizeof *region, prot, MAP_SHARED, fd, 0);
    if (region == MAP_FAILED) {
        horus_error_set(error, errno, "the index cannot be mapped: %s", strerror(errno));
        return NULL;
    }
    if (fstat(fd, &status) == 0 && status.st_size >= (off_t)sizeof *region)
        return region;
    munmap(region, sizeof *region);
    return too_short((long long)status.st_size, error);
}

/* Whether somebody else holds the lock of a byte, or of any byte from it on: 1, 0, or -1 when that cannot be
 * said. */
static int is_locked(int fd, unsigned row, bool or_later) {
    struct flock lock = index_byte(F_WRLCK, row);
    if (or_later)
        lock.l_len = 0;
    return fcntl(fd, F_OFD_GETLK, &lock) < 0 ? -1 : lock.l_type != F_UNLCK;
}

static uint32_t pid_of_row(int fd, unsigned row) {
    uint32_t pid = 0;
    off_t at = (off_t)offsetof(index_region, row) + (off_t)row * (off_t)sizeof(index_row) +
               (off_t)offsetof(index_row, pid);
    return pread(fd, &pid, sizeof pid, at) == sizeof pid ? pid : 0;
}

void horus_index_look(int fd, horus_index_state *out) {
    index_region head = {0};
    *out = (horus_index_state){.in_use = is_locked(fd, 0, true) != 0}; /* in doubt somebody lives */
    out->foreign = pread(fd, &head, offsetof(index_region, row), 0) == offsetof(index_region, row) &&
                   is_an_index(&head) && !has_our_layouts(&head);
    for (unsigned row = 0; row < ROWS_LOOKED_AT && out->pid == 0 && is_locked(fd, row, true) == 1; row++)
        if (is_locked(fd, row, false) == 1)
            out->pid = pid_of_row(fd, row);
}
