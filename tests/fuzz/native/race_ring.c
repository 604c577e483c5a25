/* Fuzz target: a topic over which another thread scribbles, as fast as it can, while it is used. */
#include "ring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    input in = {data, size};
    ring_stage *world = stage_ring(take(&in));
    stage_ring_reset(world);
    stage_race();
    stage_play_ring(&in, world);
    return 0;
}
