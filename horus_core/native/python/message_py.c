/* MessageBase: making, filling, comparing and freeing messages. */
#include "field.h"

#include <string.h>

/* For the address sanitizer memory that is put aside is as good as freed. */
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(memory, size) ((void)(memory), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(memory, size) ((void)(memory), (void)(size))
#endif

static inline size_t memory_of(const horus_message_type *type) {
    return sizeof(horus_message) + horus_round_up(type->plan->size, 8);
}

static inline bool is_part(const horus_message *message) {
    return message->bytes != (const void *)message->storage;
}

PyObject *horus_message_owner(horus_message *message) {
    return is_part(message) ? (PyObject *)(uintptr_t)message->storage[0] : (PyObject *)message;
}

static inline horus_message *init(horus_message *message, PyTypeObject *type) {
    if (HORUS_UNLIKELY(message == NULL))
        return (horus_message *)PyErr_NoMemory();
    (void)PyObject_Init((PyObject *)message, type);
    message->bytes = message->storage;
    return message;
}

/* A loop that makes or receives one message a turn frees one a turn, too: its memory goes round. */
static inline horus_message *make(PyTypeObject *type) {
    horus_message_type *of = (horus_message_type *)type;
    void *memory = of->spare;
    if (HORUS_LIKELY(memory != NULL)) {
        of->spare = NULL;
        ASAN_UNPOISON_MEMORY_REGION(memory, memory_of(of));
    } else {
        memory = PyObject_Malloc(memory_of(of));
    }
    return init(memory, type);
}

PyObject *horus_message_alloc(PyTypeObject *type) {
    return (PyObject *)make(type);
}

/* A message inside another one: it shares the bytes and keeps their owner alive. */
PyObject *horus_message_part(PyTypeObject *type, horus_message *message, uint8_t *bytes) {
    horus_message *part = init(PyObject_Malloc(sizeof *part + sizeof(PyObject *)), type);
    if (part == NULL)
        return NULL;
    part->storage[0] = (uint64_t)(uintptr_t)Py_NewRef(horus_message_owner(message));
    part->bytes = bytes;
    return (PyObject *)part;
}

static void message_dealloc(PyObject *self) {
    horus_message_type *type = (horus_message_type *)Py_TYPE(self);
    if (is_part((horus_message *)self))
        Py_DECREF(horus_message_owner((horus_message *)self));
    else if (type->spare == NULL) {
        type->spare = self;
        ASAN_POISON_MEMORY_REGION(self, memory_of(type));
        self = NULL;
    }
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyObject *make_default(PyTypeObject *type) {
    const uint64_t *defaults = ((horus_message_type *)type)->defaults;
    if (HORUS_UNLIKELY(defaults == NULL))
        return PyErr_Format(PyExc_TypeError, "%s has no fields and cannot be made into a message.",
                            type->tp_name);
    const horus_plan *plan = horus_message_plan(type);
    horus_message *message = make(type);
    if (HORUS_UNLIKELY(message == NULL))
        return NULL;
    if (HORUS_LIKELY(plan->n_bounded == 0))
        for (uint32_t i = 0; i < (plan->size + 7) / 8; i++)
            message->storage[i] = defaults[i];
    else
        horus_message_copy(plan, defaults, message->bytes);
    return (PyObject *)message;
}

PyObject *horus_message_default(PyTypeObject *type) {
    if (!horus_message_type_check(type))
        return PyErr_Format(PyExc_TypeError, "%s is no message class: expected a subclass of horus.Message.",
                            type->tp_name);
    return make_default(type);
}

/* ---- construction ---- */

static horus_field *find_keyword(const horus_message_type *type, PyObject *name, uint32_t *hint) {
    for (uint32_t i = *hint; i < type->n_fields; i++)
        if (type->fields[i]->name == name)
            return *hint = i + 1, type->fields[i];
    for (uint32_t i = 0; i < type->n_fields; i++)
        if (type->fields[i]->name == name || PyUnicode_Compare(type->fields[i]->name, name) == 0)
            return *hint = i + 1, type->fields[i];
    return NULL;
}

static int too_many(const horus_message_type *type, Py_ssize_t got) {
    PyErr_Format(PyExc_TypeError, "%s(): expected at most %u positional arguments, got %zd.",
                 ((PyTypeObject *)type)->tp_name, type->n_positional, got);
    return -1;
}

static int check_required(const horus_message_type *type, Py_ssize_t n_positional, PyObject *names) {
    Py_ssize_t n_names = names != NULL ? PyTuple_GET_SIZE(names) : 0;
    for (uint32_t i = 0; i < type->n_fields; i++) {
        const horus_field *field = type->fields[i];
        bool given = !field->required || (Py_ssize_t)i < n_positional;
        for (Py_ssize_t k = 0; k < n_names && !given; k++)
            given = PyUnicode_Compare(PyTuple_GET_ITEM(names, k), field->name) == 0;
        if (!given) {
            PyErr_Format(PyExc_TypeError, "%s(): missing the argument '%U', which has no default.",
                         ((PyTypeObject *)type)->tp_name, field->name);
            return -1;
        }
    }
    return 0;
}

static int fill(horus_message_type *type, horus_message *message, PyObject *const *args, Py_ssize_t n_args,
                PyObject *names) {
    if (HORUS_UNLIKELY(n_args > (Py_ssize_t)type->n_positional))
        return too_many(type, n_args);
    for (Py_ssize_t i = 0; i < n_args; i++)
        if (horus_field_set(type->fields[i], message, args[i]) < 0)
            return -1;
    Py_ssize_t n_names = names != NULL ? PyTuple_GET_SIZE(names) : 0;
    uint32_t hint = 0;
    for (Py_ssize_t i = 0; i < n_names; i++) {
        PyObject *name = PyTuple_GET_ITEM(names, i);
        horus_field *field = find_keyword(type, name, &hint);
        if (HORUS_UNLIKELY(field == NULL))
            return horus_message_suggest((PyTypeObject *)type, name);
        if (HORUS_UNLIKELY((Py_ssize_t)hint <= n_args))
            return horus_field_error(field, PyExc_TypeError, "got two values, by position and by keyword.");
        if (horus_field_set(field, message, args[n_args + i]) < 0)
            return -1;
    }
    return HORUS_UNLIKELY(type->n_required != 0) ? check_required(type, n_args, names) : 0;
}

static PyObject *message_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    (void)args;
    (void)kwargs;
    return horus_message_default(type);
}

/* Only reached through a Python __init__ or __new__; otherwise the vectorcall below does it all. */
static int message_init(PyObject *self, PyObject *args, PyObject *kwargs) {
    Py_ssize_t n_args = PyTuple_GET_SIZE(args), n_names = kwargs != NULL ? PyDict_GET_SIZE(kwargs) : 0;
    PyObject *all = PyTuple_New(n_args + n_names), *names = PyTuple_New(n_names);
    int result = -1;
    if (all != NULL && names != NULL) {
        for (Py_ssize_t i = 0; i < n_args; i++)
            PyTuple_SET_ITEM(all, i, Py_NewRef(PyTuple_GET_ITEM(args, i)));
        PyObject *name, *value;
        for (Py_ssize_t position = 0, i = 0; n_names > 0 && PyDict_Next(kwargs, &position, &name, &value);
             i++) {
            PyTuple_SET_ITEM(names, i, Py_NewRef(name));
            PyTuple_SET_ITEM(all, n_args + i, Py_NewRef(value));
        }
        result = fill((horus_message_type *)Py_TYPE(self), (horus_message *)self, &PyTuple_GET_ITEM(all, 0),
                      n_args, names);
    }
    Py_XDECREF(all);
    Py_XDECREF(names);
    return result;
}

static PyObject *call_by_python(PyObject *type, PyObject *const *args, Py_ssize_t n_args, PyObject *names) {
    PyObject *positional = PyTuple_New(n_args), *keywords = PyDict_New(), *result = NULL;
    int failed = positional == NULL || keywords == NULL;
    for (Py_ssize_t i = 0; !failed && i < n_args; i++)
        PyTuple_SET_ITEM(positional, i, Py_NewRef(args[i]));
    for (Py_ssize_t i = 0; !failed && names != NULL && i < PyTuple_GET_SIZE(names); i++)
        failed = PyDict_SetItem(keywords, PyTuple_GET_ITEM(names, i), args[n_args + i]);
    if (!failed)
        result = PyType_Type.tp_call(type, positional, keywords);
    Py_XDECREF(positional);
    Py_XDECREF(keywords);
    return result;
}

static PyObject *message_vectorcall(PyObject *callable, PyObject *const *args, size_t n_args_and_flags,
                                    PyObject *names) {
    PyTypeObject *type = (PyTypeObject *)callable;
    Py_ssize_t n_args = PyVectorcall_NARGS(n_args_and_flags);
    if (HORUS_UNLIKELY(type->tp_init != message_init || type->tp_new != message_new))
        return call_by_python(callable, args, n_args, names);
    PyObject *message = make_default(type);
    if (HORUS_LIKELY(message != NULL) &&
        HORUS_UNLIKELY(fill((horus_message_type *)type, (horus_message *)message, args, n_args, names) < 0))
        Py_CLEAR(message);
    return message;
}

/* ---- bytes, comparing ---- */

static int message_get_buffer(PyObject *self, Py_buffer *view, int flags) {
    horus_message *message = (horus_message *)self;
    const horus_plan *plan = horus_message_plan(Py_TYPE(self));
    for (uint32_t i = 0; i < plan->n_bounded; i++) { /* what is behind a used prefix was never written */
        const horus_bounded *array = &plan->bounded[i];
        uint32_t used;
        memcpy(&used, horus_message_at(message) + array->count_offset, sizeof used);
        used = used < array->capacity ? used : array->capacity;
        memset(horus_message_at(message) + array->offset + (size_t)used * array->element_size, 0,
               (size_t)(array->capacity - used) * array->element_size);
    }
    return PyBuffer_FillInfo(view, self, message->bytes, plan->size, 1, flags);
}

static PyObject *message_compare(PyObject *self, PyObject *other, int operation) {
    if ((operation != Py_EQ && operation != Py_NE) || Py_TYPE(Py_TYPE(self)) != Py_TYPE(Py_TYPE(other)))
        Py_RETURN_NOTIMPLEMENTED;
    const horus_plan *mine = horus_message_plan(Py_TYPE(self)), *theirs = horus_message_plan(Py_TYPE(other));
    if (mine != theirs && memcmp(mine->hash, theirs->hash, sizeof mine->hash) != 0)
        Py_RETURN_NOTIMPLEMENTED;
    bool equal =
        horus_message_equal(Py_TYPE(self), ((horus_message *)self)->bytes, ((horus_message *)other)->bytes);
    return PyBool_FromLong(equal == (operation == Py_EQ));
}

static PyObject *message_to_dict(PyObject *self, PyObject *unused) {
    (void)unused;
    return horus_message_to_dict(self);
}

static PyMethodDef message_methods[] = {
    {"to_dict", message_to_dict, METH_NOARGS, "The fields as plain data: numbers, str, lists, dicts."},
    {"to_wire", horus_message_wire, METH_NOARGS,
     "The bytes that travel: the struct without unused array tails."},
    {"from_wire", horus_message_from_wire, METH_O | METH_CLASS,
     "A message from bytes that travelled; checked."},
    {"copy", horus_message_twin, METH_NOARGS, "An independent message with the same values."},
    {"__copy__", horus_message_twin, METH_NOARGS, NULL},
    {"__deepcopy__", horus_message_twin, METH_O, NULL},
    {"__reduce__", horus_message_reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot message_slots[] = {
    {Py_tp_doc, "What typed messages are made of; inherit from horus.Message instead."},
    {Py_tp_new, message_new},
    {Py_tp_init, message_init},
    {Py_tp_dealloc, message_dealloc},
    {Py_tp_repr, horus_message_repr},
    {Py_tp_richcompare, message_compare},
    {Py_tp_hash, PyObject_HashNotImplemented},
    {Py_tp_methods, message_methods},
    {Py_bf_getbuffer, message_get_buffer},
    {0, NULL},
};

static PyType_Spec message_spec = {
    .name = "horus_core._native.MessageBase",
    .basicsize = sizeof(horus_message),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = message_slots,
};

/* What type.__new__ gave the class would put its instances under the garbage collector; they hold no
 * references that could close a cycle (a part refers to its owner, never back), so they go without. */
void horus_message_type_finish(PyTypeObject *type) {
    type->tp_flags &= ~Py_TPFLAGS_HAVE_GC;
    type->tp_dealloc = message_dealloc;
    type->tp_free = PyObject_Free;
    type->tp_traverse = NULL;
    type->tp_clear = NULL;
    type->tp_vectorcall = message_vectorcall;
    if (horus_message_plan(type) !=
        NULL) /* the true size keeps classes from being swapped under an instance */
        type->tp_basicsize =
            (Py_ssize_t)(sizeof(horus_message) + horus_round_up(horus_message_plan(type)->size, 8));
}

int horus_add_message(PyObject *module, horus_state *state) {
    state->MessageBase = (PyTypeObject *)PyType_FromModuleAndSpec(module, &message_spec, NULL);
    if (state->MessageBase == NULL || PyModule_AddType(module, state->MessageBase) < 0)
        return -1;
    if (horus_add_message_type(module, state) < 0 || horus_add_field(module, state) < 0)
        return -1;
    return horus_add_array(module, state);
}
