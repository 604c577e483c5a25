/* The plan of a message class: checked from its fields, and laid out for the wire. */
#include "field.h"

#include <stdlib.h>
#include <string.h>

/* What C demands of the place of a field's elements; a bounded array stands at a multiple of 8. */
static uint32_t alignment(const horus_field *field) {
    if (field->shape == HORUS_BOUNDED)
        return 8;
    if (field->kind == HORUS_MESSAGE)
        return horus_message_plan((PyTypeObject *)field->type)->align;
    uint32_t size = horus_kinds[field->kind].size;
    return size > 0 ? size : 1;
}

static int field_fits(const horus_field *field, PyTypeObject *type, uint32_t size) {
    uint64_t end = field->offset + (uint64_t)field->capacity * field->size;
    if (end > size)
        return horus_field_error(field, PyExc_ValueError, "does not fit into %u bytes.", size);
    if (field->offset % alignment(field) != 0)
        return horus_field_error(field, PyExc_ValueError, "is not aligned.");
    if (field->shape == HORUS_BOUNDED &&
        (field->count_offset % 4 != 0 || field->count_offset + UINT64_C(4) > field->offset))
        return horus_field_error(field, PyExc_ValueError, "has its count in the wrong place.");
    if (field->owner != NULL && !PyType_IsSubtype(type, field->owner))
        return horus_field_error(field, PyExc_TypeError, "belongs to another class.");
    return 0;
}

static uint32_t bounded_in(const horus_field *field) {
    if (field->alias)
        return 0;
    uint32_t nested =
        field->kind == HORUS_MESSAGE ? horus_message_plan((PyTypeObject *)field->type)->n_bounded : 0;
    return field->shape == HORUS_BOUNDED ? 1 : nested * field->capacity;
}

static void list_bounded(const horus_field *field, horus_bounded *to) {
    if (field->alias)
        return;
    if (field->shape == HORUS_BOUNDED) {
        *to = (horus_bounded){field->offset, field->size, field->capacity, field->count_offset};
        return;
    }
    if (field->kind != HORUS_MESSAGE)
        return;
    const horus_plan *nested = horus_message_plan((PyTypeObject *)field->type);
    for (uint32_t k = 0; k < field->capacity; k++)
        for (uint32_t i = 0; i < nested->n_bounded; i++) {
            *to = nested->bounded[i];
            to->offset += field->offset + k * field->size;
            to->count_offset += field->offset + k * field->size;
            to++;
        }
}

static int by_offset(const void *a, const void *b) {
    uint32_t left = ((const horus_bounded *)a)->offset, right = ((const horus_bounded *)b)->offset;
    return left < right ? -1 : left > right;
}

static uint32_t full_wire(const horus_plan *plan) {
    size_t wire = 0, start = 0;
    for (uint32_t i = 0; i < plan->n_bounded; i++) {
        size_t end =
            plan->bounded[i].offset + (size_t)plan->bounded[i].capacity * plan->bounded[i].element_size;
        wire += horus_round_up(end - start, 8);
        start = end;
    }
    return (uint32_t)(wire + horus_round_up(plan->size - start, 8));
}

/* Unpacking copies from left to right: arrays may not overlap, and each count stands before its array. */
static bool bounded_in_order(const horus_plan *plan) {
    uint64_t start = 0;
    for (uint32_t i = 0; i < plan->n_bounded; i++) {
        const horus_bounded *array = &plan->bounded[i];
        if (array->offset < start)
            return false;
        start = array->offset + (uint64_t)array->capacity * array->element_size;
    }
    return start <= plan->size;
}

horus_plan *horus_plan_make(PyTypeObject *type, horus_field **fields, uint32_t n_fields, uint32_t size,
                            const uint8_t *hash) {
    uint32_t n_bounded = 0, align = 1;
    for (uint32_t i = 0; i < n_fields; i++) {
        if (field_fits(fields[i], type, size) < 0)
            return NULL;
        n_bounded += bounded_in(fields[i]);
        if (alignment(fields[i]) > align)
            align = alignment(fields[i]);
    }
    horus_plan *plan = PyMem_Calloc(1, sizeof *plan);
    horus_bounded *bounded = PyMem_Calloc(n_bounded + 1, sizeof *bounded);
    if (plan == NULL || bounded == NULL) {
        PyMem_Free(plan);
        PyMem_Free(bounded);
        return (horus_plan *)PyErr_NoMemory();
    }
    horus_bounded *next = bounded;
    for (uint32_t i = 0; i < n_fields; i++) {
        list_bounded(fields[i], next);
        next += bounded_in(fields[i]);
    }
    qsort(bounded, n_bounded, sizeof *bounded, by_offset);
    *plan = (horus_plan){.size = size, .align = align, .n_bounded = n_bounded, .bounded = bounded};
    memcpy(plan->hash, hash, sizeof plan->hash);
    plan->wire_max = full_wire(plan);
    if (!bounded_in_order(plan)) {
        PyErr_Format(PyExc_ValueError, "%s: bounded arrays overlap.", type->tp_name);
        horus_plan_free(plan);
        return NULL;
    }
    return plan;
}

void horus_plan_free(horus_plan *plan) {
    if (plan != NULL)
        PyMem_Free(plan->bounded);
    PyMem_Free(plan);
}
