/* NodeBase's figures: a row of its scheduler's flight while one runs it, at home before and after. */
#include "node.h"

#include <string.h>

/* The figures go with the node; the name, and since when, are the row's. */
static void copy_row(horus_flight_row *to, const horus_flight_row *from) {
    char name[HORUS_FLIGHT_NAME];
    uint64_t taken_ns = to->taken_ns;
    memcpy(name, to->name, sizeof name);
    memcpy(to, from, sizeof *to);
    memcpy(to->name, name, sizeof name);
    to->taken_ns = taken_ns;
    to->started_ns = 0;
}

static void go_home(horus_node *self, bool free_row) {
    if (self->flight == NULL)
        return;
    copy_row(self->home, self->row);
    self->home->tid = 0;
    if (free_row)
        horus_store_relaxed(&self->row->flags, self->row->flags | HORUS_ROW_GONE);
    self->row = self->home;
    Py_CLEAR(self->flight);
}

PyObject *horus_node_attach(horus_node *self, PyTypeObject *defining, PyObject *const *args, Py_ssize_t nargs,
                            PyObject *kwnames) {
    horus_state *state = PyType_GetModuleState(defining);
    if (nargs != 2 || kwnames != NULL || !PyObject_TypeCheck(args[0], state->Flight)) {
        PyErr_SetString(PyExc_TypeError, "_horus_attach() takes a Flight and a name");
        return NULL;
    }
    const char *name = PyUnicode_AsUTF8(args[1]);
    if (name == NULL)
        return NULL;
    go_home(self, false);
    horus_flight *flight = ((flight_object *)args[0])->flight;
    horus_flight_row *row = horus_flight_claim_row(flight, name);
    if (row == NULL)
        return PyLong_FromLong(-1);
    copy_row(row, self->home);
    self->flight = (flight_object *)Py_NewRef(args[0]);
    self->row_index = horus_flight_row_index(flight, row);
    self->row = row;
    return PyLong_FromLong(self->row_index);
}

PyObject *horus_node_detach(horus_node *self, PyObject *free_row) {
    int wanted = PyObject_IsTrue(free_row);
    if (wanted < 0)
        return NULL;
    go_home(self, wanted);
    Py_RETURN_NONE;
}

PyObject *horus_node_quantile(horus_node *self, PyObject *share) {
    double wanted = PyFloat_AsDouble(share);
    if (wanted == -1.0 && PyErr_Occurred())
        return NULL;
    return PyFloat_FromDouble(horus_flight_quantile(self->row->duration, wanted));
}

PyObject *horus_node_forgive(horus_node *self, PyObject *Py_UNUSED(ignored)) {
    horus_store_relaxed(&self->row->failed_in_row, 0);
    Py_RETURN_NONE;
}

/* One writer: a plain sum, stored so that readers of other processes see all of it or nothing. */
#define ADD(field, value) horus_store_relaxed(&(field), (field) + (value))

void horus_node_count(horus_node *self, const horus_tick_result *result) {
    horus_flight_row *row = self->row;
    uint64_t spent = result->end_ns - result->start_ns;
    if (row->ticks == 0 || spent < row->min_ns)
        horus_store_relaxed(&row->min_ns, spent);
    if (spent > row->max_ns)
        horus_store_relaxed(&row->max_ns, spent);
    horus_store_relaxed(&row->last_ns, spent);
    ADD(row->total_ns, spent);
    ADD(row->ticks, 1);
    ADD(row->duration[horus_flight_bucket(spent)], 1);
    if (HORUS_UNLIKELY(row->budget_ns != 0 && spent > row->budget_ns))
        ADD(row->overruns, 1);
    if (HORUS_UNLIKELY(result->failed)) {
        ADD(row->failed, 1);
        ADD(row->failed_in_row, 1);
    } else if (HORUS_UNLIKELY(row->failed_in_row != 0))
        horus_store_relaxed(&row->failed_in_row, 0);
}

/* ---- attributes ---- */

/* Which field an attribute is: the closure of its getter and setter. */
typedef struct {
    size_t offset;
    int bytes;
} row_field;

#define FIELD(name) (&(row_field){offsetof(horus_flight_row, name), sizeof(((horus_flight_row *)0)->name)})

static PyObject *get_field(horus_node *self, void *closure) {
    const row_field *field = closure;
    const void *at = (const char *)self->row + field->offset;
    if (field->bytes == 8)
        return PyLong_FromUnsignedLongLong(horus_load_relaxed((const uint64_t *)at));
    return PyLong_FromUnsignedLong(horus_load_relaxed((const uint32_t *)at));
}

static int set_field(horus_node *self, PyObject *value, void *closure) {
    const row_field *field = closure;
    void *at = (char *)self->row + field->offset;
    if (value == NULL) {
        PyErr_SetString(PyExc_AttributeError, "cannot be deleted");
        return -1;
    }
    uint64_t number = PyLong_AsUnsignedLongLong(value);
    if (number == (uint64_t)-1 && PyErr_Occurred())
        return -1;
    if (field->bytes == 8)
        horus_store_relaxed((uint64_t *)at, number);
    else
        horus_store_relaxed((uint32_t *)at, (uint32_t)number);
    return 0;
}

/* A change of state is an event, too. */
static int set_state(horus_node *self, PyObject *value, void *closure) {
    uint32_t before = self->row->state;
    if (set_field(self, value, closure) < 0)
        return -1;
    if (self->flight != NULL && self->row->state != before)
        horus_flight_write_event(self->flight->flight, self->row_index, HORUS_EVENT_STATE,
                                 (uint8_t)self->row->state, NULL, 0);
    return 0;
}

static PyObject *get_order(horus_node *self, void *Py_UNUSED(closure)) {
    return PyLong_FromLong(self->row->order);
}

static int set_order(horus_node *self, PyObject *value, void *Py_UNUSED(closure)) {
    int overflow;
    long order = value == NULL ? 0 : PyLong_AsLongAndOverflow(value, &overflow);
    if (order == -1 && PyErr_Occurred())
        return -1;
    order = order > INT32_MAX ? INT32_MAX : order < INT32_MIN ? INT32_MIN : order;
    horus_store_relaxed(&self->row->order, (int32_t)order);
    return 0;
}

static PyObject *get_class(horus_node *self, void *Py_UNUSED(closure)) {
    const char *name = self->row->exec_class;
    return PyUnicode_FromStringAndSize(name, (Py_ssize_t)strnlen(name, sizeof self->row->exec_class));
}

static int set_class(horus_node *self, PyObject *value, void *Py_UNUSED(closure)) {
    const char *name = value == NULL ? "" : PyUnicode_AsUTF8(value);
    if (name == NULL)
        return -1;
    memset(self->row->exec_class, 0, sizeof self->row->exec_class);
    memcpy(self->row->exec_class, name, strnlen(name, sizeof self->row->exec_class));
    return 0;
}

static PyObject *get_row(horus_node *self, void *Py_UNUSED(closure)) {
    return PyLong_FromLong(self->flight == NULL ? -1 : self->row_index);
}

#define READ(name) {"_horus_" #name, (getter)get_field, NULL, NULL, FIELD(name)}
#define READ_WRITE(name) {"_horus_" #name, (getter)get_field, (setter)set_field, NULL, FIELD(name)}

PyGetSetDef horus_node_row_getset[] = {
    READ(ticks),
    READ(failed),
    READ(failed_in_row),
    READ(missed),
    READ(missed_in_row),
    READ(skipped),
    READ(overruns),
    READ(hung),
    READ(tid),
    READ(total_ns),
    READ(min_ns),
    READ(max_ns),
    READ(last_ns),
    READ(started_ns),
    READ_WRITE(restarts),
    READ_WRITE(flags),
    READ_WRITE(ladder),
    READ_WRITE(safe_state_ns),
    READ_WRITE(safe_ticks),
    READ_WRITE(period_ns),
    READ_WRITE(budget_ns),
    READ_WRITE(deadline_ns),
    READ_WRITE(watchdog_ns),
    {"_horus_state", (getter)get_field, (setter)set_state, NULL, FIELD(state)},
    {"_horus_order", (getter)get_order, (setter)set_order, NULL, NULL},
    {"_horus_class", (getter)get_class, (setter)set_class, NULL, NULL},
    {"_horus_row", (getter)get_row, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
