#define _GNU_SOURCE
#include "futex.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int horus_futex_wait(const uint32_t *word, uint32_t expected, uint64_t until_ns) {
    struct timespec until = {.tv_sec = (time_t)(until_ns / 1000000000u),
                             .tv_nsec = (long)(until_ns % 1000000000u)};
    /* FUTEX_WAIT_BITSET takes an absolute time, so that an early return does not lengthen the sleep. */
    long rc = syscall(SYS_futex, word, FUTEX_WAIT_BITSET, expected, &until, NULL, FUTEX_BITSET_MATCH_ANY);
    if (rc == 0 || errno == EAGAIN)
        return 0;
    return errno;
}

void horus_futex_wake_all(const uint32_t *word) {
    syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* Of <linux/futex.h> from 5.16 on; ours may be older. */
#define SYS_WAITV 449
#define WAITER_32 2u
#define WAITER_PRIVATE 128u
typedef struct {
    uint64_t value, address;
    uint32_t flags, reserved;
} waiter;

int horus_futex_wait_any(const horus_futex_entry *entries, unsigned count, uint64_t until_ns) {
    waiter waiters[HORUS_FUTEX_MOST];
    struct timespec until = {.tv_sec = (time_t)(until_ns / 1000000000u),
                             .tv_nsec = (long)(until_ns % 1000000000u)};
    for (unsigned i = 0; i < count; i++)
        waiters[i] = (waiter){.value = entries[i].expected,
                              .address = (uintptr_t)entries[i].word,
                              .flags = WAITER_32 | (entries[i].shared ? 0 : WAITER_PRIVATE)};
    long rc = syscall(SYS_WAITV, waiters, count, 0, &until, CLOCK_MONOTONIC);
    if (rc >= 0 || errno == EAGAIN)
        return 0;
    return errno;
}
