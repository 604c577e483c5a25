/* What other parts of the core keep with a membership, and the layout of the index. */
#ifndef HORUS_MEMBER_INTERNAL_H
#define HORUS_MEMBER_INTERNAL_H

#include <fcntl.h>
#include <pthread.h>

#include "horus/layouts.h"
#include "horus/member.h"

/* Byte of the index's file that stands for row 0: past the contents, so that no lock covers data. */
#define INDEX_LOCK_BASE 0x100000

typedef struct {
    uint64_t generation; /* raised by whoever has just taken the lock of this row */
    uint64_t joined_ns;
    uint32_t pid;
    uint32_t spare[11];
} index_row;

/* Of these bytes magic, layouts, release and each row's pid stay where they are in every version to come, as
 * do the locks: an error can say who uses an index that this version cannot read. */
typedef struct {
    char magic[8];
    uint32_t layout;
    uint32_t rows;
    uint64_t first_generation; /* from the time of day: an identity never comes again with another index */
    uint32_t topic_layout, pool_layout, message_layout;
    uint32_t spare;
    char release[HORUS_VERSION_MAX];
    uint32_t epoch; /* futex word: counts topics that appeared */
    uint32_t epoch_spare[15];
    index_row row[HORUS_MAX_PROCESSES];
} index_region;

_Static_assert(sizeof(index_row) == 64, "a row is a cache line");
_Static_assert(offsetof(index_row, pid) == 16, "the pid stays where every version finds it");
_Static_assert(offsetof(index_region, topic_layout) == 24 && offsetof(index_region, release) == 40 &&
                   offsetof(index_region, epoch) == 64 && offsetof(index_region, row) == 128,
               "the index's header is two cache lines");

/* Maps an index (`prot` as for mmap) and checks it; NULL with the error set. */
index_region *horus_index_map(int fd, int prot, horus_error *error);

static inline struct flock index_byte(short type, unsigned row) {
    struct flock lock = {
        .l_type = type, .l_whence = SEEK_SET, .l_start = INDEX_LOCK_BASE + (off_t)row, .l_len = 1};
    return lock;
}

/* Copies another process's text for people: at most HORUS_VERSION_MAX bytes, nothing that is not printable.
 */
void horus_release_text(char to[HORUS_VERSION_MAX], const char *from);

/* The regions that a process has mapped under one membership. Not to be touched in a forked child: a thread
 * of the parent that the child does not have may have held the mutex. */
typedef struct {
    pthread_mutex_t mutex;
    struct horus_ring *first;
} member_mappings;

member_mappings *horus_member_mappings(horus_member *member);

/* Clears what a dead process held, in all pools of the namespace, under the index that has just been taken.
 */
void pool_newcomer(const char *ns, unsigned index);

#endif
