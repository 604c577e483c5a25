/* The floor of keeping time: a loop that sleeps to absolute times with clock_nanosleep, SCHED_FIFO, memory
 * locked. How late it wakes up, in ns: p50 is the 99th percentile, p99 the 99.9th.
 *
 * Arguments: how often, the period in ns, the core, the priority. */
#include "bench.h"

#include <errno.h>

static void become_real_time(int core, int priority) {
    struct sched_param parameter = {.sched_priority = priority};
    bench_stay_on(core);
    prctl(PR_SET_TIMERSLACK, 1);
    if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &parameter))
        bench_die("sched_setscheduler");
    if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT))
        bench_die("mlockall");
}

static void sleep_until(uint64_t wake) {
    struct timespec at = {(time_t)(wake / 1000000000u), (long)(wake % 1000000000u)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
        ;
}

int main(int argc, char **argv) {
    if (argc != 5) {
        fprintf(stderr, "usage: %s COUNT PERIOD_NS CORE PRIORITY\n", argv[0]);
        return 2;
    }
    long count = atol(argv[1]);
    uint64_t period = strtoull(argv[2], NULL, 10);
    double *late = calloc((size_t)count, sizeof *late);
    if (late == NULL)
        bench_die("calloc");
    become_real_time(atoi(argv[3]), atoi(argv[4]));
    uint64_t release = bench_now() + 10 * period;
    for (long i = 0; i < count; i++) {
        sleep_until(release);
        uint64_t now = bench_now();
        late[i] = (double)(now - release);
        release +=
            period * (1 + (now - release) / period); /* those that went by are skipped, as a node's are */
    }
    double median = bench_percentile(late, count, 0.50);
    printf("{\"p50\": %.0f, \"p99\": %.0f, \"median\": %.0f}\n", bench_percentile(late, count, 0.99),
           bench_percentile(late, count, 0.999), median);
    free(late);
    return 0;
}
