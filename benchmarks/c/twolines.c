/* The floor of a topic in each direction: as pingpong.c, but each process writes lines of its own, one after
 * the other as a ring does. Where the processor hands a modified line over together with its ownership, one
 * word bounced is half of this; no ring can do that, since whoever answers writes elsewhere. */
#include "bench.h"

#define SLOTS 1024

typedef struct {
    _Alignas(64) uint64_t number;
} line;

typedef struct {
    line *out, *into;
    uint64_t next;
} ends;

static inline void publish(const ends *mine) {
    __atomic_store_n(&mine->out[mine->next % SLOTS].number, mine->next, __ATOMIC_RELEASE);
}

static inline void await(const ends *mine) {
    while (__atomic_load_n(&mine->into[mine->next % SLOTS].number, __ATOMIC_ACQUIRE) != mine->next) {
    }
}

static void bounce(void *context) {
    ends *mine = context;
    mine->next++;
    publish(mine);
    await(mine);
}

int main(int argc, char **argv) {
    bench_plan plan = bench_arguments(argc, argv);
    line *there = bench_shared(SLOTS * sizeof(line)), *back = bench_shared(SLOTS * sizeof(line));
    if (bench_fork(&plan) == 0) {
        ends mine = {back, there, 0};
        for (long i = bench_round_trips(&plan); i > 0; i--) {
            mine.next++;
            await(&mine);
            publish(&mine);
        }
        return 0;
    }
    ends mine = {there, back, 0};
    bench_measure(&plan, 2, bounce, &mine);
    wait(NULL);
    return 0;
}
