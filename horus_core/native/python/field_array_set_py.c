/* Assigning to array fields: any sequence, or any buffer of numbers at the speed of memory. Whole or not at
 * all. */
#include "field.h"

#include <string.h>

static int check_count(const horus_field *field, Py_ssize_t got) {
    bool bounded = field->shape == HORUS_BOUNDED;
    if (bounded ? got <= (Py_ssize_t)field->capacity : got == (Py_ssize_t)field->capacity)
        return 0;
    return horus_field_error(field, PyExc_ValueError, "expected %s%u elements, got %zd.",
                             bounded ? "at most " : "", field->capacity, got);
}

static void commit(const horus_field *field, horus_message *message, const void *elements, Py_ssize_t count) {
    memmove(horus_message_at(message) + field->offset, elements, (size_t)count * field->size);
    if (field->shape == HORUS_BOUNDED) {
        uint32_t used = (uint32_t)count;
        memcpy(horus_message_at(message) + field->count_offset, &used, sizeof used);
    }
}

/* ---- from a buffer ---- */

/* The kind of a struct-module format in native byte order, or -1. */
static int buffer_kind(const Py_buffer *view) {
    const char *format = view->format != NULL ? view->format : "B";
    if (*format == '@' || *format == '=' || *format == '<')
        format++;
    if (format[0] == '\0' || format[1] != '\0')
        return -1;
    int log = view->itemsize == 1   ? 0
              : view->itemsize == 2 ? 1
              : view->itemsize == 4 ? 2
              : view->itemsize == 8 ? 3
                                    : -1;
    if (*format == 'f' && log == 2)
        return HORUS_F32;
    if (*format == 'd' && log == 3)
        return HORUS_F64;
    if (*format == '?')
        return HORUS_BOOL;
    if (log >= 0 && strchr("bhilqn", *format) != NULL)
        return HORUS_I8 + log;
    if (log >= 0 && strchr("BHILQN", *format) != NULL)
        return HORUS_U8 + log;
    return -1;
}

static uint64_t load_bits(const uint8_t *from, size_t size) {
    uint64_t bits = 0;
    memcpy(&bits, from, size);
    return bits;
}

static int convert_one(horus_field *field, uint8_t *to, const uint8_t *from, int kind) {
    if (kind == HORUS_F64 || kind == HORUS_F32) {
        double wide;
        float narrow;
        if (kind == HORUS_F64) {
            memcpy(&wide, from, sizeof wide);
        } else {
            memcpy(&narrow, from, sizeof narrow);
            wide = (double)narrow;
        }
        return horus_store_float(field, to, wide);
    }
    if (kind == HORUS_BOOL)
        return horus_store_integer(field, to, false, *from != 0);
    size_t size = horus_kinds[kind].size;
    uint64_t bits = load_bits(from, size);
    bool negative = kind <= HORUS_I64 && (bits >> (size * 8 - 1)) != 0;
    if (negative)
        bits = 0 - (bits | (size < 8 ? UINT64_MAX << (size * 8) : 0));
    return horus_store_integer(field, to, negative, bits);
}

static int convert_all(horus_field *field, uint8_t *to, const uint8_t *from, int kind, Py_ssize_t count) {
    size_t step = horus_kinds[kind].size;
    if (kind == HORUS_F64 &&
        field->kind == HORUS_F32) { /* what numpy makes by default; keep it a tight loop */
        unsigned lost = 0;          /* finite before, not finite after: x - x is 0 for finite x only */
        for (Py_ssize_t i = 0; i < count; i++) {
            double wide;
            memcpy(&wide, from + (size_t)i * step, sizeof wide);
            float narrow = (float)wide;
            lost |= (unsigned)(narrow - narrow != 0.0f) & (unsigned)(wide - wide == 0.0);
            memcpy(to + (size_t)i * sizeof narrow, &narrow, sizeof narrow);
        }
        if (lost == 0)
            return 0;
    }
    for (Py_ssize_t i = 0; i < count; i++)
        if (convert_one(field, to + (size_t)i * field->size, from + (size_t)i * step, kind) < 0)
            return -1;
    return 0;
}

static int set_from_buffer(horus_field *field, horus_message *message, Py_buffer *view, int kind) {
    Py_ssize_t count = view->itemsize > 0 ? view->len / view->itemsize : 0;
    if (check_count(field, count) < 0)
        return -1;
    bool contiguous = PyBuffer_IsContiguous(view, 'C');
    if (contiguous && kind == field->kind && kind != HORUS_BOOL && field->members == NULL) {
        commit(field, message, view->buf, count);
        return 0;
    }
    uint8_t *source = contiguous ? NULL : PyMem_Malloc((size_t)view->len + 1);
    uint8_t *made = PyMem_Malloc((size_t)count * field->size + 1);
    int result = -1;
    if (made == NULL || (source == NULL && !contiguous))
        PyErr_NoMemory();
    else if (contiguous || PyBuffer_ToContiguous(source, view, view->len, 'C') == 0)
        result = convert_all(field, made, contiguous ? view->buf : source, kind, count);
    if (result == 0)
        commit(field, message, made, count);
    PyMem_Free(source);
    PyMem_Free(made);
    return result;
}

/* 1 done, 0 not a buffer of numbers, -1 failed. */
static int try_buffer(horus_field *field, horus_message *message, PyObject *value) {
    if (horus_kinds[field->kind].numpy == NULL || !PyObject_CheckBuffer(value))
        return 0;
    if ((PyBytes_Check(value) || PyByteArray_Check(value)) && horus_kinds[field->kind].size != 1)
        return horus_field_error(field, PyExc_TypeError, "expected numbers, got %s.",
                                 Py_TYPE(value)->tp_name);
    Py_buffer view;
    if (PyObject_GetBuffer(value, &view, PyBUF_STRIDED_RO | PyBUF_FORMAT) < 0) {
        if (PyErr_ExceptionMatches(PyExc_MemoryError))
            return -1;
        PyErr_Clear();
        return 0;
    }
    int kind = view.ndim > 0 ? buffer_kind(&view) : -1;
    int result = kind < 0 ? 0 : set_from_buffer(field, message, &view, kind) < 0 ? -1 : 1;
    PyBuffer_Release(&view);
    return result;
}

/* ---- from a sequence ---- */

static int set_from_tuple(horus_field *field, horus_message *message, PyObject *values) {
    Py_ssize_t count = PyTuple_GET_SIZE(values);
    if (check_count(field, count) < 0)
        return -1;
    /* Aligned as the kind needs: PyMem_Malloc gives 16. Zeroed, for what a message's copy leaves out. */
    uint8_t *made = PyMem_Calloc((size_t)count + 1, field->size);
    if (made == NULL)
        return PyErr_NoMemory(), -1;
    int result = 0;
    for (Py_ssize_t i = 0; i < count && result == 0; i++)
        result = horus_element_set(field, made + (size_t)i * field->size, PyTuple_GET_ITEM(values, i));
    if (result == 0)
        commit(field, message, made, count);
    PyMem_Free(made);
    return result;
}

int horus_array_set(horus_field *field, horus_message *message, PyObject *value) {
    int done = try_buffer(field, message, value);
    if (done != 0)
        return done < 0 ? -1 : 0;
    if (PyUnicode_Check(value) || PyDict_Check(value) || Py_TYPE(value)->tp_as_sequence == NULL)
        return horus_field_error(field, PyExc_TypeError, "expected a sequence of %s, got %s.",
                                 horus_kinds[field->kind].python, Py_TYPE(value)->tp_name);
    PyObject *values = PySequence_Tuple(value);
    if (values == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_TypeError))
            return -1;
        return horus_field_error(field, PyExc_TypeError, "expected a sequence of %s, got %s.",
                                 horus_kinds[field->kind].python, Py_TYPE(value)->tp_name);
    }
    int result = set_from_tuple(field, message, values);
    Py_DECREF(values);
    return result;
}
