/* Pools for the fuzz targets: chunks that a writer made, and changes of them. */
#ifndef HORUS_FUZZ_POOL_H
#define HORUS_FUZZ_POOL_H

#include "../../../horus_core/native/src/pool_internal.h"
#include "ring.h"

#define POOL_BUDGET 60000u /* steps of one call */

/* Changes bytes of a chunk that exists by now: its header, a block's generation or holds, or anything. */
void stage_plan_in_chunk(input *in);

/* A file under the name that the chunk of that writer has. */
void stage_name_chunk(horus_ident writer, uint32_t id, int fd);

/* Reads all of a block, and that its length is what was asked for. */
void stage_read_block(const horus_block *block, uint64_t length);

/* Calls whatever the input says until it ends. */
void stage_play_pool(input *in);

#endif
