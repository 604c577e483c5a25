/* The floor of a send in one thread as docs/protocol.md has it: one look at the clock for the publish time,
 * two compare-and-swaps on the slot's word. */
#include "bench.h"

static void send_at_least(void *context) {
    uint64_t *word = context;
    uint64_t seen = __atomic_load_n(word, __ATOMIC_ACQUIRE);
    __atomic_store_n(&word[1], bench_now(), __ATOMIC_RELAXED);
    for (int i = 0; i < 2; i++, seen++)
        __atomic_compare_exchange_n(word, &seen, seen + 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE);
}

int main(int argc, char **argv) {
    bench_plan plan = bench_arguments(argc, argv);
    bench_stay_on(plan.cores[0]);
    bench_measure(&plan, 1, send_at_least, bench_shared(4096));
    return 0;
}
