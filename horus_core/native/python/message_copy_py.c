/* Copies of messages, and equality: what the bytes of two messages have to do with one another. */
#include "field.h"

#include <string.h>

PyObject *horus_message_twin(PyObject *self, PyObject *unused) {
    (void)unused;
    PyObject *copy = horus_message_alloc(Py_TYPE(self));
    if (copy != NULL)
        horus_message_copy(horus_message_plan(Py_TYPE(self)), ((horus_message *)self)->bytes,
                           ((horus_message *)copy)->bytes);
    return copy;
}

PyObject *horus_message_wire(PyObject *self, PyObject *unused) {
    (void)unused;
    const horus_plan *plan = horus_message_plan(Py_TYPE(self));
    PyObject *wire = PyBytes_FromStringAndSize(NULL, plan->wire_max);
    if (wire != NULL) {
        size_t length = horus_message_pack(plan, ((horus_message *)self)->bytes, PyBytes_AS_STRING(wire));
        _PyBytes_Resize(&wire, (Py_ssize_t)length);
    }
    return wire;
}

PyObject *horus_message_from_wire(PyObject *cls, PyObject *argument) {
    PyTypeObject *type = (PyTypeObject *)cls;
    PyObject *message = horus_message_default(type);
    Py_buffer view;
    if (message == NULL)
        return NULL;
    if (PyObject_GetBuffer(argument, &view, PyBUF_SIMPLE) < 0)
        return Py_DECREF(message), NULL;
    if (horus_message_unpack(horus_message_plan(type), view.buf, (size_t)view.len,
                             ((horus_message *)message)->bytes) < 0) {
        PyErr_Format(PyExc_ValueError,
                     "%s.from_wire: expected the bytes of a %s, got %zd that do not fit it.", type->tp_name,
                     type->tp_name, view.len);
        Py_CLEAR(message);
    }
    PyBuffer_Release(&view);
    return message;
}

PyObject *horus_message_reduce(PyObject *self, PyObject *unused) {
    PyObject *restore = NULL, *module = PyImport_ImportModule("horus_core.messages.message");
    if (module != NULL)
        restore = PyObject_GetAttrString(module, "_restore");
    Py_XDECREF(module);
    PyObject *wire = restore != NULL ? horus_message_wire(self, unused) : NULL;
    if (wire == NULL)
        return Py_XDECREF(restore), NULL;
    const horus_plan *plan = horus_message_plan(Py_TYPE(self));
    return Py_BuildValue("N(Oy#N)", restore, Py_TYPE(self), plan->hash, (Py_ssize_t)sizeof plan->hash, wire);
}

bool horus_message_equal(PyTypeObject *type, const uint8_t *a, const uint8_t *b) {
    const horus_message_type *of = (const horus_message_type *)type;
    for (uint32_t i = 0; i < of->n_fields; i++) {
        horus_field *field = of->fields[i];
        if (field->alias)
            continue;
        uint32_t count = field->capacity;
        if (field->shape == HORUS_BOUNDED) {
            uint32_t other;
            memcpy(&count, a + field->count_offset, sizeof count);
            memcpy(&other, b + field->count_offset, sizeof other);
            if (count != other)
                return false;
            count = count < field->capacity ? count : field->capacity;
        }
        for (size_t k = 0; k < count; k++)
            if (!horus_element_equal(field, a + field->offset + k * field->size,
                                     b + field->offset + k * field->size))
                return false;
    }
    return true;
}
