/* The C core from C: half a round trip between two processes that poll, over a topic in each direction. */
#include "core_ring.h"

typedef struct {
    horus_publisher out;
    horus_subscriber into;
} ends;

static void bounce(void *context) {
    ends *mine = context;
    bench_send(&mine->out);
    bench_recv(&mine->into);
}

static void answer(ends *mine, long round_trips) {
    for (long i = 0; i < round_trips; i++) {
        bench_recv(&mine->into);
        bench_send(&mine->out);
    }
}

static ends attach(int index, int out, int into) {
    ends mine;
    horus_member *member = bench_join(index);
    bench_open(out, member, &mine.out, NULL);
    bench_open(into, member, NULL, &mine.into);
    return mine;
}

int main(int argc, char **argv) {
    bench_plan plan = bench_arguments(argc, argv);
    int index = bench_index_file(), there = bench_topic_file(), back = bench_topic_file();
    uint32_t *attached = bench_shared(4096); /* a subscriber sees what is sent after it joined */
    bool child = bench_fork(&plan) == 0;
    ends mine = child ? attach(index, back, there) : attach(index, there, back);
    __atomic_add_fetch(attached, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(attached, __ATOMIC_SEQ_CST) < 2) {
    }
    if (child) {
        answer(&mine, bench_round_trips(&plan));
        return 0;
    }
    bench_measure(&plan, 2, bounce, &mine);
    wait(NULL);
    return 0;
}
