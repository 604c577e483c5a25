/* The kernel's wait on a word of shared memory (never FUTEX_PRIVATE: other processes wake us). */
#ifndef HORUS_FUTEX_H
#define HORUS_FUTEX_H

#include "horus/base.h"

/* No sleep is longer: a publisher killed between its commit and its wake takes the wake with it. What is
 * promised then is 100 ms; the other half is for the scheduler. */
#define HORUS_SLICE_NS 50000000u

/* Sleeps while *word == expected, until woken or until CLOCK_MONOTONIC reads `until_ns`. Returns 0 (woken, or
 * the word differed), ETIMEDOUT or EINTR. */
int horus_futex_wait(const uint32_t *word, uint32_t expected, uint64_t until_ns);
void horus_futex_wake_all(const uint32_t *word);

/* A word, the value while which one sleeps on it, and whether other processes have it, too. */
typedef struct {
    const uint32_t *word;
    uint32_t expected;
    bool shared;
} horus_futex_entry;

#define HORUS_FUTEX_MOST 128 /* that the kernel takes at once */

/* Sleeps on all of them until one is woken or differs, or until `until_ns`. Returns 0, ETIMEDOUT, EINTR, or
 * ENOSYS when the kernel is older than 5.16. */
int horus_futex_wait_any(const horus_futex_entry *entries, unsigned count, uint64_t until_ns);

#endif
