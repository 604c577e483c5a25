/* What the floors share: the clock, a core to stay on, memory to share with a forked child, percentiles.
 *
 * As in peers/loops.py, p50 is of bursts (many operations between two looks at the clock) and p99 of single
 * operations. Arguments: count of samples, operations in a burst, the cores of the two processes. */
#ifndef HORUS_BENCH_H
#define HORUS_BENCH_H

#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WARM_UP 20

typedef struct {
    long count;
    long burst;
    int cores[2];
} bench_plan;

static inline uint64_t bench_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline void bench_die(const char *what) {
    perror(what);
    exit(1);
}

static inline bench_plan bench_arguments(int argc, char **argv) {
    if (argc != 5) {
        fprintf(stderr, "usage: %s COUNT BURST CORE CORE\n", argv[0]);
        exit(2);
    }
    return (bench_plan){atol(argv[1]), atol(argv[2]), {atoi(argv[3]), atoi(argv[4])}};
}

static inline void bench_stay_on(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    if (sched_setaffinity(0, sizeof set, &set))
        bench_die("sched_setaffinity");
}

static inline void *bench_shared(size_t size) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        bench_die("mmap");
    memset(memory, 0, size);
    return memory;
}

/* fork; the child stays on the second core and dies with its parent. */
static inline pid_t bench_fork(const bench_plan *plan) {
    pid_t child = fork();
    if (child < 0)
        bench_die("fork");
    if (child == 0)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    bench_stay_on(plan->cores[child == 0]);
    return child;
}

static inline long bench_round_trips(const bench_plan *plan) {
    return (WARM_UP + plan->count) * plan->burst + plan->count;
}

static inline int bench_compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static inline double bench_percentile(double *samples, long count, double share) {
    qsort(samples, (size_t)count, sizeof *samples, bench_compare);
    return samples[(long)(share * (double)count)];
}

/* Times `operation` as pair() in peers/loops.py does and prints the summary; each operation counts as
 * `parts`. */
static inline void bench_measure(const bench_plan *plan, int parts, void (*operation)(void *),
                                 void *context) {
    double *bursts = malloc((size_t)(WARM_UP + plan->count) * sizeof *bursts);
    double *singles = malloc((size_t)plan->count * sizeof *singles);
    if (!bursts || !singles)
        bench_die("malloc");
    for (long i = 0; i < WARM_UP + plan->count; i++) {
        uint64_t begin = bench_now();
        for (long k = 0; k < plan->burst; k++)
            operation(context);
        bursts[i] = (double)(bench_now() - begin) / (double)(plan->burst * parts);
    }
    for (long i = 0; i < plan->count; i++) {
        uint64_t begin = bench_now();
        operation(context);
        singles[i] = (double)(bench_now() - begin) / parts;
    }
    printf("{\"p50\": %.2f, \"p99\": %.2f, \"p999\": %.2f}\n",
           bench_percentile(bursts + WARM_UP, plan->count, 0.50),
           bench_percentile(singles, plan->count, 0.99), bench_percentile(singles, plan->count, 0.999));
    free(bursts);
    free(singles);
}

#endif
