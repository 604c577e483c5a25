/* Fuzz target: pools over which another thread scribbles, as fast as it can, while they are used. */
#include "pool.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    input in = {data, size};
    stage_ring_reset(stage_ring(0));
    stage_race();
    stage_play_pool(&in);
    return 0;
}
