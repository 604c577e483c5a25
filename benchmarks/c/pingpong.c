/* The floor of everything that polls: two processes bounce one word on one cache line; half a round trip. */
#include "bench.h"

static void bounce(void *context) {
    uint64_t *word = context;
    uint64_t mine = __atomic_load_n(word, __ATOMIC_RELAXED) + 1;
    __atomic_store_n(word, mine, __ATOMIC_RELEASE);
    while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == mine) {
    }
}

static void answer(uint64_t *word, long round_trips) {
    for (long i = 0; i < round_trips; i++) {
        uint64_t next = (uint64_t)(2 * i + 1);
        while (__atomic_load_n(word, __ATOMIC_ACQUIRE) != next) {
        }
        __atomic_store_n(word, next + 1, __ATOMIC_RELEASE);
    }
}

int main(int argc, char **argv) {
    bench_plan plan = bench_arguments(argc, argv);
    uint64_t *word = bench_shared(4096);
    if (bench_fork(&plan) == 0) {
        answer(word, bench_round_trips(&plan));
        return 0;
    }
    bench_measure(&plan, 2, bounce, word);
    wait(NULL);
    return 0;
}
