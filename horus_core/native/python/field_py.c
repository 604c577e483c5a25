/* FieldDescriptor: a value inside a message as an attribute of its class. */
#include "field.h"

#include <string.h>

uint32_t horus_field_count(const horus_field *field, horus_message *message) {
    if (field->shape != HORUS_BOUNDED)
        return field->capacity;
    uint32_t count;
    memcpy(&count, horus_message_at(message) + field->count_offset, sizeof count);
    return count < field->capacity ? count : field->capacity;
}

PyObject *horus_field_get(horus_field *field, horus_message *message) {
    if (HORUS_LIKELY(field->shape == HORUS_ONE))
        return horus_element_get(field, horus_message_at(message) + field->offset, message);
    return horus_array_get(field, message);
}

int horus_field_set(horus_field *field, horus_message *message, PyObject *value) {
    if (HORUS_LIKELY(field->shape == HORUS_ONE))
        return horus_element_set(field, horus_message_at(message) + field->offset, value);
    return horus_array_set(field, message, value);
}

PyObject *horus_field_plain(horus_field *field, horus_message *message) {
    if (field->shape != HORUS_ONE)
        return horus_array_list(field, message, UINT32_MAX, true);
    PyObject *value = horus_element_get(field, horus_message_at(message) + field->offset, message);
    if (value == NULL)
        return NULL;
    PyObject *plain = value;
    if (field->kind == HORUS_MESSAGE)
        plain = horus_message_to_dict(value);
    else if (field->members != NULL && !PyLong_CheckExact(value))
        plain = PyLong_Check(value) ? PyNumber_Long(value) : PyObject_GetAttrString(value, "value");
    if (plain != value)
        Py_DECREF(value);
    return plain;
}

static bool belongs(const horus_field *field, PyObject *object) {
    return Py_TYPE(object) == field->owner ||
           (field->owner != NULL && PyType_IsSubtype(Py_TYPE(object), field->owner));
}

static int foreign(const horus_field *field, PyObject *object) {
    return horus_field_error(field, PyExc_TypeError, "expected a message of that class, got %s.",
                             Py_TYPE(object)->tp_name);
}

static PyObject *field_descr_get(PyObject *self, PyObject *object, PyObject *type) {
    (void)type;
    horus_field *field = (horus_field *)self;
    if (object == NULL || object == Py_None)
        return Py_NewRef(self);
    if (HORUS_UNLIKELY(!belongs(field, object))) {
        foreign(field, object);
        return NULL;
    }
    return horus_field_get(field, (horus_message *)object);
}

static int field_descr_set(PyObject *self, PyObject *object, PyObject *value) {
    horus_field *field = (horus_field *)self;
    if (HORUS_UNLIKELY(!belongs(field, object)))
        return foreign(field, object);
    if (HORUS_UNLIKELY(value == NULL))
        return horus_field_error(field, PyExc_AttributeError, "a field of a message cannot be deleted.");
    return horus_field_set(field, (horus_message *)object, value);
}

/* ---- making one ---- */

static int find_name(const char *wanted, const char *const *names, int n) {
    for (int i = 0; i < n; i++)
        if (strcmp(wanted, names[i]) == 0)
            return i;
    return -1;
}

static int find_kind(const char *wanted) {
    for (int i = 0; i <= HORUS_MESSAGE; i++)
        if (strcmp(wanted, horus_kinds[i].name) == 0)
            return i;
    return -1;
}

static int check_made(horus_field *field, uint32_t size, PyObject *message_meta) {
    bool nested = field->kind == HORUS_MESSAGE;
    if (nested != (field->type != NULL && (PyObject *)Py_TYPE(field->type) == message_meta))
        return horus_field_error(field, PyExc_TypeError,
                                 "a message field needs a message class as its type.");
    if (nested && ((horus_message_type *)field->type)->defaults == NULL)
        return horus_field_error(field, PyExc_TypeError, "expected a message class with fields, got %s.",
                                 ((PyTypeObject *)field->type)->tp_name);
    field->size =
        nested ? horus_message_plan((PyTypeObject *)field->type)->size : horus_kinds[field->kind].size;
    if (field->kind == HORUS_TEXT)
        field->size = size;
    if (field->size == 0 || field->capacity == 0)
        return horus_field_error(field, PyExc_ValueError, "expected a size and a count above 0.");
    if (field->members != NULL && (!PyDict_Check(field->members) || field->kind > HORUS_U64))
        return horus_field_error(field, PyExc_TypeError, "only an integer field can have enum members.");
    return 0;
}

static PyObject *field_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static const char *const shapes[] = {"one", "fixed", "bounded"};
    static char *keywords[] = {"name",         "kind",    "offset",   "shape",   "count",
                               "count_offset", "size",    "type",     "members", "unit",
                               "doc",          "kw_only", "required", "alias",   NULL};
    PyObject *name, *of = Py_None, *members = Py_None, *unit = NULL, *doc = NULL;
    const char *kind_name, *shape_name = "one";
    unsigned offset, count = 1, count_offset = 0, size = 0;
    int kw_only = 0, required = 0, alias = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "UsI|$sIIIOOUUppp:FieldDescriptor", keywords, &name,
                                     &kind_name, &offset, &shape_name, &count, &count_offset, &size, &of,
                                     &members, &unit, &doc, &kw_only, &required, &alias))
        return NULL;
    int kind = find_kind(kind_name), shape = find_name(shape_name, shapes, 3);
    if (kind < 0 || shape < 0)
        return PyErr_Format(PyExc_ValueError, "FieldDescriptor: unknown kind %s or shape %s.", kind_name,
                            shape_name);
    horus_field *field = (horus_field *)type->tp_alloc(type, 0);
    if (field == NULL)
        return NULL;
    field->kind = (uint8_t)kind;
    field->shape = (uint8_t)shape;
    field->kw_only = kw_only;
    field->required = required;
    field->alias = alias;
    field->offset = offset;
    field->capacity = shape == HORUS_ONE ? 1 : count;
    field->count_offset = count_offset;
    field->name = Py_NewRef(name);
    PyUnicode_InternInPlace(&field->name);
    field->unit = unit != NULL ? Py_NewRef(unit) : PyUnicode_FromString("");
    field->doc = doc != NULL ? Py_NewRef(doc) : PyUnicode_FromString("");
    field->type = of == Py_None ? NULL : Py_NewRef(of);
    field->members = members == Py_None ? NULL : Py_NewRef(members);
    horus_state *state = PyType_GetModuleState(type);
    if (check_made(field, size, (PyObject *)state->MessageMeta) < 0) {
        Py_DECREF(field);
        return NULL;
    }
    return (PyObject *)field;
}

static int field_traverse(PyObject *self, visitproc visit, void *arg) {
    horus_field *field = (horus_field *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(field->type);
    Py_VISIT(field->members);
    Py_VISIT(field->dtype);
    Py_VISIT((PyObject *)field->owner);
    return 0;
}

/* `type` and `members` stay until the end: a message may still be read while garbage is collected. */
static int field_clear(PyObject *self) {
    Py_CLEAR(((horus_field *)self)->owner);
    return 0;
}

static void field_dealloc(PyObject *self) {
    horus_field *field = (horus_field *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    field_clear(self);
    Py_XDECREF(field->name);
    Py_XDECREF(field->unit);
    Py_XDECREF(field->doc);
    Py_XDECREF(field->type);
    Py_XDECREF(field->members);
    Py_XDECREF(field->dtype);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *field_repr(PyObject *self) {
    horus_field *field = (horus_field *)self;
    return PyUnicode_FromFormat("<field %s.%U: %s at %u>", field->owner != NULL ? field->owner->tp_name : "?",
                                field->name, horus_kinds[field->kind].name, field->offset);
}

static PyObject *get_kind(PyObject *self, void *closure) {
    (void)closure;
    return PyUnicode_FromString(horus_kinds[((horus_field *)self)->kind].name);
}

static PyObject *get_shape(PyObject *self, void *closure) {
    static const char *const shapes[] = {"one", "fixed", "bounded"};
    (void)closure;
    return PyUnicode_FromString(shapes[((horus_field *)self)->shape]);
}

static PyGetSetDef field_getset[] = {
    {"kind", get_kind, NULL, "f32, u8, text, message, ...", NULL},
    {"shape", get_shape, NULL, "one, or for arrays fixed or bounded.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef field_members[] = {
    {"name", T_OBJECT, offsetof(horus_field, name), READONLY, "The attribute's name."},
    {"__name__", T_OBJECT, offsetof(horus_field, name), READONLY, NULL},
    {"unit", T_OBJECT, offsetof(horus_field, unit), READONLY, "Such as m/s; may be empty."},
    {"__doc__", T_OBJECT, offsetof(horus_field, doc), READONLY, NULL},
    {"doc", T_OBJECT, offsetof(horus_field, doc), READONLY, "One sentence; may be empty."},
    {"type", T_OBJECT, offsetof(horus_field, type), READONLY,
     "The nested message class or the enum, or None."},
    {"__objclass__", T_OBJECT, offsetof(horus_field, owner), READONLY, NULL},
    {"offset", T_UINT, offsetof(horus_field, offset), READONLY, "Bytes from the start of the struct."},
    {"size", T_UINT, offsetof(horus_field, size), READONLY, "Bytes of one element."},
    {"capacity", T_UINT, offsetof(horus_field, capacity), READONLY, "Elements of an array; else 1."},
    {"count_offset", T_UINT, offsetof(horus_field, count_offset), READONLY, "Of a bounded array's count."},
    {"kw_only", T_BOOL, offsetof(horus_field, kw_only), READONLY, "Not accepted positionally."},
    {"required", T_BOOL, offsetof(horus_field, required), READONLY, "Has no default."},
    {"alias", T_BOOL, offsetof(horus_field, alias), READONLY, "Names bytes of another field."},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot field_slots[] = {
    {Py_tp_doc, "A value inside a message, at a fixed offset, as an attribute of the message's class."},
    {Py_tp_new, field_new},
    {Py_tp_dealloc, field_dealloc},
    {Py_tp_traverse, field_traverse},
    {Py_tp_clear, field_clear},
    {Py_tp_repr, field_repr},
    {Py_tp_descr_get, field_descr_get},
    {Py_tp_descr_set, field_descr_set},
    {Py_tp_members, field_members},
    {Py_tp_getset, field_getset},
    {0, NULL},
};

static PyType_Spec field_spec = {
    .name = "horus_core._native.FieldDescriptor",
    .basicsize = sizeof(horus_field),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = field_slots,
};

int horus_add_field(PyObject *module, horus_state *state) {
    state->FieldDescriptor = (PyTypeObject *)PyType_FromModuleAndSpec(module, &field_spec, NULL);
    if (state->FieldDescriptor == NULL)
        return -1;
    return PyModule_AddType(module, state->FieldDescriptor);
}
