/* Membership of a namespace: member.h says what it promises. */
#define _GNU_SOURCE
#include "horus/member.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "futex.h"
#include "member_internal.h"
#include "step.h"

#define HIGH_DESCRIPTOR 512 /* out of the reach of scripts that close the low ones */
#define NAMESPACE_MAX 64

struct horus_member {
    index_region *region;
    int fd; /* -1: given up, or another file's number by now (lose_descriptor) */
    dev_t device;
    ino_t inode;
    horus_ident self;
    pthread_mutex_t reaping; /* held from lock_index to unlock_index */
    member_mappings mappings;
    uint32_t forked;
    char ns[NAMESPACE_MAX];
    struct horus_member *next;
};

/* fork() cannot be told apart from inside, so the list of members is process-wide: the child's handler closes
 * what it must not keep. This list is the only mutable global of the core. */
static pthread_mutex_t members_mutex = PTHREAD_MUTEX_INITIALIZER;
static horus_member *members;
static pthread_once_t members_once = PTHREAD_ONCE_INIT;

static void before_fork(void) {
    pthread_mutex_lock(&members_mutex);
}

static void after_fork_in_parent(void) {
    pthread_mutex_unlock(&members_mutex);
}

static void after_fork_in_child(void) {
    for (horus_member *member = members; member != NULL; member = member->next)
        horus_member_forked(member);
    pthread_mutex_unlock(&members_mutex);
}

static void install_fork_handlers(void) {
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

static bool take_byte(int fd, unsigned index) {
    struct flock lock = index_byte(F_WRLCK, index);
    return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

static void drop_byte(int fd, unsigned index) {
    struct flock lock = index_byte(F_UNLCK, index);
    fcntl(fd, F_OFD_SETLK, &lock);
}

/* A descriptor with an open file description of its own: locks belong to the description. */
static int reopen_high(int fd) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int own = open(path, O_RDWR | O_CLOEXEC);
    if (own < 0)
        return -1;
    int high = fcntl(own, F_DUPFD_CLOEXEC, HIGH_DESCRIPTOR);
    if (high < 0)
        return own; /* a low RLIMIT_NOFILE: the low number does */
    close(own);
    return high;
}

/* Threads look while another one gives it up. */
static int descriptor(const horus_member *member) {
    return horus_load_relaxed(&member->fd);
}

/* Whether our descriptor still is the index: a process may have closed all its descriptors. */
static bool descriptor_is_index(const horus_member *member) {
    struct stat status;
    int fd = descriptor(member);
    return fd >= 0 && fstat(fd, &status) == 0 && status.st_ino == member->inode &&
           status.st_dev == member->device;
}

/* The number of our descriptor is another file's: to close it, or to lock by it, would be done to that file.
 */
static void lose_descriptor(horus_member *member) {
    horus_store_relaxed(&member->fd, -1);
}

/* Before a newcomer opens its own: that may get a number that was lost, and both would seem to have an index.
 */
static void notice_lost_descriptors(void) {
    for (horus_member *member = members; member != NULL; member = member->next)
        if (!descriptor_is_index(member))
            lose_descriptor(member);
}

/* Whether a member of this process has the row without its lock: what it held there is still in use here. */
static bool row_was_lost_here(const horus_member *newcomer, unsigned index) {
    for (const horus_member *member = members; member != NULL; member = member->next)
        if (!horus_member_is_forked(member) && !horus_member_observes(member) && descriptor(member) < 0 &&
            member->inode == newcomer->inode && member->device == newcomer->device &&
            horus_ident_index(member->self) == index)
            return true;
    return false;
}

static void close_descriptor(horus_member *member) {
    int fd = descriptor(member);
    if (descriptor_is_index(member))
        close(fd);
    lose_descriptor(member);
}

/* Takes the lowest free row. The generation is raised under its lock, so an identity is given out once. */
static bool take_row(horus_member *member) {
    for (unsigned index = 0; index < HORUS_MAX_PROCESSES; index++) {
        STEP(take_row__lock);
        if (row_was_lost_here(member, index) || !take_byte(descriptor(member), index))
            continue;
        index_row *row = &member->region->row[index];
        uint64_t before = horus_load_acquire(&row->generation), first = member->region->first_generation;
        uint64_t generation = ((before > first ? before : first) + 1) & 0xffffffffffffu;
        if ((generation & 0xffffffffu) == 0)
            generation++; /* the low half is written where 0 means nobody */
        STEP(take_row__raise);
        horus_store_relaxed(&row->pid, 0);
        horus_store_relaxed(&row->joined_ns, horus_now_ns());
        horus_store_release(&row->generation, generation);
        horus_store_release(&row->pid, (uint32_t)getpid()); /* never seen beside the former generation */
        member->self = generation << 16 | index;
        return true;
    }
    return false;
}

static horus_member *open_member(int fd, const char *ns, bool takes_part, horus_error *error) {
    horus_member *member = calloc(1, sizeof *member);
    if (member == NULL) {
        horus_error_set(error, ENOMEM, "no memory for a membership");
        return NULL;
    }
    struct stat status;
    snprintf(member->ns, sizeof member->ns, "%s", ns);
    /* From the descriptor to the list no fork: a child would keep, with the descriptor, the lock. */
    pthread_once(&members_once, install_fork_handlers);
    pthread_mutex_lock(&members_mutex);
    notice_lost_descriptors();
    member->fd = reopen_high(fd);
    if (member->fd < 0 || fstat(member->fd, &status) < 0) {
        horus_error_set(error, errno, "the index cannot be opened: %s", strerror(errno));
        goto failed;
    }
    member->device = status.st_dev;
    member->inode = status.st_ino;
    /* Mapped through the caller's descriptor: a mapping refers to its open file, so that a forked child,
     * which inherits the mapping, would keep the lock of our own one. */
    member->region = horus_index_map(fd, takes_part ? PROT_READ | PROT_WRITE : PROT_READ, error);
    if (member->region == NULL)
        goto failed;
    if (takes_part && !take_row(member)) {
        horus_error_set(error, 0, "namespace '%s' is full: %u processes take part in it", ns,
                        HORUS_MAX_PROCESSES);
        goto failed;
    }
    pthread_mutex_init(&member->reaping, NULL);
    pthread_mutex_init(&member->mappings.mutex, NULL);
    member->next = members;
    members = member;
    pthread_mutex_unlock(&members_mutex);
    if (takes_part && !horus_member_is_private(member))
        pool_newcomer(member->ns, horus_ident_index(member->self));
    return member;
failed:
    pthread_mutex_unlock(&members_mutex);
    if (member->region != NULL)
        munmap(member->region, sizeof *member->region);
    if (member->fd >= 0)
        close(member->fd);
    free(member);
    return NULL;
}

horus_member *horus_member_join(int fd, const char *ns, horus_error *error) {
    return open_member(fd, ns, true, error);
}

horus_member *horus_member_observe(int fd, const char *ns, horus_error *error) {
    return open_member(fd, ns, false, error);
}

bool horus_member_observes(const horus_member *member) {
    return member->self == 0;
}

void horus_member_leave(horus_member *member) {
    pthread_mutex_lock(&members_mutex);
    for (horus_member **at = &members; *at != NULL; at = &(*at)->next)
        if (*at == member) {
            *at = member->next;
            break;
        }
    munmap(member->region, sizeof *member->region);
    STEP(horus_member_leave__unlock);
    close_descriptor(member); /* drops the lock */
    pthread_mutex_unlock(&members_mutex);
    pthread_mutex_destroy(&member->reaping);
    pthread_mutex_destroy(&member->mappings.mutex);
    free(member);
}

void horus_member_forked(horus_member *member) {
    close_descriptor(member); /* else a killed parent would look alive for as long as this child lives */
    horus_store_relaxed(&member->forked, 1);
}

member_mappings *horus_member_mappings(horus_member *member) {
    return &member->mappings;
}

bool horus_member_is_forked(const horus_member *member) {
    return HORUS_UNLIKELY(horus_load_relaxed(&member->forked));
}

horus_ident horus_member_self(const horus_member *member) {
    return member->self;
}

const char *horus_member_namespace(const horus_member *member) {
    return member->ns;
}

bool horus_member_is_private(const horus_member *member) {
    return member->ns[0] == '\0';
}

bool horus_member_alive(horus_member *member, horus_ident who) {
    unsigned index = horus_ident_index(who);
    if (who == 0 || index >= HORUS_MAX_PROCESSES)
        return false;
    if (who == member->self)
        return true;
    STEP(horus_member_alive__generation);
    /* Generations are raised under the lock: another one means that the former holder is gone. */
    if (horus_load_acquire(&member->region->row[index].generation) != horus_ident_generation(who))
        return false;
    struct flock lock = index_byte(F_WRLCK, index);
    STEP(horus_member_alive__lock);
    if (fcntl(descriptor(member), F_OFD_GETLK, &lock) < 0 || lock.l_type != F_UNLCK)
        return true; /* in doubt alive: a wrong "alive" costs a slot, a wrong "dead" tears a message */
    return !descriptor_is_index(member);
}

horus_ident horus_member_at(const horus_member *member, unsigned index) {
    if (index >= HORUS_MAX_PROCESSES)
        return 0;
    uint64_t generation = horus_load_acquire(&member->region->row[index].generation);
    return generation == 0 ? 0 : generation << 16 | index;
}

uint32_t horus_member_pid(const horus_member *member, horus_ident who) {
    unsigned index = horus_ident_index(who);
    if (index >= HORUS_MAX_PROCESSES)
        return 0;
    const index_row *row = &member->region->row[index];
    if (horus_load_acquire(&row->generation) != horus_ident_generation(who))
        return 0;
    uint32_t pid =
        horus_load_acquire(&row->pid); /* who sees a newer pid sees the generation that goes with it */
    return horus_load_acquire(&row->generation) == horus_ident_generation(who) ? pid : 0;
}

bool horus_member_lock_index(horus_member *member, unsigned index) {
    if (index >= HORUS_MAX_PROCESSES || horus_member_observes(member) ||
        index == horus_ident_index(member->self) ||
        horus_member_is_forked(
            member)) /* then the mutex may be held by a thread that the child does not have */
        return false;
    pthread_mutex_lock(&member->reaping);
    STEP(horus_member_lock_index__lock);
    if (descriptor_is_index(member) && take_byte(descriptor(member), index))
        return true;
    pthread_mutex_unlock(&member->reaping);
    return false;
}

void horus_member_unlock_index(horus_member *member, unsigned index) {
    STEP(horus_member_unlock_index__unlock);
    drop_byte(descriptor(member), index);
    pthread_mutex_unlock(&member->reaping);
}

uint32_t horus_member_epoch(const horus_member *member) {
    STEP(horus_member_epoch__load);
    return horus_load_acquire(&member->region->epoch);
}

void horus_member_bump(horus_member *member) {
    uint32_t *epoch = &member->region->epoch;
    if (horus_member_observes(member))
        return; /* who made no topic has nothing to tell, and the mapping is for reading only */
    STEP(horus_member_bump__add);
    __atomic_fetch_add(epoch, 1, __ATOMIC_RELEASE);
    STEP(horus_member_bump__wake);
    horus_futex_wake_all(epoch); /* topics appear seldom: whether anybody sleeps is left to the kernel */
}

int horus_member_wait_begin(horus_member *member, uint32_t seen, const uint32_t **word, uint32_t *expected) {
    uint32_t *epoch = &member->region->epoch;
    *word = epoch;
    *expected = seen; /* a bump after this look changes the word, so that the kernel does not sleep on it */
    return horus_load_acquire(epoch) != seen;
}

int horus_member_wait(horus_member *member, uint32_t seen, uint64_t deadline_ns) {
    uint32_t *epoch = &member->region->epoch;
    for (;;) { /* the deadline is looked at in every turn: whatever others write, this ends */
        STEP(horus_member_wait__load_epoch);
        if (horus_load_acquire(epoch) != seen)
            return 1;
        uint64_t now = horus_now_ns();
        if (now >= deadline_ns)
            return 0;
        uint64_t slice = now + HORUS_SLICE_NS < deadline_ns ? now + HORUS_SLICE_NS : deadline_ns;
        STEP(horus_member_wait__sleep);
        if (horus_futex_wait(epoch, seen, slice) == EINTR)
            return -1;
    }
}

bool horus_member_linked(const horus_member *member) {
    struct stat status;
    if (horus_member_is_private(member)) /* it never had a name, and nobody else asks for its lock */
        return true;
    return descriptor_is_index(member) && fstat(descriptor(member), &status) == 0 && status.st_nlink > 0;
}

bool horus_member_locked(horus_member *member) {
    pthread_mutex_lock(&members_mutex); /* no number is given out anew between the look and what follows it */
    bool locked = descriptor_is_index(member);
    if (!locked)
        lose_descriptor(member);
    pthread_mutex_unlock(&members_mutex);
    return locked;
}
