/* Fuzz target: a topic whose bytes are wrong, and become wrong between the steps of each call. */
#include "ring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    input in = {data, size};
    ring_stage *world = stage_ring(take(&in));
    stage_ring_reset(world);
    stage_play_ring(&in, world);
    return 0;
}
