/* Element types and pixel formats, and whether a descriptor's geometry makes sense. */
#include "pooled_py.h"

#include <string.h>

/* DLPack's type codes: 0 int, 1 unsigned, 2 float, 4 bfloat, 6 bool. numpy's numbers are part of its ABI. */
const horus_dtype horus_dtypes[DTYPE_COUNT] = {
    {"uint8", 1, "B", 2, 1},    {"int8", 1, "b", 1, 0},     {"uint16", 2, "H", 4, 1},
    {"int16", 2, "h", 3, 0},    {"uint32", 4, "I", 6, 1},   {"int32", 4, "i", 5, 0},
    {"uint64", 8, "L", 8, 1},   {"int64", 8, "l", 7, 0},    {"float16", 2, "e", 23, 2},
    {"bfloat16", 2, "", -1, 4}, {"float32", 4, "f", 11, 2}, {"float64", 8, "d", 12, 2},
    {"bool", 1, "?", 0, 6},
};

const horus_encoding horus_encodings[ENCODING_COUNT] = {
    {"", 0, 0},         {"mono8", 0, 1},   {"mono16", 2, 1},      {"rgb8", 0, 3},
    {"bgr8", 0, 3},     {"rgba8", 0, 4},   {"bgra8", 0, 4},       {"yuv422", 0, 2},
    {"mono32f", 10, 1}, {"rgb32f", 10, 3}, {"bayer_rggb8", 0, 1}, {"depth16", 2, 1},
};

static bool kind_fits(const horus_payload_info *info) {
    if (info->kind == KIND_IMAGE || info->kind == KIND_DEPTH) {
        if (info->encoding == ENCODING_NONE || info->encoding >= ENCODING_COUNT)
            return false;
        const horus_encoding *encoding = &horus_encodings[info->encoding];
        if (info->kind == KIND_DEPTH && info->encoding != ENCODING_DEPTH16 &&
            info->encoding != ENCODING_MONO32F)
            return false;
        return info->dtype == encoding->dtype &&
               (encoding->channels == 1 ? info->ndim == 2
                                        : info->ndim == 3 && info->shape[2] == encoding->channels);
    }
    if (info->encoding != ENCODING_NONE)
        return false;
    return info->kind == KIND_TENSOR || (info->kind == KIND_CLOUD && info->ndim == 2);
}

/* numpy refuses shapes whose other dimensions would be too big, also where one dimension is 0. */
static bool numpy_takes(const horus_payload_info *info) {
    uint64_t bytes = horus_dtypes[info->dtype].size;
    for (unsigned i = 0; i < info->ndim; i++)
        if (info->shape[i] != 0 && __builtin_mul_overflow(bytes, (uint64_t)info->shape[i], &bytes))
            return false;
    return bytes <= PY_SSIZE_T_MAX;
}

static bool row_bytes(const horus_payload_info *info, uint64_t *bytes) {
    *bytes = horus_dtypes[info->dtype].size;
    for (unsigned i = 1; i < info->ndim; i++)
        if (__builtin_mul_overflow(*bytes, (uint64_t)info->shape[i], bytes))
            return false;
    return true;
}

/* Whether all that the descriptor speaks of lies within `length` bytes. The descriptor is untrusted. */
bool horus_info_fits(const horus_payload_info *info, uint64_t length) {
    if (info->dtype >= DTYPE_COUNT || info->ndim > HORUS_DIMENSIONS_MAX || info->device != 0 ||
        memchr(info->frame_id, 0, sizeof info->frame_id) == NULL || !kind_fits(info) || !numpy_takes(info))
        return false;
    unsigned size = horus_dtypes[info->dtype].size;
    uint64_t row, gaps, end;
    if (!row_bytes(info, &row) || row > PY_SSIZE_T_MAX || info->offset % size != 0 ||
        info->step % size != 0 || info->step < row)
        return false;
    uint64_t rows = info->ndim == 0 ? 1 : info->shape[0];
    if (rows == 0)
        return info->offset <= length;
    return !__builtin_mul_overflow(rows - 1, info->step, &gaps) && !__builtin_add_overflow(gaps, row, &end) &&
           !__builtin_add_overflow(end, info->offset, &end) && end <= length && end <= PY_SSIZE_T_MAX;
}

uint64_t horus_info_row(const horus_payload_info *info) {
    uint64_t row = 0;
    row_bytes(info, &row);
    return row;
}

uint64_t horus_info_bytes(const horus_payload_info *info) {
    uint64_t row = horus_info_row(info);
    return info->ndim == 0 ? row : row * info->shape[0];
}
