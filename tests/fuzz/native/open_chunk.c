/* Fuzz target: a reference to a chunk whose header lies, or whose file has another size or is none, while
 * calls fail and the bytes change. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <unistd.h>

#include "pool.h"

#define FILE_MAX (1u << 20)

typedef struct {
    horus_block_ref ref;
    uint8_t *bytes;
    size_t size;
    int fd;
} chunk_file;

/* A chunk as a writer makes it, with one block in use. */
static chunk_file make_chunk(input *in) {
    uint64_t block_size = pool_class_size(take(in) % 40);
    uint32_t blocks = 1 + take(in) % 8;
    size_t size = pool_chunk_size(block_size, blocks);
    chunk_file file = {.size = size};
    file.ref = (horus_block_ref){.writer = take_who(in),
                                 .chunk = take(in),
                                 .block = take(in) % blocks,
                                 .generation = 1,
                                 .length = take(in)};
    file.fd = stage_file(size, &file.bytes);
    *(chunk_header *)file.bytes = (chunk_header){
        .magic = POOL_MAGIC,
        .version = HORUS_POOL_LAYOUT,
        .chunk = file.ref.chunk,
        .writer = file.ref.writer,
        .total_size = size,
        .payload_offset = pool_payload_offset(block_size, blocks),
        .block_size = block_size,
        .blocks = blocks,
        .quota_bytes = take(in) * 64u,
    };
    block_meta *meta = (block_meta *)(file.bytes + POOL_HEADER_SIZE) + file.ref.block;
    meta->generation = file.ref.generation;
    meta->length = file.ref.length;
    memset(meta->holds, take(in), sizeof meta->holds);
    return file;
}

/* Any bytes instead of the header, in which the size is what it says. */
static void write_header(input *in, chunk_file *file) {
    chunk_header *header = (chunk_header *)file->bytes;
    for (size_t i = sizeof header->magic; i < sizeof *header && in->left > 0; i++)
        file->bytes[i] = take(in);
    header->writer = file->ref.writer;
    header->chunk = file->ref.chunk;
    if (header->total_size >= file->size &&
        header->total_size <= 1ull << 40) /* sparse: nobody reserves a terabyte */
        FAIL_UNLESS(ftruncate(file->fd, (off_t)header->total_size) == 0);
}

static void change_file(input *in, chunk_file *file, uint8_t how) {
    size_t size = file->size;
    if (how % 4 == 1) {
        write_header(in, file);
    } else if (how % 4 == 2) {
        size_t length = take_number(in, 3) % FILE_MAX;
        FAIL_UNLESS(ftruncate(file->fd, (off_t)length) == 0);
        size = length < size ? length : size;
    } else if (how % 4 == 3 && how & 8) {
        stage_cut(1 + (how >> 4) % 2, file->fd, take(in) % sizeof(chunk_header));
    }
    for (unsigned changes = size < file->size ? 0 : how >> 4 & 3; changes > 0; changes--)
        stage_plan_in_chunk(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    input in = {data, size};
    horus_error error = {0};
    index_stage *index = stage_index();
    stage_index_reset();
    stage_reset(POOL_BUDGET);
    horus_pool *pool = CALL(horus_pool_open(index->self, 1u << 20, &error));
    chunk_file file = make_chunk(&in);
    stage_name_chunk(file.ref.writer, file.ref.chunk, file.fd);
    uint8_t how = take(&in);
    change_file(&in, &file, how);
    horus_block *first = NULL, *second = NULL;
    if (how & 64) { /* a newcomer clears what it holds, in all chunks that there are */
        stage_fault(take(&in) % 16);
        horus_member *third = CALL(horus_member_join(index->fd, "fuzz", &error));
        stage_fault(0);
        if (third != NULL)
            CALL_VOID(horus_member_leave(third));
    }
    stage_fault(take(&in) % 16);
    first = CALL(horus_pool_hold(pool, &file.ref, &error));
    stage_fault(0);
    stage_cut(0, -1, 0);
    FAIL_UNLESS(first != NULL || error.code != 0);
    if (in.left > 0)
        file.ref.block = take(&in);
    second = CALL(horus_pool_hold(pool, &file.ref, &error));
    if (first != NULL) {
        stage_read_block(first, file.ref.length);
        (void)CALL(horus_block_over_quota(first));
        CALL_VOID(horus_block_release(first));
    }
    if (second != NULL)
        CALL_VOID(horus_block_release(second));
    stage_reset(UINT32_MAX);
    FAIL_UNLESS(CALL(horus_pool_close(pool)));
    munmap(file.bytes, file.size);
    stage_drop_names();
    return 0;
}
