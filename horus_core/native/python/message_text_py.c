/* Messages for people and for JSON: repr, to_dict, and the hint for a mistyped keyword. */
#include "field.h"

#include <stdlib.h>

#define SHOWN_ELEMENTS 6u

/* The shortest text that reads back as the same float32: 0.1, not 0.10000000149011612. */
static PyObject *float32_repr(double value) {
    for (int digits = 6; digits <= 9; digits++) {
        char *text = PyOS_double_to_string(value, 'g', digits, Py_DTSF_ADD_DOT_0, NULL);
        if (text == NULL)
            return PyErr_NoMemory();
        if (digits == 9 || (float)PyOS_string_to_double(text, NULL, NULL) == (float)value || value != value) {
            PyObject *result = PyUnicode_FromString(text);
            PyMem_Free(text);
            return result;
        }
        PyMem_Free(text);
    }
    Py_UNREACHABLE();
}

static PyObject *element_repr(const horus_field *field, PyObject *value) {
    if (field->kind == HORUS_F32 && PyFloat_Check(value))
        return float32_repr(PyFloat_AS_DOUBLE(value));
    return PyObject_Repr(value);
}

static PyObject *join(PyObject *parts) {
    PyObject *comma = PyUnicode_FromString(", ");
    PyObject *text = comma != NULL ? PyUnicode_Join(comma, parts) : NULL;
    Py_XDECREF(comma);
    return text;
}

static PyObject *array_repr(horus_field *field, horus_message *message) {
    uint32_t count = horus_field_count(field, message);
    uint32_t shown = count <= SHOWN_ELEMENTS + 3 ? count : SHOWN_ELEMENTS;
    PyObject *items = horus_array_list(field, message, shown, false);
    if (items == NULL)
        return NULL;
    PyObject *text = NULL, *joined = NULL;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items); i++) {
        PyObject *part = element_repr(field, PyList_GET_ITEM(items, i));
        if (part == NULL)
            goto done;
        PyList_SetItem(items, i, part);
    }
    joined = join(items);
    if (joined != NULL)
        text = shown == count ? PyUnicode_FromFormat("[%U]", joined)
                              : PyUnicode_FromFormat("[%U, ... %u in all]", joined, count);
done:
    Py_XDECREF(joined);
    Py_DECREF(items);
    return text;
}

static PyObject *field_value_repr(horus_field *field, horus_message *message) {
    if (field->shape != HORUS_ONE)
        return array_repr(field, message);
    PyObject *value = horus_field_get(field, message);
    if (value == NULL)
        return NULL;
    PyObject *text = element_repr(field, value);
    Py_DECREF(value);
    return text;
}

PyObject *horus_message_repr(PyObject *self) {
    horus_message_type *type = (horus_message_type *)Py_TYPE(self);
    PyObject *parts = PyList_New(0), *joined = NULL, *text = NULL;
    for (uint32_t i = 0; parts != NULL && i < type->n_fields; i++) {
        horus_field *field = type->fields[i];
        if (field->alias)
            continue;
        PyObject *value = field_value_repr(field, (horus_message *)self);
        PyObject *part = value != NULL ? PyUnicode_FromFormat("%U=%U", field->name, value) : NULL;
        Py_XDECREF(value);
        if (part == NULL || PyList_Append(parts, part) < 0)
            Py_CLEAR(parts);
        Py_XDECREF(part);
    }
    if (parts != NULL)
        joined = join(parts);
    if (joined != NULL)
        text = PyUnicode_FromFormat("%s(%U)", ((PyTypeObject *)type)->tp_name, joined);
    Py_XDECREF(joined);
    Py_XDECREF(parts);
    return text;
}

PyObject *horus_message_to_dict(PyObject *self) {
    horus_message_type *type = (horus_message_type *)Py_TYPE(self);
    PyObject *result = PyDict_New();
    for (uint32_t i = 0; result != NULL && i < type->n_fields; i++) {
        horus_field *field = type->fields[i];
        if (field->alias)
            continue;
        PyObject *value = horus_field_plain(field, (horus_message *)self);
        if (value == NULL || PyDict_SetItem(result, field->name, value) < 0)
            Py_CLEAR(result);
        Py_XDECREF(value);
    }
    return result;
}

/* Raises TypeError for an unknown keyword; always -1. The search for the nearest name is Python's difflib. */
int horus_message_suggest(PyTypeObject *type, PyObject *unknown) {
    PyObject *module = PyImport_ImportModule("horus_core.messages.message");
    if (module == NULL)
        return -1;
    PyObject *error = PyObject_CallMethod(module, "_unknown_field", "OO", type, unknown);
    Py_DECREF(module);
    if (error != NULL) {
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
        Py_DECREF(error);
    }
    return -1;
}
