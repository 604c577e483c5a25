/* One value of a message: read, write, compare. */
#include "field.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

const horus_kind_info horus_kinds[HORUS_MESSAGE + 1] = {
    [HORUS_I8] = {"i8", "i1", 1, "int"},
    [HORUS_I16] = {"i16", "i2", 2, "int"},
    [HORUS_I32] = {"i32", "i4", 4, "int"},
    [HORUS_I64] = {"i64", "i8", 8, "int"},
    [HORUS_U8] = {"u8", "u1", 1, "int"},
    [HORUS_U16] = {"u16", "u2", 2, "int"},
    [HORUS_U32] = {"u32", "u4", 4, "int"},
    [HORUS_U64] = {"u64", "u8", 8, "int"},
    [HORUS_F32] = {"f32", "f4", 4, "float"},
    [HORUS_F64] = {"f64", "f8", 8, "float"},
    [HORUS_BOOL] = {"bool_", "?", 1, "bool"},
    [HORUS_TEXT] = {"text", NULL, 0, "str"},
    [HORUS_MESSAGE] = {"message", NULL, 0, "message"},
};

int horus_field_error(const horus_field *field, PyObject *exception, const char *format, ...) {
    va_list args;
    va_start(args, format);
    PyObject *text = PyUnicode_FromFormatV(format, args);
    va_end(args);
    if (text == NULL)
        return -1;
    PyErr_Format(exception, "%s.%U: %U", field->owner != NULL ? field->owner->tp_name : "?", field->name,
                 text);
    Py_DECREF(text);
    return -1;
}

static int wrong_type(const horus_field *field, PyObject *value) {
    const char *expected =
        field->type != NULL ? ((PyTypeObject *)field->type)->tp_name : horus_kinds[field->kind].python;
    return horus_field_error(field, PyExc_TypeError, "expected %s, got %s.", expected,
                             Py_TYPE(value)->tp_name);
}

/* ---- read ---- */

static PyObject *enum_member(const horus_field *field, PyObject *number) {
    if (number == NULL)
        return NULL;
    PyObject *member = PyDict_GetItemWithError(field->members, number);
    if (member == NULL)
        return PyErr_Occurred() ? (Py_DECREF(number), NULL)
                                : number; /* a value that this class does not know */
    Py_INCREF(member);
    Py_DECREF(number);
    return member;
}

static PyObject *read_integer(const horus_field *field, const uint8_t *from) {
    switch (field->kind) {
    case HORUS_I8:
        return PyLong_FromLong(*(const int8_t *)from);
    case HORUS_I16:
        return PyLong_FromLong(*(const int16_t *)from);
    case HORUS_I32:
        return PyLong_FromLong(*(const int32_t *)from);
    case HORUS_I64:
        return PyLong_FromLongLong(*(const int64_t *)from);
    case HORUS_U8:
        return PyLong_FromLong(*from);
    case HORUS_U16:
        return PyLong_FromLong(*(const uint16_t *)from);
    case HORUS_U32:
        return PyLong_FromUnsignedLong(*(const uint32_t *)from);
    default:
        return PyLong_FromUnsignedLongLong(*(const uint64_t *)from);
    }
}

PyObject *horus_element_get(horus_field *field, uint8_t *from, horus_message *message) {
    switch (field->kind) {
    case HORUS_F32:
        return PyFloat_FromDouble((double)*(const float *)from);
    case HORUS_F64:
        return PyFloat_FromDouble(*(const double *)from);
    case HORUS_BOOL:
        return PyBool_FromLong(*from != 0);
    case HORUS_TEXT: /* another program may have written anything: reading never fails */
        return PyUnicode_DecodeUTF8((const char *)from, (Py_ssize_t)strnlen((const char *)from, field->size),
                                    "replace");
    case HORUS_MESSAGE:
        return horus_message_part((PyTypeObject *)field->type, message, from);
    default:
        return field->members == NULL ? read_integer(field, from)
                                      : enum_member(field, read_integer(field, from));
    }
}

/* ---- write ---- */

static int out_of_range(const horus_field *field, bool negative, uint64_t magnitude) {
    unsigned bits = horus_kinds[field->kind].size * 8;
    char low[24] = "0";
    unsigned long long high = UINT64_MAX >> (64 - bits);
    if (field->kind <= HORUS_I64) {
        high >>= 1;
        snprintf(low, sizeof low, "-%llu", high + 1);
    }
    char top[24], got[24];
    snprintf(top, sizeof top, "%llu", high);
    snprintf(got, sizeof got, "%s%llu", negative ? "-" : "", (unsigned long long)magnitude);
    return horus_field_error(field, PyExc_OverflowError, "expected %s in %s..%s, got %s.",
                             horus_kinds[field->kind].name, low, top, got);
}

int horus_store_integer(horus_field *field, uint8_t *to, bool negative, uint64_t magnitude) {
    if (field->kind == HORUS_F32 || field->kind == HORUS_F64)
        return horus_store_float(field, to, negative ? -(double)magnitude : (double)magnitude);
    unsigned bits = horus_kinds[field->kind].size * 8;
    uint64_t high = UINT64_MAX >> (64 - bits);
    if (field->kind <= HORUS_I64)
        high = (high >> 1) + (negative ? 1 : 0);
    else if (field->kind == HORUS_BOOL)
        high = 1;
    if (magnitude > high || (negative && magnitude != 0 && field->kind > HORUS_I64))
        return out_of_range(field, negative, magnitude);
    uint64_t value = negative ? 0 - magnitude : magnitude;
    memcpy(to, &value, horus_kinds[field->kind].size); /* little-endian, as both our platforms are */
    return 0;
}

int horus_store_float(horus_field *field, uint8_t *to, double value) {
    if (field->kind == HORUS_F64) {
        *(double *)to = value;
        return 0;
    }
    if (HORUS_UNLIKELY(field->kind != HORUS_F32))
        return horus_field_error(field, PyExc_TypeError, "expected %s, got float.",
                                 horus_kinds[field->kind].python);
    float narrow = (float)value;
    if (HORUS_UNLIKELY(isinf(narrow) && !isinf(value))) {
        char got[32];
        snprintf(got, sizeof got, "%g", value);
        return horus_field_error(field, PyExc_OverflowError, "expected f32 within +-3.4e38, got %s.", got);
    }
    *(float *)to = narrow;
    return 0;
}

/* Types that have a conversion may refuse a value, as numpy does an array of three numbers: without our
 * names. */
static int not_converted(const horus_field *field, PyObject *value) {
    if (!PyErr_ExceptionMatches(PyExc_TypeError))
        return -1;
    PyErr_Clear();
    return wrong_type(field, value);
}

static int set_float(horus_field *field, uint8_t *to, PyObject *value) {
    if (HORUS_LIKELY(PyFloat_CheckExact(value)))
        return horus_store_float(field, to, PyFloat_AS_DOUBLE(value));
    const PyNumberMethods *number = Py_TYPE(value)->tp_as_number;
    if (number == NULL || (number->nb_float == NULL && number->nb_index == NULL))
        return wrong_type(field, value);
    double wide = PyFloat_AsDouble(value);
    if (wide == -1.0 && PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError))
            return horus_field_error(field, PyExc_OverflowError,
                                     "expected a float, got an int too large for one.");
        return not_converted(field, value);
    }
    return horus_store_float(field, to, wide);
}

static int set_long(horus_field *field, uint8_t *to, PyObject *value) {
    int overflow;
    long long small = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (small == -1 && PyErr_Occurred())
        return -1;
    if (overflow == 0)
        return horus_store_integer(field, to, small < 0, small < 0 ? 0 - (uint64_t)small : (uint64_t)small);
    if (overflow > 0) {
        unsigned long long large = PyLong_AsUnsignedLongLong(value);
        if (!PyErr_Occurred())
            return horus_store_integer(field, to, false, large);
        PyErr_Clear();
    }
    return horus_field_error(field, PyExc_OverflowError, "expected %s, got an int of more than 64 bits.",
                             horus_kinds[field->kind].name);
}

static int set_integer(horus_field *field, uint8_t *to, PyObject *value) {
    if (HORUS_LIKELY(PyLong_Check(value)))
        return set_long(field, to, value);
    PyObject *number = NULL;
    if (field->members != NULL && PyObject_IsInstance(value, field->type) == 1)
        number = PyObject_GetAttrString(value, "value"); /* an Enum that is no IntEnum */
    else if (PyIndex_Check(value))
        number = PyNumber_Index(value);
    else
        return PyErr_Occurred() ? -1 : wrong_type(field, value);
    if (number == NULL)
        return not_converted(field, value);
    int result = PyLong_Check(number) ? set_long(field, to, number) : wrong_type(field, value);
    Py_DECREF(number);
    return result;
}

static int set_bool(horus_field *field, uint8_t *to, PyObject *value) {
    int truth = -1;
    if (PyBool_Check(value))
        truth = value == Py_True;
    else if (PyLong_Check(value))
        return set_long(field, to, value);
    else if (strncmp(Py_TYPE(value)->tp_name, "numpy.bool", 10) == 0) /* numpy.bool_ before numpy 2 */
        truth = PyObject_IsTrue(value);
    else
        return wrong_type(field, value);
    if (truth < 0)
        return -1;
    *to = (uint8_t)truth;
    return 0;
}

static int set_text(horus_field *field, uint8_t *to, PyObject *value) {
    if (!PyUnicode_Check(value))
        return wrong_type(field, value);
    Py_ssize_t length;
    const char *utf8 = PyUnicode_AsUTF8AndSize(value, &length);
    if (utf8 == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError))
            return -1;
        return horus_field_error(field, PyExc_ValueError, "expected text that UTF-8 can encode, got %A.",
                                 value);
    }
    if ((size_t)length >= field->size)
        return horus_field_error(
            field, PyExc_ValueError,
            "expected at most %u bytes of UTF-8, got %zd. Shorten it, or give the field a "
            "larger text().",
            field->size - 1, length);
    if (memchr(utf8, 0, (size_t)length) != NULL)
        return horus_field_error(field, PyExc_ValueError, "expected text without NUL characters.");
    memcpy(to, utf8, (size_t)length);
    memset(to + length, 0, field->size - (size_t)length);
    return 0;
}

static int set_message(horus_field *field, uint8_t *to, PyObject *value) {
    PyTypeObject *wanted = (PyTypeObject *)field->type, *got = Py_TYPE(value);
    const horus_plan *plan = horus_message_plan(wanted);
    if (got != wanted) {
        /* The same type defined again (a notebook's cell, a class built from a region) has the same hash. */
        const horus_plan *other = Py_TYPE(got) == Py_TYPE(wanted) ? horus_message_plan(got) : NULL;
        if (other == NULL || memcmp(other->hash, plan->hash, sizeof plan->hash) != 0)
            return wrong_type(field, value);
    }
    const uint8_t *from = ((horus_message *)value)->bytes;
    if (from != to)
        horus_message_copy(plan, from, to);
    return 0;
}

int horus_element_set(horus_field *field, uint8_t *to, PyObject *value) {
    switch (field->kind) {
    case HORUS_F32:
    case HORUS_F64:
        return set_float(field, to, value);
    case HORUS_BOOL:
        return set_bool(field, to, value);
    case HORUS_TEXT:
        return set_text(field, to, value);
    case HORUS_MESSAGE:
        return set_message(field, to, value);
    default:
        return set_integer(field, to, value);
    }
}

/* ---- compare ---- */

bool horus_element_equal(horus_field *field, const uint8_t *a, const uint8_t *b) {
    switch (field->kind) {
    case HORUS_F32:
        return *(const float *)a == *(const float *)b || memcmp(a, b, sizeof(float)) == 0;
    case HORUS_F64:
        return *(const double *)a == *(const double *)b || memcmp(a, b, sizeof(double)) == 0;
    case HORUS_BOOL:
        return (*a != 0) == (*b != 0);
    case HORUS_TEXT:
        return strncmp((const char *)a, (const char *)b, field->size) == 0;
    case HORUS_MESSAGE:
        return horus_message_equal((PyTypeObject *)field->type, a, b);
    default:
        return memcmp(a, b, field->size) == 0;
    }
}
