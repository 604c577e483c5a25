/* Fuzz target: pools whose bytes are wrong, and become wrong between the steps of each call; any references.
 */
#include "pool.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    input in = {data, size};
    stage_ring_reset(stage_ring(0));
    stage_play_pool(&in);
    return 0;
}
