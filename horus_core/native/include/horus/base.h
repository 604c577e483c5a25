/* What every part of the core needs: atomics with explicit orders, time, errors.
 *
 * Public headers compile as C11 and as C++17: the atomics are the compiler's __atomic builtins on plain
 * integers, because <stdatomic.h> does not compile as C++17. */
#ifndef HORUS_BASE_H
#define HORUS_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if !defined(__linux__)
#error "HORUS runs on Linux: x86-64 and aarch64"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define HORUS_CACHE_LINE 64u
#define HORUS_LIKELY(x) __builtin_expect(!!(x), 1)
#define HORUS_UNLIKELY(x) __builtin_expect(!!(x), 0)

#define horus_load_relaxed(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define horus_load_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define horus_load_seq_cst(p) __atomic_load_n((p), __ATOMIC_SEQ_CST)
#define horus_store_relaxed(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define horus_store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define horus_store_seq_cst(p, v) __atomic_store_n((p), (v), __ATOMIC_SEQ_CST)
#define horus_fence_acquire() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define horus_fence_release() __atomic_thread_fence(__ATOMIC_RELEASE)
#define horus_fence_seq_cst() __atomic_thread_fence(__ATOMIC_SEQ_CST)

/* Compare-and-swap; on failure *expected holds what was found. */
#define horus_cas_acq_rel(p, expected, desired)                                                              \
    __atomic_compare_exchange_n((p), (expected), (desired), false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)
#define horus_cas_seq_cst(p, expected, desired)                                                              \
    __atomic_compare_exchange_n((p), (expected), (desired), false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

/* Why a call failed, in words for the user. */
typedef struct {
    int code; /* an errno value, or 0 when no system call was involved */
    char text[512];
} horus_error;

void horus_error_set(horus_error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static inline void horus_cpu_relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield" ::: "memory");
#endif
}

/* CLOCK_MONOTONIC in nanoseconds: the same for all processes of a machine. */
uint64_t horus_now_ns(void);

static inline size_t horus_round_up(size_t value, size_t to) {
    return (value + to - 1) / to * to;
}

#ifdef __cplusplus
}
#endif
#endif
