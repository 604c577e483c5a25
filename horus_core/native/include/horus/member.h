/* Who shares a namespace: the table of processes, and who of them is alive.
 *
 * One small region a namespace, the index, holds the table and an epoch word that is bumped whenever a topic
 * appears. A process that takes part holds the kernel's lock (F_OFD_SETLK) on one byte of the index's file
 * for as long as it lives; that byte's number is its index. Dead is: the lock can be taken. Indexes are used
 * again, so an *identity* joins the index with a generation, and never comes twice. */
#ifndef HORUS_MEMBER_H
#define HORUS_MEMBER_H

#include "horus/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define HORUS_MAX_PROCESSES 512u

/* generation << 16 | index; 0 is nobody (generations start at 1). */
typedef uint64_t horus_ident;

static inline unsigned horus_ident_index(horus_ident who) {
    return (unsigned)(who & 0xffff);
}
static inline uint64_t horus_ident_generation(horus_ident who) {
    return who >> 16;
}

/* This process's membership of one namespace. Opaque; freed by horus_member_leave. */
typedef struct horus_member horus_member;

size_t horus_index_size(void);

/* Writes an empty index into zeroed memory of horus_index_size() bytes. */
void horus_index_format(void *memory);

/* What can be said of an index that cannot be joined. */
typedef struct {
    bool foreign; /* an index of HORUS, of other layouts than this build's */
    bool in_use;  /* a living process takes part in it */
    uint32_t pid; /* of such a process; 0 unknown */
} horus_index_state;

void horus_index_look(int fd, horus_index_state *out);

/* Joins through a descriptor of the index's file, which the caller keeps and may close: the member opens its
 * own through /proc/self/fd, so that its locks are its own. `ns` is the namespace's name (copied).
 * NULL, with the error set, when the index is corrupt or all indexes are taken. */
horus_member *horus_member_join(int fd, const char *ns, horus_error *error);

/* The same without taking part: no row, no lock, and all that it maps is mapped for reading only, so that it
 * is seen by nobody and can change nothing. Its identity is 0. With such a member one may look at regions
 * (horus_ring_map and what tools ask), but neither publish nor subscribe, and open no pool. */
horus_member *horus_member_observe(int fd, const char *ns, horus_error *error);
bool horus_member_observes(const horus_member *member);

/* Gives the index back. The member is freed; no handle may use it afterwards. */
void horus_member_leave(horus_member *member);

/* In a child after fork: closes the inherited descriptor, frees nothing in shared memory. Async-signal-safe.
 */
void horus_member_forked(horus_member *member);

/* Whether this process is a forked child that inherited the membership: it must join anew. */
bool horus_member_is_forked(const horus_member *member);

horus_ident horus_member_self(const horus_member *member);
const char *horus_member_namespace(const horus_member *member);

/* Whether nothing of the namespace has a name in /dev/shm: its own name is empty, and index, regions and pool
 * are memory that only this process reaches (memfd_create). */
bool horus_member_is_private(const horus_member *member);

/* Whether that process lives. Never says dead of a living one; a system call (0.5 us). */
bool horus_member_alive(horus_member *member, horus_ident who);

/* The identity that holds an index now or held it last; 0 if none ever did. */
horus_ident horus_member_at(const horus_member *member, unsigned index);

/* The pid that it wrote when it joined (its own pid namespace's); 0 if unknown. */
uint32_t horus_member_pid(const horus_member *member, horus_ident who);

/* Takes the lock of a dead process's index, so that nobody can join under it meanwhile. False: it lives
 * (or somebody else reaps it). Undone by horus_member_unlock_index. Serialised inside the process. */
bool horus_member_lock_index(horus_member *member, unsigned index);
void horus_member_unlock_index(horus_member *member, unsigned index);

/* The epoch word of the namespace; bump it when a topic appears (wakes who sleeps on it). */
uint32_t horus_member_epoch(const horus_member *member);
void horus_member_bump(horus_member *member);

/* Sleeps until the epoch differs from `seen` or the deadline (CLOCK_MONOTONIC, ns) has passed. 1 changed, 0
 * time is up, -1 interrupted by a signal. */
int horus_member_wait(horus_member *member, uint32_t seen, uint64_t deadline_ns);

/* The first step of that, for those who sleep on several words at once: 1 when the epoch differs from `seen`,
 * else 0 with the word to sleep on, and while it has which value. */
int horus_member_wait_begin(horus_member *member, uint32_t seen, const uint32_t **word, uint32_t *expected);

/* Whether its descriptor still is the index. False for ever once this process closed it (as daemonizers close
 * all there are): then it is dead to everybody else, and must join anew. A system call. */
bool horus_member_locked(horus_member *member);

/* Whether the index's file still has a name and `horus_member_locked`; false also means that the file was
 * removed under us. */
bool horus_member_linked(const horus_member *member);

#ifdef __cplusplus
}
#endif
#endif
