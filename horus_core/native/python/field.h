/* The fields of typed messages: what one is, and reading and writing its values. */
#ifndef HORUS_FIELD_H
#define HORUS_FIELD_H

#include "message.h"

typedef enum {
    HORUS_I8,
    HORUS_I16,
    HORUS_I32,
    HORUS_I64,
    HORUS_U8,
    HORUS_U16,
    HORUS_U32,
    HORUS_U64,
    HORUS_F32,
    HORUS_F64,
    HORUS_BOOL,
    HORUS_TEXT,    /* UTF-8, NUL-terminated, zero-filled */
    HORUS_MESSAGE, /* another message's struct */
} horus_value_kind;

typedef enum { HORUS_ONE, HORUS_FIXED, HORUS_BOUNDED } horus_shape;

typedef struct {
    const char *name;   /* as in horus.f32 and in layouts */
    const char *numpy;  /* dtype, or NULL */
    uint32_t size;      /* 0: depends on the field */
    const char *python; /* what a user passes */
} horus_kind_info;

extern const horus_kind_info horus_kinds[HORUS_MESSAGE + 1];

/* A data descriptor, immutable after its class was defined. */
typedef struct horus_field {
    PyObject ob_base;
    uint8_t kind;
    uint8_t shape;
    bool kw_only;
    bool required;
    bool alias;            /* another name of bytes that belong to a field; not part of the layout */
    uint32_t offset;       /* of the value, or of the array's first element */
    uint32_t size;         /* bytes of one element */
    uint32_t capacity;     /* elements; 1 for HORUS_ONE */
    uint32_t count_offset; /* HORUS_BOUNDED: where the u32 with the used count stands */
    PyObject *name;        /* interned */
    PyObject *unit;
    PyObject *doc;
    PyObject *type;      /* the nested message class or the enum, or NULL */
    PyObject *members;   /* enum: {integer: member} */
    PyObject *dtype;     /* numpy's, once asked for */
    PyTypeObject *owner; /* the class that defined it; NULL before */
} horus_field;

/* Raises `exception` with "Class.field: " before the text; returns -1. */
int horus_field_error(const horus_field *field, PyObject *exception, const char *format, ...);

/* One element. `message` owns the bytes (parts of it keep it alive). */
PyObject *horus_element_get(horus_field *field, uint8_t *from, horus_message *message);
int horus_element_set(horus_field *field, uint8_t *to, PyObject *value);
bool horus_element_equal(horus_field *field, const uint8_t *a, const uint8_t *b);

/* A number of a given kind into a field's element: the fast path of arrays. 0, or -1 with an exception. */
int horus_store_integer(horus_field *field, uint8_t *to, bool negative, uint64_t magnitude);
int horus_store_float(horus_field *field, uint8_t *to, double value);

/* The used elements of an array field; 1 for HORUS_ONE. Never more than the capacity. */
uint32_t horus_field_count(const horus_field *field, horus_message *message);

/* Arrays: a numpy view, or a tuple of texts or messages. `set` takes any sequence or buffer, whole or not at
 * all. */
PyObject *horus_array_get(horus_field *field, horus_message *message);
int horus_array_set(horus_field *field, horus_message *message, PyObject *value);
PyObject *horus_array_list(horus_field *field, horus_message *message, uint32_t at_most, bool plain);

PyObject *horus_field_get(horus_field *field, horus_message *message);
int horus_field_set(horus_field *field, horus_message *message, PyObject *value);

/* The value as plain data: numbers, str, lists, dicts. */
PyObject *horus_field_plain(horus_field *field, horus_message *message);

/* Messages, among the files of this concept. */
bool horus_message_type_check(PyTypeObject *type); /* whether `type` is an instance of MessageMeta */
PyObject *
horus_message_default(PyTypeObject *type); /* NULL with an exception: not to be made into messages */
PyObject *horus_message_part(PyTypeObject *type, horus_message *message, uint8_t *bytes);
PyObject *horus_message_owner(horus_message *message); /* borrowed: the object whose storage has the bytes */
bool horus_message_equal(PyTypeObject *type, const uint8_t *a, const uint8_t *b);
PyObject *horus_message_twin(PyObject *self, PyObject *unused);
PyObject *horus_message_wire(PyObject *self, PyObject *unused);
PyObject *horus_message_from_wire(PyObject *cls, PyObject *argument);
PyObject *horus_message_reduce(PyObject *self, PyObject *unused);
PyObject *horus_message_to_dict(PyObject *message);
PyObject *horus_message_repr(PyObject *message);
horus_plan *horus_plan_make(PyTypeObject *type, horus_field **fields, uint32_t n_fields, uint32_t size,
                            const uint8_t *hash); /* NULL with an exception: the fields make no sense */
void horus_plan_free(horus_plan *plan);
void horus_message_type_finish(PyTypeObject *type);
int horus_message_suggest(PyTypeObject *type, PyObject *unknown);

/* Each file's types and functions. */
int horus_add_field(PyObject *module, horus_state *state);
int horus_add_array(PyObject *module, horus_state *state);
int horus_add_message_type(PyObject *module, horus_state *state);

#endif
