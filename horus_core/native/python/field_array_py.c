/* Array fields: reading them as numpy views of the message's own bytes, or as tuples and lists. */
#include "field.h"

/* ---- ArrayBuffer: writable bytes of a message, for numpy to stand on ---- */

typedef struct {
    PyObject ob_base;
    PyObject *owner;
    uint8_t *bytes;
    Py_ssize_t length;
} array_buffer;

static int array_buffer_get(PyObject *self, Py_buffer *view, int flags) {
    array_buffer *buffer = (array_buffer *)self;
    return PyBuffer_FillInfo(view, self, buffer->bytes, buffer->length, 0, flags);
}

static void array_buffer_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    Py_DECREF(((array_buffer *)self)->owner);
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyType_Slot array_buffer_slots[] = {
    {Py_tp_dealloc, array_buffer_dealloc},
    {Py_bf_getbuffer, array_buffer_get},
    {0, NULL},
};

static PyType_Spec array_buffer_spec = {
    .name = "horus_core._native.ArrayBuffer",
    .basicsize = sizeof(array_buffer),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = array_buffer_slots,
};

/* ---- numpy ---- */

static int load_numpy(horus_state *state, horus_field *field) {
    PyObject *numpy = PyImport_ImportModule("numpy");
    if (numpy == NULL)
        return -1;
    if (state->ndarray == NULL)
        state->ndarray = PyObject_GetAttrString(numpy, "ndarray");
    field->dtype = PyObject_CallMethod(numpy, "dtype", "s", horus_kinds[field->kind].numpy);
    Py_DECREF(numpy);
    return state->ndarray != NULL && field->dtype != NULL ? 0 : -1;
}

static PyObject *numpy_view(horus_field *field, horus_message *message, uint32_t count) {
    horus_state *state = PyType_GetModuleState(Py_TYPE(field));
    if (HORUS_UNLIKELY(field->dtype == NULL) && load_numpy(state, field) < 0)
        return NULL;
    array_buffer *buffer = PyObject_New(array_buffer, state->ArrayBuffer);
    if (buffer == NULL)
        return NULL;
    buffer->owner = Py_NewRef(horus_message_owner(message));
    buffer->bytes = horus_message_at(message) + field->offset;
    buffer->length = (Py_ssize_t)count * field->size;
    PyObject *shape = PyLong_FromUnsignedLong(count);
    PyObject *array = NULL;
    if (shape != NULL)
        array = PyObject_CallFunctionObjArgs(state->ndarray, shape, field->dtype, (PyObject *)buffer, NULL);
    Py_XDECREF(shape);
    Py_DECREF(buffer);
    return array;
}

/* ---- texts and messages ---- */

static PyObject *tuple_of_elements(horus_field *field, horus_message *message, uint32_t count) {
    PyObject *tuple = PyTuple_New(count);
    for (uint32_t i = 0; tuple != NULL && i < count; i++) {
        PyObject *item = horus_element_get(
            field, horus_message_at(message) + field->offset + (size_t)i * field->size, message);
        if (item == NULL)
            Py_CLEAR(tuple);
        else
            PyTuple_SET_ITEM(tuple, i, item);
    }
    return tuple;
}

PyObject *horus_array_get(horus_field *field, horus_message *message) {
    uint32_t count = horus_field_count(field, message);
    if (horus_kinds[field->kind].numpy == NULL || field->members != NULL)
        return tuple_of_elements(field, message, count);
    return numpy_view(field, message, count);
}

/* As a list, without numpy; `plain` turns messages into dicts and leaves enums as integers. */
PyObject *horus_array_list(horus_field *field, horus_message *message, uint32_t at_most, bool plain) {
    uint32_t count = horus_field_count(field, message);
    count = count < at_most ? count : at_most;
    PyObject *list = PyList_New(count);
    for (uint32_t i = 0; list != NULL && i < count; i++) {
        uint8_t *from = horus_message_at(message) + field->offset + (size_t)i * field->size;
        PyObject *item = horus_element_get(field, from, message);
        if (item != NULL && plain && field->kind == HORUS_MESSAGE)
            Py_SETREF(item, horus_message_to_dict(item));
        else if (item != NULL && plain && field->members != NULL &&
                 PyObject_IsInstance(item, field->type) == 1)
            Py_SETREF(item, PyObject_GetAttrString(item, "value"));
        if (item == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, i, item);
    }
    return list;
}

int horus_add_array(PyObject *module, horus_state *state) {
    state->ArrayBuffer = (PyTypeObject *)PyType_FromModuleAndSpec(module, &array_buffer_spec, NULL);
    return state->ArrayBuffer != NULL ? 0 : -1;
}
