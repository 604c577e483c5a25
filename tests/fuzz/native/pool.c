/* Chunks that lie, and what a reader does with them. */
#include "pool.h"

#include <inttypes.h>
#include <stdio.h>

static void plan_in_header(input *in, uint8_t *bytes, size_t size) {
    const chunk_header *header = (chunk_header *)bytes;
    uint64_t *fields[] = {(uint64_t *)&header->total_size, (uint64_t *)&header->payload_offset,
                          (uint64_t *)&header->block_size, (uint64_t *)&header->writer,
                          (uint64_t *)&header->quota_bytes};
    uint32_t *words[] = {(uint32_t *)&header->retired, (uint32_t *)&header->blocks,
                         (uint32_t *)&header->chunk, (uint32_t *)&header->version};
    uint8_t which = take(in);
    if (which % 16 < 5)
        stage_plan(in, (change){.at = fields[which % 16], .width = 8, .value = take_value(in)});
    else if (which % 16 < 9)
        stage_plan(in, (change){.at = words[which % 16 - 5], .width = 4, .value = take_value(in)});
    else
        stage_plan_anywhere(in, bytes, size < POOL_HEADER_SIZE ? size : POOL_HEADER_SIZE);
}

static void plan_in_block(input *in, uint8_t *bytes, size_t size) {
    size_t most = (size - POOL_HEADER_SIZE) / sizeof(block_meta);
    uint8_t which = take(in);
    if (most == 0)
        return;
    block_meta *meta = (block_meta *)(bytes + POOL_HEADER_SIZE) + (which >> 3) % most;
    if (which % 8 < 2)
        stage_plan(in,
                   (change){.at = &meta->generation, .width = 8, .how = which % 2, .value = take_value(in)});
    else if (which % 8 < 4)
        stage_plan(in, (change){.at = &meta->length, .width = 8, .value = take_value(in)});
    else
        stage_plan(in, (change){.at = &meta->holds[which % 4 == 0 ? take(in) % POOL_HOLD_WORDS : 0],
                                .width = 8,
                                .how = CHANGE_XOR,
                                .value = take_value(in)});
}

void stage_plan_in_chunk(input *in) {
    size_t size;
    if (stage_names() == 0)
        return;
    uint8_t *bytes = stage_named(take(in) % stage_names(), &size);
    if (bytes == NULL || size < POOL_HEADER_SIZE)
        return;
    switch (take(in) % 4) {
    case 0:
        plan_in_header(in, bytes, size);
        break;
    case 1:
    case 2:
        plan_in_block(in, bytes, size);
        break;
    default:
        stage_plan_anywhere(in, bytes, size);
    }
}

void stage_name_chunk(horus_ident writer, uint32_t id, int fd) {
    char name[160];
    snprintf(name, sizeof name, "/horus_fuzz.pool.%u-%" PRIu64 ".%u", horus_ident_index(writer),
             horus_ident_generation(writer), id);
    stage_name(name, fd);
}

void stage_read_block(const horus_block *block, uint64_t length) {
    FAIL_UNLESS(horus_block_length(block) == length);
    const uint8_t *data = horus_block_data(block);
    unsigned sum = 0;
    for (uint64_t i = 0; i < length; i += i + 512 < length ? 256 : 1) /* each line of memory, and the end */
        sum += horus_load_relaxed(&data[i]);
    __asm__ volatile("" ::"r"(sum));
}
