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

#endif
