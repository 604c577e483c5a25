/* Messages to and from the wire. Plain C: knows nothing of objects. */
#include "message.h"

#include <string.h>

static uint32_t used_elements(const horus_bounded *array, const uint8_t *bytes) {
    uint32_t count;
    memcpy(&count, bytes + array->count_offset, sizeof count);
    return count < array->capacity ? count : array->capacity;
}

static uint8_t *put_segment(uint8_t *wire, const uint8_t *from, size_t length) {
    size_t padded = horus_round_up(length, 8);
    memcpy(wire, from, length);
    memset(wire + length, 0, padded - length);
    return wire + padded;
}

size_t horus_message_pack(const horus_plan *plan, const void *bytes, void *wire) {
    const uint8_t *from = bytes;
    uint8_t *to = wire;
    size_t start = 0;
    for (uint32_t i = 0; i < plan->n_bounded; i++) {
        const horus_bounded *array = &plan->bounded[i];
        size_t used = (size_t)used_elements(array, from) * array->element_size;
        to = put_segment(to, from + start, array->offset + used - start);
        start = array->offset + (size_t)array->capacity * array->element_size;
    }
    to = put_segment(to, from + start, plan->size - start);
    return (size_t)(to - (uint8_t *)wire);
}

int horus_message_unpack(const horus_plan *plan, const void *wire, size_t length, void *bytes) {
    const uint8_t *from = wire;
    uint8_t *to = bytes;
    size_t start = 0;
    for (uint32_t i = 0; i < plan->n_bounded; i++) {
        const horus_bounded *array = &plan->bounded[i];
        size_t fixed = array->offset - start;
        if (length < fixed)
            return -1;
        memcpy(to + start, from, fixed);
        uint32_t count;
        memcpy(&count, to + array->count_offset,
               sizeof count); /* from the copy, which nobody else can change */
        if (count > array->capacity)
            return -1;
        size_t used = (size_t)count * array->element_size;
        size_t padded = horus_round_up(fixed + used, 8);
        if (length < padded)
            return -1;
        memcpy(to + array->offset, from + fixed, used);
        from += padded;
        length -= padded;
        start = array->offset + (size_t)array->capacity * array->element_size;
    }
    size_t rest = plan->size - start;
    if (length != rest && length != horus_round_up(rest, 8)) /* a C program may send its struct as it is */
        return -1;
    memcpy(to + start, from, rest);
    return 0;
}

void horus_message_clear(const horus_plan *plan, void *bytes) {
    uint8_t *at = bytes;
    size_t start = 0;
    for (uint32_t i = 0; i < plan->n_bounded; i++) {
        const horus_bounded *array = &plan->bounded[i];
        memset(at + start, 0, array->offset - start);
        start = array->offset + (size_t)array->capacity * array->element_size;
    }
    memset(at + start, 0, plan->size - start);
}

void horus_message_copy(const horus_plan *plan, const void *from, void *to) {
    const uint8_t *source = from;
    uint8_t *target = to;
    size_t start = 0;
    for (uint32_t i = 0; i < plan->n_bounded; i++) {
        const horus_bounded *array = &plan->bounded[i];
        size_t used = (size_t)used_elements(array, source) * array->element_size;
        memcpy(target + start, source + start, array->offset + used - start);
        start = array->offset + (size_t)array->capacity * array->element_size;
    }
    memcpy(target + start, source + start, plan->size - start);
}
