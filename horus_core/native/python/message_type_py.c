/* MessageMeta: message classes, and giving one its fields and its plan. */
#include "field.h"

#include <string.h>

static inline horus_message_type *message_type(PyObject *type) {
    return (horus_message_type *)type;
}

/* ---- making the class ---- */

static PyObject *with_empty_slots(PyObject *args) {
    PyObject *name, *bases, *body;
    if (!PyArg_ParseTuple(args, "UO!O!:MessageMeta", &name, &PyTuple_Type, &bases, &PyDict_Type, &body))
        return NULL;
    PyObject *copy = PyDict_Copy(body), *empty = PyTuple_New(0), *result = NULL;
    PyObject *given = copy != NULL ? PyDict_GetItemString(copy, "__slots__") : NULL;
    if (given != NULL && PyObject_Length(given) != 0) {
        if (!PyErr_Occurred())
            PyErr_Format(PyExc_TypeError, "%U: a message class has fields and cannot have __slots__.", name);
    } else if (copy != NULL && empty != NULL && PyDict_SetItemString(copy, "__slots__", empty) == 0) {
        result = PyTuple_Pack(3, name, bases, copy);
    }
    Py_XDECREF(copy);
    Py_XDECREF(empty);
    return result;
}

static PyObject *meta_new(PyTypeObject *meta, PyObject *args, PyObject *kwargs) {
    PyObject *with_slots = with_empty_slots(args);
    if (with_slots == NULL)
        return NULL;
    PyObject *type = PyType_Type.tp_new(meta, with_slots, kwargs);
    Py_DECREF(with_slots);
    if (type != NULL)
        horus_message_type_finish((PyTypeObject *)type);
    return type;
}

bool horus_message_type_check(PyTypeObject *type) {
    return Py_TYPE(type)->tp_new == meta_new;
}

static int meta_traverse(PyObject *self, visitproc visit, void *arg) {
    horus_message_type *type = message_type(self);
    Py_VISIT(Py_TYPE(self));
    for (uint32_t i = 0; i < type->n_fields; i++)
        Py_VISIT(type->fields[i]);
    return PyType_Type.tp_traverse(self, visit, arg);
}

static int meta_clear(PyObject *self) {
    return PyType_Type.tp_clear(self); /* plan and fields stay: instances may outlive the clearing */
}

static void meta_dealloc(PyObject *self) {
    horus_message_type *type = message_type(self);
    PyTypeObject *meta = Py_TYPE(self);
    horus_plan *plan = type->plan;
    horus_field **fields = type->fields;
    uint32_t n_fields = type->n_fields;
    type->n_fields = 0;
    for (uint32_t i = 0; i < n_fields; i++)
        Py_DECREF(fields[i]);
    PyMem_Free(fields);
    PyMem_Free(type->defaults);
    PyObject_Free(type->spare);
    horus_plan_free(plan);
    PyType_Type.tp_dealloc(self);
    Py_DECREF(meta);
}

/* ---- define_message(cls, fields, size, hash, defaults) ---- */

static horus_field **take_fields(horus_state *state, PyObject *list, uint32_t *n_positional,
                                 uint32_t *n_required) {
    Py_ssize_t n = PyTuple_GET_SIZE(list);
    horus_field **fields = PyMem_Calloc((size_t)n + 1, sizeof *fields);
    if (fields == NULL)
        return (horus_field **)PyErr_NoMemory();
    Py_ssize_t taken = 0;
    for (int by_keyword = 0; by_keyword <= 1; by_keyword++)
        for (Py_ssize_t i = 0; i < n; i++) {
            horus_field *field = (horus_field *)PyTuple_GET_ITEM(list, i);
            if (Py_TYPE(field) != state->FieldDescriptor) {
                PyErr_SetString(PyExc_TypeError, "define_message: expected FieldDescriptors.");
                PyMem_Free(fields);
                return NULL;
            }
            if (field->kw_only != (by_keyword == 1))
                continue;
            fields[taken++] = field;
            *n_positional += !by_keyword;
            *n_required += field->required;
        }
    for (Py_ssize_t i = 0; i < n; i++)
        Py_INCREF(fields[i]);
    return fields;
}

static int attach(horus_message_type *type) {
    for (uint32_t i = 0; i < type->n_fields; i++) {
        horus_field *field = type->fields[i];
        if (field->owner != NULL) /* inherited */
            continue;
        field->owner = (PyTypeObject *)Py_NewRef(type);
        if (PyObject_SetAttr((PyObject *)type, field->name, (PyObject *)field) < 0)
            return -1;
    }
    return 0;
}

static int set_defaults(horus_message_type *type, PyObject *defaults) {
    horus_message *made = (horus_message *)horus_message_alloc((PyTypeObject *)type);
    if (made == NULL)
        return -1;
    horus_message_clear(type->plan, made->bytes);
    PyTypeObject *base = ((PyTypeObject *)type)->tp_base;
    if (horus_message_type_check(base) && message_type((PyObject *)base)->defaults != NULL)
        horus_message_copy(horus_message_plan(base), message_type((PyObject *)base)->defaults, made->bytes);
    int result = 0;
    for (uint32_t i = 0; i < type->n_fields && result == 0; i++) {
        PyObject *value = PyDict_GetItemWithError(defaults, type->fields[i]->name);
        if (value != NULL)
            result = horus_field_set(type->fields[i], made, value);
        else if (PyErr_Occurred())
            result = -1;
        else if (type->fields[i]->kind == HORUS_MESSAGE && !type->fields[i]->alias &&
                 type->fields[i]->owner ==
                     (PyTypeObject *)type) /* a part's zero is its own class's default */
            for (uint32_t k = 0; k < type->fields[i]->capacity; k++)
                horus_message_copy(horus_message_plan((PyTypeObject *)type->fields[i]->type),
                                   message_type(type->fields[i]->type)->defaults,
                                   horus_message_at(made) + type->fields[i]->offset +
                                       (size_t)k * type->fields[i]->size);
    }
    /* Zeroed, not written: of a type with room for a map of 8 MB, which is empty at first, no page is
     * touched. */
    if (result == 0 && (type->defaults = PyMem_Calloc(1, horus_round_up(type->plan->size, 8))) == NULL)
        result = (PyErr_NoMemory(), -1);
    if (result == 0)
        horus_message_copy(type->plan, made->bytes, type->defaults);
    Py_DECREF(made);
    return result;
}

static PyObject *define_message(PyObject *module, PyObject *args) {
    horus_state *state = horus_state_of(module);
    PyObject *cls, *list, *defaults;
    unsigned size;
    const char *hash;
    Py_ssize_t hash_length;
    if (!PyArg_ParseTuple(args, "O!O!Iy#O!:define_message", state->MessageMeta, &cls, &PyTuple_Type, &list,
                          &size, &hash, &hash_length, &PyDict_Type, &defaults))
        return NULL;
    horus_message_type *type = message_type(cls);
    PyTypeObject *as_type = (PyTypeObject *)cls;
    if (type->fields != NULL || hash_length != 16 || size == 0 || size > INT32_MAX)
        return PyErr_Format(PyExc_ValueError,
                            "define_message: %s is defined already, or has a bad size or hash.",
                            as_type->tp_name);
    PyTypeObject *base = as_type->tp_base;
    if (horus_message_type_check(base) && horus_message_plan(base) != NULL &&
        horus_message_plan(base)->size > size)
        return PyErr_Format(PyExc_ValueError, "define_message: %s is smaller than its base.",
                            as_type->tp_name);
    if (as_type->tp_dictoffset != 0 || as_type->tp_weaklistoffset != 0)
        return PyErr_Format(PyExc_TypeError,
                            "%s: a message class can only inherit from message classes and from classes with "
                            "__slots__ = ().",
                            as_type->tp_name);
    uint32_t n_positional = 0, n_required = 0;
    horus_field **fields = take_fields(state, list, &n_positional, &n_required);
    if (fields == NULL)
        return NULL;
    type->fields = fields;
    type->n_fields = (uint32_t)PyTuple_GET_SIZE(list);
    type->n_positional = n_positional;
    type->n_required = n_required;
    type->plan = horus_plan_make(as_type, fields, type->n_fields, size, (const uint8_t *)hash);
    if (type->plan == NULL)
        return NULL;
    horus_message_type_finish(as_type);
    if (attach(type) < 0 || set_defaults(type, defaults) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* ---- the types ---- */

static PyObject *get_size(PyObject *self, void *closure) {
    (void)closure;
    const horus_plan *plan = message_type(self)->plan;
    return PyLong_FromUnsignedLong(plan != NULL ? plan->size : 0);
}

static PyObject *get_wire_max(PyObject *self, void *closure) {
    (void)closure;
    const horus_plan *plan = message_type(self)->plan;
    return PyLong_FromUnsignedLong(plan != NULL ? plan->wire_max : 0);
}

static PyObject *get_hash(PyObject *self, void *closure) {
    (void)closure;
    const horus_plan *plan = message_type(self)->plan;
    if (plan == NULL)
        Py_RETURN_NONE;
    return PyBytes_FromStringAndSize((const char *)plan->hash, sizeof plan->hash);
}

static PyObject *get_fields(PyObject *self, void *closure) {
    (void)closure;
    horus_message_type *type = message_type(self);
    PyObject *fields = PyTuple_New(type->n_fields);
    for (uint32_t i = 0; fields != NULL && i < type->n_fields; i++)
        PyTuple_SET_ITEM(fields, i, Py_NewRef(type->fields[i]));
    return fields;
}

static PyGetSetDef meta_getset[] = {
    {"__size__", get_size, NULL, "Bytes of the C struct; 0 without fields.", NULL},
    {"__wire_max__", get_wire_max, NULL, "Bytes on the wire with all bounded arrays full.", NULL},
    {"__type_hash__", get_hash, NULL, "16 bytes made from the name and the layout; None without fields.",
     NULL},
    {"__descriptors__", get_fields, NULL, "The fields, in the order of the constructor.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

/* Classes are called through their own tp_vectorcall, as type's are; a heap type does not inherit that. */
static PyMemberDef meta_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(PyTypeObject, tp_vectorcall), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot meta_slots[] = {
    {Py_tp_doc, "The type of message classes."},
    {Py_tp_new, meta_new},
    {Py_tp_dealloc, meta_dealloc},
    {Py_tp_traverse, meta_traverse},
    {Py_tp_clear, meta_clear},
    {Py_tp_getset, meta_getset},
    {Py_tp_members, meta_members},
    {0, NULL},
};

static PyType_Spec meta_spec = {
    .name = "horus_core._native.MessageMeta",
    .basicsize = sizeof(horus_message_type),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .slots = meta_slots,
};

static PyMethodDef type_functions[] = {
    {"define_message", define_message, METH_VARARGS, "Gives a new message class its fields and its plan."},
    {NULL, NULL, 0, NULL},
};

int horus_add_message_type(PyObject *module, horus_state *state) {
    PyObject *bases = PyTuple_Pack(1, (PyObject *)&PyType_Type);
    if (bases == NULL)
        return -1;
    state->MessageMeta = (PyTypeObject *)PyType_FromModuleAndSpec(module, &meta_spec, bases);
    Py_DECREF(bases);
    if (state->MessageMeta == NULL || PyModule_AddType(module, state->MessageMeta) < 0)
        return -1;
    return PyModule_AddFunctions(module, type_functions);
}
