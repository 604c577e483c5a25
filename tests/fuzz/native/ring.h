/* Topics for the fuzz targets: small regions in which every state of a slot is found, and calls on them. */
#ifndef HORUS_FUZZ_RING_H
#define HORUS_FUZZ_RING_H

#include "../../../horus_core/native/src/ring_internal.h"
#include "stage.h"

typedef struct {
    int fd;
    uint8_t *bytes, *pristine; /* the stage's own mapping, and what stood there at first */
    size_t size;
    horus_ring *ring, *of_peer; /* the mappings of the two processes */
    horus_publisher pub, peer_pub;
} ring_stage;

#define RING_STAGES 6u

/* One of RING_STAGES regions, made once. */
ring_stage *stage_ring(unsigned which);
void stage_ring_reset(ring_stage *world);

/* Steps that a call may take at most in a ring of that many slots, and a send. */
uint32_t stage_ring_budget(uint32_t capacity);
uint32_t stage_send_budget(uint32_t capacity);

/* Changes bytes of the region: a slot's word that nearly fits, a hint, an owner, or anything. */
void stage_plan_in_ring(input *in, ring_stage *world);

/* Calls whatever the input says until it ends. */
void stage_play_ring(input *in, ring_stage *world);

#endif
