/* _native.FlightReader: what stands in a scheduler's record, of this or another process, living or dead. */
#include "flight_py.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    PyObject_HEAD
    horus_flight_reader reader;
} reader_object;

static PyObject *raise_error(reader_object *self, const horus_error *error) {
    PyObject *module = PyType_GetModule(Py_TYPE(self));
    return module == NULL ? NULL : horus_raise(horus_state_of(module)->errors.RegionError, error);
}

/* A descriptor of our own, of a path or of a descriptor. -1 with an exception. */
static int open_source(PyObject *source) {
    int fd;
    if (PyLong_Check(source)) {
        int given = (int)PyLong_AsLong(source);
        if (given == -1 && PyErr_Occurred())
            return -1;
        fd = fcntl(given, F_DUPFD_CLOEXEC, 3);
        if (fd < 0)
            PyErr_SetFromErrno(PyExc_OSError);
        return fd;
    }
    PyObject *path;
    if (!PyUnicode_FSConverter(source, &path))
        return -1;
    fd = open(PyBytes_AS_STRING(path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, source);
    Py_DECREF(path);
    return fd;
}

static PyObject *reader_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static char *keywords[] = {"source", NULL};
    PyObject *source;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:FlightReader", keywords, &source))
        return NULL;
    int fd = open_source(source);
    if (fd < 0)
        return NULL;
    reader_object *self = (reader_object *)type->tp_alloc(type, 0);
    if (self == NULL) {
        close(fd);
        return NULL;
    }
    horus_error error;
    if (horus_flight_open(&self->reader, fd, &error) < 0) {
        raise_error(self, &error);
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static void reader_dealloc(reader_object *self) {
    PyTypeObject *type = Py_TYPE(self);
    if (self->reader.fd >= 0)
        close(self->reader.fd);
    type->tp_free(self);
    Py_DECREF(type);
}

/* Bytes that somebody else wrote, as text. */
static PyObject *text_of(const char *bytes, size_t most) {
    return PyUnicode_DecodeUTF8(bytes, (Py_ssize_t)strnlen(bytes, most), "replace");
}

static const char *state_name(uint32_t state) {
    return state < HORUS_STATES ? horus_state_names[state] : "unknown";
}

static PyObject *reader_header(reader_object *self, PyObject *Py_UNUSED(ignored)) {
    horus_error error;
    if (horus_flight_look(&self->reader, &error) < 0)
        return raise_error(self, &error);
    const horus_flight_header *h = &self->reader.header;
    PyObject *name = text_of(h->name, sizeof h->name);
    if (name == NULL)
        return NULL;
    return Py_BuildValue("{sN sI sK sI sy# sI sI sI sI sK sK sK sK sK}", "name", name, "version", h->version,
                         "ident", h->ident, "pid", h->pid, "boot_id", (const char *)h->boot_id,
                         (Py_ssize_t)sizeof h->boot_id, "rows", h->rows, "ticks", h->ticks, "events",
                         h->events, "rows_used", h->rows_used, "created_ns", h->created_ns,
                         "created_realtime_ns", h->created_realtime_ns, "ended_ns", h->ended_ns, "tick_head",
                         h->tick_head, "event_head", h->event_head);
}

/* ---- rows ---- */

static int put(PyObject *dict, const char *key, PyObject *value) {
    int done = value == NULL ? -1 : PyDict_SetItemString(dict, key, value);
    Py_XDECREF(value);
    return done;
}

static int put_quantiles(PyObject *dict, const char *what, const uint32_t *counts) {
    static const struct {
        const char *name;
        double share;
    } wanted[] = {{"p50", 0.5}, {"p99", 0.99}, {"p999", 0.999}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        char key[32];
        snprintf(key, sizeof key, "%s_%s_ns", what, wanted[i].name);
        if (put(dict, key, PyFloat_FromDouble(horus_flight_quantile(counts, wanted[i].share))) < 0)
            return -1;
    }
    return 0;
}

static int put_numbers(PyObject *dict, const horus_flight_row *row) {
    const struct {
        const char *key;
        uint64_t value;
    } numbers[] = {
        {"ticks", row->ticks},
        {"failed", row->failed},
        {"missed", row->missed},
        {"skipped", row->skipped},
        {"overruns", row->overruns},
        {"failed_in_row", row->failed_in_row},
        {"missed_in_row", row->missed_in_row},
        {"restarts", row->restarts},
        {"hung", row->hung},
        {"ladder", row->ladder},
        {"flags", row->flags},
        {"tid", row->tid},
        {"started_ns", row->started_ns},
        {"release_ns", row->release_ns},
        {"last_ns", row->last_ns},
        {"min_ns", row->min_ns},
        {"max_ns", row->max_ns},
        {"total_ns", row->total_ns},
        {"safe_state_ns", row->safe_state_ns},
        {"period_ns", row->period_ns},
        {"budget_ns", row->budget_ns},
        {"deadline_ns", row->deadline_ns},
        {"watchdog_ns", row->watchdog_ns},
        {"taken_ns", row->taken_ns},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (put(dict, numbers[i].key, PyLong_FromUnsignedLongLong(numbers[i].value)) < 0)
            return -1;
    return 0;
}

/* Whether it entered its safe state and has begun no tick since. */
static bool is_safe(const horus_flight_row *row) {
    return row->flags & HORUS_ROW_SAFE_STATE && row->ticks == row->safe_ticks && row->started_ns == 0;
}

static PyObject *row_dict(uint32_t index, const horus_flight_row *row) {
    PyObject *dict = PyDict_New();
    if (dict == NULL)
        return NULL;
    if (put(dict, "row", PyLong_FromUnsignedLong(index)) < 0 ||
        put(dict, "name", text_of(row->name, sizeof row->name)) < 0 ||
        put(dict, "class", text_of(row->exec_class, sizeof row->exec_class)) < 0 ||
        put(dict, "state", PyUnicode_FromString(state_name(row->state))) < 0 ||
        put(dict, "order", PyLong_FromLong(row->order)) < 0 ||
        put(dict, "critical", PyBool_FromLong(row->flags & HORUS_ROW_CRITICAL)) < 0 ||
        put(dict, "degraded", PyBool_FromLong(row->flags & HORUS_ROW_DEGRADED)) < 0 ||
        put(dict, "gone", PyBool_FromLong(row->flags & HORUS_ROW_GONE)) < 0 ||
        put(dict, "held", PyBool_FromLong(row->flags & HORUS_ROW_HELD)) < 0 ||
        put(dict, "in_safe_state", PyBool_FromLong(is_safe(row))) < 0 || put_numbers(dict, row) < 0 ||
        put_quantiles(dict, "duration", row->duration) < 0 ||
        put_quantiles(dict, "lateness", row->lateness) < 0)
        Py_CLEAR(dict);
    return dict;
}

static PyObject *reader_rows(reader_object *self, PyObject *Py_UNUSED(ignored)) {
    horus_error error;
    if (horus_flight_look(&self->reader, &error) < 0)
        return raise_error(self, &error);
    PyObject *list = PyList_New(0);
    for (uint32_t i = 0; list != NULL && i < self->reader.header.rows_used; i++) {
        horus_flight_row row;
        if (!horus_flight_read_row(&self->reader, i, &row))
            break; /* cut short since the look */
        if (row.flags & HORUS_ROW_FREE)
            continue;
        PyObject *dict = row_dict(i, &row);
        if (dict == NULL || PyList_Append(list, dict) < 0)
            Py_CLEAR(list);
        Py_XDECREF(dict);
    }
    return list;
}

/* ---- rings ---- */

/* Reads the header anew and the ring's records from `since` on. The caller frees *out. (size_t)-1: error. */
static size_t fetch(reader_object *self, PyObject *const *args, Py_ssize_t nargs, size_t record, void **out,
                    size_t (*read)(const horus_flight_reader *, uint64_t, void *, size_t), bool ticks) {
    horus_error error;
    uint64_t since = 0;
    *out = NULL;
    if (nargs > 1) {
        PyErr_SetString(PyExc_TypeError, "expected one argument, the number to start after");
        return (size_t)-1;
    }
    if (nargs == 1 && (since = PyLong_AsUnsignedLongLong(args[0])) == (uint64_t)-1 && PyErr_Occurred())
        return (size_t)-1;
    if (horus_flight_look(&self->reader, &error) < 0) {
        raise_error(self, &error);
        return (size_t)-1;
    }
    size_t room = ticks ? self->reader.header.ticks : self->reader.header.events;
    *out = PyMem_RawMalloc(room * record);
    size_t count = (size_t)-1;
    if (*out != NULL) {
        Py_BEGIN_ALLOW_THREADS
        count = read(&self->reader, since, *out, room);
        Py_END_ALLOW_THREADS
    }
    if (count == (size_t)-1) {
        PyMem_RawFree(*out);
        PyErr_NoMemory();
    }
    return count;
}

static size_t read_ticks(const horus_flight_reader *reader, uint64_t since, void *out, size_t room) {
    return horus_flight_read_ticks(reader, since, out, room);
}
static size_t read_events(const horus_flight_reader *reader, uint64_t since, void *out, size_t room) {
    return horus_flight_read_events(reader, since, out, room);
}

static PyObject *node_number(uint16_t node) {
    return PyLong_FromLong(node == HORUS_FLIGHT_NO_NODE ? -1 : node);
}

static PyObject *tick_tuple(const horus_flight_tick *tick) {
    static const char *const kinds[] = {"ok",   "failed",      "missed",      "failed missed",
                                        "hung", "failed hung", "missed hung", "failed missed hung"};
    const char *kind = tick->kind < sizeof kinds / sizeof *kinds ? kinds[tick->kind] : "unknown";
    uint64_t duration = (uint64_t)tick->duration * (tick->flags & 1 ? 1000 : 1);
    uint64_t lateness = (uint64_t)tick->lateness * (tick->flags & 2 ? 1000 : 1);
    return Py_BuildValue("(KNNKKKI)", tick->seq, node_number(tick->node), PyUnicode_InternFromString(kind),
                         tick->start_ns, duration, lateness, tick->tid);
}

static PyObject *reader_ticks(reader_object *self, PyObject *const *args, Py_ssize_t nargs) {
    horus_flight_tick *ticks;
    size_t count = fetch(self, args, nargs, sizeof *ticks, (void **)&ticks, read_ticks, true);
    if (count == (size_t)-1)
        return NULL;
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (size_t i = 0; list != NULL && i < count; i++) {
        PyObject *tuple = tick_tuple(&ticks[i]);
        if (tuple == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, (Py_ssize_t)i, tuple);
    }
    PyMem_RawFree(ticks);
    return list;
}

/* How many of the records from here on are parts of one event, its text put together in `text`. */
static size_t join_parts(const horus_flight_event *events, size_t count, char *text, size_t *length) {
    size_t used = 0;
    *length = 0;
    do {
        memcpy(text + *length, events[used].text, events[used].length);
        *length += events[used].length;
        used++;
    } while (used < count && used < HORUS_FLIGHT_PARTS && events[used].seq == events[used - 1].seq + 1 &&
             events[used].part == events[used - 1].part + 1 && events[used].parts == events[0].parts &&
             events[used].kind == events[0].kind && events[used].node == events[0].node);
    return used;
}

static PyObject *event_dict(const horus_flight_event *first, size_t used, const char *text, size_t length) {
    const horus_flight_event *last = &first[used - 1];
    const char *kind = horus_event_name(first->kind);
    PyObject *decoded = PyUnicode_DecodeUTF8(text, (Py_ssize_t)length, "replace");
    if (decoded == NULL)
        return NULL;
    PyObject *dict = Py_BuildValue("{sK sK sN ss sI sN sN}", "seq", last->seq, "time_ns", first->time_ns,
                                   "node", node_number(first->node), "kind", kind == NULL ? "unknown" : kind,
                                   "detail", (unsigned int)first->detail, "text", decoded, "whole",
                                   PyBool_FromLong(first->part == 0 && last->part + 1 == last->parts));
    if (dict != NULL && first->kind == HORUS_EVENT_STATE &&
        put(dict, "state", PyUnicode_FromString(state_name(first->detail))) < 0)
        Py_CLEAR(dict);
    return dict;
}

static PyObject *reader_events(reader_object *self, PyObject *const *args, Py_ssize_t nargs) {
    horus_flight_event *events;
    size_t count = fetch(self, args, nargs, sizeof *events, (void **)&events, read_events, false);
    if (count == (size_t)-1)
        return NULL;
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list != NULL && i < count;) {
        char text[HORUS_FLIGHT_PARTS * HORUS_FLIGHT_TEXT];
        size_t length, used = join_parts(events + i, count - i, text, &length);
        PyObject *dict = event_dict(events + i, used, text, length);
        if (dict == NULL || PyList_Append(list, dict) < 0)
            Py_CLEAR(list);
        Py_XDECREF(dict);
        i += used;
    }
    PyMem_RawFree(events);
    return list;
}

#define METHOD(function) ((PyCFunction)(void (*)(void))(function))

static PyMethodDef reader_methods[] = {
    {"header", METHOD(reader_header), METH_NOARGS,
     "header($self, /)\n--\n\nWhose record it is, as it stands now."},
    {"rows", METHOD(reader_rows), METH_NOARGS, "rows($self, /)\n--\n\nThe nodes, a dict each, live."},
    {"ticks", METHOD(reader_ticks), METH_FASTCALL,
     "ticks($self, since=0, /)\n--\n\nTuples (seq, row, kind, start_ns, duration_ns, lateness_ns, tid) with "
     "seq > since."},
    {"events", METHOD(reader_events), METH_FASTCALL,
     "events($self, since=0, /)\n--\n\nDicts of what happened after the event of that seq, oldest first."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot reader_slots[] = {
    {Py_tp_doc,
     "FlightReader(source): reads the record behind a path or a descriptor, and trusts none of it."},
    {Py_tp_new, reader_new},
    {Py_tp_dealloc, reader_dealloc},
    {Py_tp_methods, reader_methods},
    {0, NULL},
};

static PyType_Spec reader_spec = {
    .name = "horus_core._native.FlightReader",
    .basicsize = sizeof(reader_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = reader_slots,
};

int horus_add_flight_reader(PyObject *module) {
    PyObject *type = PyType_FromModuleAndSpec(module, &reader_spec, NULL);
    int added = type == NULL ? -1 : PyModule_AddType(module, (PyTypeObject *)type);
    Py_XDECREF(type);
    return added;
}
