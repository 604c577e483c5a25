/* The C core from C: a send and a recv in one thread. */
#include "core_ring.h"

typedef struct {
    horus_publisher pub;
    horus_subscriber sub;
} ends;

static void exchange(void *context) {
    ends *both = context;
    bench_send(&both->pub);
    bench_recv(&both->sub);
}

int main(int argc, char **argv) {
    bench_plan plan = bench_arguments(argc, argv);
    bench_stay_on(plan.cores[0]);
    ends both;
    bench_open(bench_topic_file(), bench_join(bench_index_file()), &both.pub, &both.sub);
    bench_measure(&plan, 1, exchange, &both);
    return 0;
}
