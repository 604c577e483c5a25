/* The floor of keeping time: a loop that sleeps to absolute times with clock_nanosleep, SCHED_FIFO, memory
 * locked. How late it is, in ns. Releases that go by are skipped, as a node's are; `missed` is their share
 * and that of those served later than a period, in percent.
 *
 * Arguments: how often, the period in ns, the core, the priority, how many ns it spins before a release. */
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

static uint64_t sleep_until(uint64_t wake, uint64_t spin) {
    uint64_t now, early = wake - spin;
    struct timespec at = {(time_t)(early / 1000000000u), (long)(early % 1000000000u)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
        ;
    while ((now = bench_now()) < wake)
        ;
    return now;
}

int main(int argc, char **argv) {
    if (argc != 6) {
        fprintf(stderr, "usage: %s COUNT PERIOD_NS CORE PRIORITY SPIN_NS\n", argv[0]);
        return 2;
    }
    long count = atol(argv[1]);
    uint64_t period = strtoull(argv[2], NULL, 10), spin = strtoull(argv[5], NULL, 10), skipped = 0,
             overdue = 0;
    double *late = calloc((size_t)count, sizeof *late);
    if (late == NULL)
        bench_die("calloc");
    become_real_time(atoi(argv[3]), atoi(argv[4]));
    uint64_t release = bench_now() + 10 * period;
    for (long i = 0; i < count; i++) {
        uint64_t now = sleep_until(release, spin);
        uint64_t gone = (now - release) / period;
        late[i] = (double)(now - release);
        skipped += gone;
        overdue += gone > 0; /* this one was not served in time either */
        release += period * (1 + gone);
    }
    double missed = 100.0 * (double)(skipped + overdue) / (double)(skipped + (uint64_t)count);
    printf("{\"p50\": %.0f, \"p99\": %.0f, \"p999\": %.0f, \"missed\": %.4f}\n",
           bench_percentile(late, count, 0.50), bench_percentile(late, count, 0.99),
           bench_percentile(late, count, 0.999), missed);
    free(late);
    return 0;
}
