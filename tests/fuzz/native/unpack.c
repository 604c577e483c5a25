/* Fuzz target: what comes out of a slot and is no longer shared. Typed messages with bounded arrays are
 * unpacked, and descriptors of images and their kin are checked against the block that they speak of. */
#include "message.h"
#include "pooled_py.h"
#include "stage.h"

#define ARRAYS_MAX 3u
__extension__ typedef unsigned __int128 wide;

/* A class's layout, as the metaclass makes them: each array's count before the array, arrays on multiples
 * of 8. */
static horus_plan make_plan(input *in, horus_bounded arrays[ARRAYS_MAX]) {
    static const uint32_t sizes[] = {1, 2, 4, 8, 12};
    horus_plan plan = {.n_bounded = take(in) % (ARRAYS_MAX + 1), .bounded = arrays};
    uint32_t at = 0, start = 0;
    for (uint32_t i = 0; i < plan.n_bounded; i++) {
        horus_bounded *array = &arrays[i];
        array->count_offset = (uint32_t)horus_round_up(at + take(in) % 20, 4);
        array->offset = (uint32_t)horus_round_up(array->count_offset + 4 + take(in) % 20, 8);
        array->element_size = sizes[take(in) % 5];
        array->capacity = take(in) % 20;
        at = array->offset + array->capacity * array->element_size;
        plan.wire_max += (uint32_t)horus_round_up(at - start, 8);
        start = at;
    }
    plan.size = at + 1 + take(in) % 20;
    plan.wire_max += (uint32_t)horus_round_up(plan.size - start, 8);
    return plan;
}

static void unpack_message(input *in) {
    horus_bounded arrays[ARRAYS_MAX];
    horus_plan plan = make_plan(in, arrays);
    size_t room = horus_round_up(plan.size, 8), length = in->left;
    uint8_t *wire = malloc(length), *bytes = calloc(1, room), *again = calloc(1, room);
    uint8_t *packed = malloc(plan.wire_max);
    if (length > 0)
        memcpy(wire, in->at, length);
    if (horus_message_unpack(&plan, wire, length, bytes) == 0) {
        size_t back = horus_message_pack(&plan, bytes, packed);
        FAIL_UNLESS(back <= plan.wire_max && back == horus_round_up(length, 8));
        FAIL_UNLESS(horus_message_unpack(&plan, packed, back, again) == 0);
        FAIL_UNLESS(memcmp(bytes, again, room) == 0);
        memset(again, 0, room);
        horus_message_copy(&plan, bytes, again);
        FAIL_UNLESS(memcmp(bytes, again, room) == 0);
        horus_message_clear(&plan, again); /* as a new one: nothing in it, its arrays empty */
        size_t empty = horus_message_pack(&plan, again, packed);
        for (size_t i = 0; i < empty; i++)
            FAIL_UNLESS(packed[i] == 0);
    }
    free(wire);
    free(bytes);
    free(again);
    free(packed);
}

static void check_descriptor(input *in) {
    horus_payload_info info = {.kind = take(in) % 6,
                               .dtype = take(in) % 16,
                               .ndim = take(in) % 10,
                               .encoding = take(in) % 14,
                               .device = take(in) / 255};
    info.offset = take_value(in);
    info.step = take_value(in);
    for (unsigned i = 0; i < HORUS_DIMENSIONS_MAX; i++)
        info.shape[i] = (uint32_t)take_value(in);
    memset(info.frame_id, 'f', sizeof info.frame_id - take(in) % 2);
    uint64_t length = take_value(in);
    if (!horus_info_fits(&info, length))
        return;
    FAIL_UNLESS(info.dtype < DTYPE_COUNT && info.ndim <= HORUS_DIMENSIONS_MAX);
    wide row = horus_dtypes[info.dtype].size, rows = info.ndim == 0 ? 1 : info.shape[0];
    for (unsigned i = 1; i < info.ndim; i++)
        row *= info.shape[i];
    FAIL_UNLESS(horus_info_row(&info) == row && horus_info_bytes(&info) == row * rows);
    FAIL_UNLESS(row * rows <= PY_SSIZE_T_MAX && info.step >= row);
    FAIL_UNLESS((rows == 0 ? 0 : (rows - 1) * info.step + row) + info.offset <= length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    input in = {data, size};
    if (take(&in) & 1)
        unpack_message(&in);
    else
        check_descriptor(&in);
    return 0;
}
