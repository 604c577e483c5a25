/* The floor of everything that sleeps: two processes wake each other through a futex; half a round trip. */
#include "bench.h"

#include <linux/futex.h>
#include <sys/syscall.h>

static void hand_over(uint32_t *word, uint32_t value) {
    __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void sleep_while(uint32_t *word, uint32_t value) {
    while (__atomic_load_n(word, __ATOMIC_SEQ_CST) == value)
        syscall(SYS_futex, word, FUTEX_WAIT, value, NULL, NULL, 0);
}

static void bounce(void *context) {
    uint32_t *word = context;
    uint32_t mine = __atomic_load_n(word, __ATOMIC_RELAXED) + 1;
    hand_over(word, mine);
    sleep_while(word, mine);
}

static void answer(uint32_t *word, long round_trips) {
    for (long i = 0; i < round_trips; i++) {
        sleep_while(word, (uint32_t)(2 * i));
        hand_over(word, (uint32_t)(2 * i + 2));
    }
}

int main(int argc, char **argv) {
    bench_plan plan = bench_arguments(argc, argv);
    uint32_t *word = bench_shared(4096);
    if (bench_fork(&plan) == 0) {
        answer(word, bench_round_trips(&plan));
        return 0;
    }
    bench_measure(&plan, 2, bounce, word);
    wait(NULL);
    return 0;
}
