/* _native.Ring: the mapping of a topic's region, and what its tables say. */
#include "core_py.h"

#include <string.h>
#include <sys/mman.h>

#include "horus/pool.h"
#include "pooled.h"

static PyObject *ring_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static char *keywords[] = {"fd", "member", NULL};
    PyObject *module = PyType_GetModule(type);
    if (module == NULL)
        return NULL;
    horus_state *state = horus_state_of(module);
    int fd;
    PyObject *member;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "iO!:Ring", keywords, &fd, state->Member, &member))
        return NULL;
    ring_object *self = (ring_object *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    horus_error error;
    self->ring = horus_ring_map(fd, horus_member_of(member), &error);
    if (self->ring == NULL) {
        Py_DECREF(self);
        return horus_raise(state->errors.RegionError, &error);
    }
    self->member = Py_NewRef(member);
    return (PyObject *)self;
}

static void ring_dealloc(ring_object *self) {
    PyTypeObject *type = Py_TYPE(self);
    if (self->pool != NULL)
        horus_pool_forget(horus_pool_of(self->pool), self->ring);
    if (self->ring != NULL)
        horus_ring_unmap(self->ring);
    /* Last: a callback may let another thread run, which maps the region anew once this mapping is not found
     * any more; taking this process off the region's users would then take the new mapping off. */
    if (self->weakrefs != NULL)
        PyObject_ClearWeakRefs((PyObject *)self);
    Py_XDECREF(self->pool);
    Py_XDECREF(self->member);
    type->tp_free(self);
    Py_DECREF(type);
}

/* Another process wrote it: reading never fails. */
static PyObject *node_name(const horus_endpoint *end) {
    return PyUnicode_DecodeUTF8(end->node, (Py_ssize_t)strlen(end->node), "replace");
}

static PyObject *publisher_dict(const horus_ring *ring, unsigned row, const horus_endpoint *end) {
    return Py_BuildValue("{s:I,s:N,s:K,s:I,s:K,s:K,s:K}", "row", row, "node", node_name(end), "ident",
                         end->who, "pid", horus_member_pid(horus_ring_member(ring), end->who), "sent",
                         end->sent, "refused", end->refused, "revoked", end->revoked);
}

static PyObject *subscriber_dict(const horus_ring *ring, unsigned row, const horus_endpoint *end) {
    return Py_BuildValue("{s:I,s:N,s:K,s:I,s:K,s:K,s:K,s:K}", "row", row, "node", node_name(end), "ident",
                         end->who, "pid", horus_member_pid(horus_ring_member(ring), end->who), "cursor",
                         end->cursor, "delivered", end->delivered, "missed", end->missed, "skipped",
                         end->skipped);
}

static int append_steal(PyObject *list, PyObject *item) {
    int rc = item == NULL ? -1 : PyList_Append(list, item);
    Py_XDECREF(item);
    return rc;
}

static PyObject *ring_publishers(ring_object *self, PyObject *Py_UNUSED(ignored)) {
    PyObject *list = PyList_New(0);
    horus_endpoint end;
    for (unsigned row = 1; list != NULL && row <= HORUS_MAX_PUBLISHERS; row++)
        if (horus_ring_publisher_at(self->ring, row, &end) &&
            append_steal(list, publisher_dict(self->ring, row, &end)) < 0)
            Py_CLEAR(list);
    return list;
}

static PyObject *ring_subscribers(ring_object *self, PyObject *Py_UNUSED(ignored)) {
    PyObject *list = PyList_New(0);
    horus_endpoint end;
    for (unsigned row = 0; list != NULL && row < HORUS_MAX_SUBSCRIBER_ROWS; row++)
        if (horus_ring_subscriber_at(self->ring, row, &end) &&
            append_steal(list, subscriber_dict(self->ring, row, &end)) < 0)
            Py_CLEAR(list);
    return list;
}

static PyObject *sighting_tuple(const horus_sighting *seen) {
    PyObject *word = seen->has_word ? PyLong_FromUnsignedLongLong(seen->word) : Py_NewRef(Py_None);
    return word == NULL ? NULL
                        : Py_BuildValue("KKKINN", seen->number, seen->publish_ns, seen->bytes, seen->owner,
                                        PyBool_FromLong(seen->refers), word);
}

/* The oldest number of the ring, or the limit-th last, from which on there may be messages to see. */
static uint64_t first_to_look_at(const horus_ring *ring, uint64_t since, uint64_t front, uint64_t limit) {
    uint64_t kept = horus_ring_capacity(ring), most = limit < kept ? limit : kept;
    uint64_t oldest = front > kept + most ? front - most : kept;
    return since > oldest ? since : oldest;
}

static PyObject *ring_sightings(ring_object *self, PyObject *args) {
    unsigned long long since, limit;
    unsigned int at = HORUS_NO_WORD;
    if (!PyArg_ParseTuple(args, "KK|I:sightings", &since, &limit, &at))
        return NULL;
    uint64_t front = horus_ring_front(self->ring), next = front;
    uint64_t number = first_to_look_at(self->ring, since, front, limit);
    PyObject *list = PyList_New(0);
    for (horus_sighting seen; list != NULL && number < front; number++) {
        enum horus_sight what = horus_ring_sight(self->ring, number, at, &seen);
        if (what == HORUS_SIGHT_PENDING && number < next)
            next = number;
        if (what == HORUS_SIGHT_MESSAGE && append_steal(list, sighting_tuple(&seen)) < 0)
            Py_CLEAR(list);
    }
    return list == NULL ? NULL : Py_BuildValue("KKN", front, next, list);
}

static PyObject *ring_sight(ring_object *self, PyObject *args) {
    unsigned long long number;
    unsigned int at = HORUS_NO_WORD;
    horus_sighting seen;
    if (!PyArg_ParseTuple(args, "K|I:sight", &number, &at))
        return NULL;
    if (horus_ring_sight(self->ring, number, at, &seen) != HORUS_SIGHT_MESSAGE)
        Py_RETURN_NONE;
    return sighting_tuple(&seen);
}

static PyObject *ring_voids(ring_object *self, PyObject *Py_UNUSED(ignored)) {
    uint64_t front = horus_ring_front(self->ring), voids;
    Py_BEGIN_ALLOW_THREADS
    voids = horus_ring_voids(self->ring, front);
    Py_END_ALLOW_THREADS
    return Py_BuildValue("KK", front, voids);
}

static PyObject *ring_in_use(ring_object *self, PyObject *others) {
    int only_others = PyObject_IsTrue(others);
    return only_others < 0 ? NULL : PyBool_FromLong(horus_ring_in_use(self->ring, only_others));
}

static PyObject *ring_wake(ring_object *self, PyObject *Py_UNUSED(ignored)) {
    horus_ring_wake(self->ring);
    Py_RETURN_NONE;
}

static PyObject *get_meta(ring_object *self, void *closure) {
    (void)closure;
    size_t length;
    const char *meta = horus_ring_meta(self->ring, &length);
    return PyBytes_FromStringAndSize(meta, (Py_ssize_t)length);
}
static PyObject *get_type_hash(ring_object *self, void *closure) {
    (void)closure;
    return PyBytes_FromStringAndSize((const char *)horus_ring_type_hash(self->ring), 16);
}
static PyObject *get_kind(ring_object *self, void *closure) {
    (void)closure;
    return PyLong_FromUnsignedLong(horus_ring_kind(self->ring));
}
static PyObject *get_latched(ring_object *self, void *closure) {
    (void)closure;
    return PyBool_FromLong(horus_ring_latched(self->ring));
}
static PyObject *get_capacity(ring_object *self, void *closure) {
    (void)closure;
    return PyLong_FromUnsignedLong(horus_ring_capacity(self->ring));
}
static PyObject *get_payload(ring_object *self, void *closure) {
    (void)closure;
    return PyLong_FromUnsignedLong(horus_ring_payload(self->ring));
}
static PyObject *get_large_kept(ring_object *self, void *closure) {
    (void)closure;
    return PyLong_FromUnsignedLong(horus_ring_large_kept(self->ring));
}
static PyObject *get_size(ring_object *self, void *closure) {
    (void)closure;
    return PyLong_FromUnsignedLongLong(horus_ring_bytes(self->ring));
}
static PyObject *get_front(ring_object *self, void *closure) {
    (void)closure;
    return PyLong_FromUnsignedLongLong(horus_ring_front(self->ring));
}
static PyObject *get_file(ring_object *self, void *closure) {
    (void)closure;
    uint64_t device, inode;
    horus_ring_file(self->ring, &device, &inode);
    return Py_BuildValue("KK", (unsigned long long)device, (unsigned long long)inode);
}
static PyObject *get_latest_ns(ring_object *self, void *closure) {
    (void)closure;
    uint64_t publish_ns;
    if (!horus_ring_latest_time(self->ring, &publish_ns))
        Py_RETURN_NONE;
    return PyLong_FromUnsignedLongLong(publish_ns);
}

static PyMethodDef ring_methods[] = {
    {"publishers", (PyCFunction)ring_publishers, METH_NOARGS,
     "publishers() -> list[dict]: living publishers."},
    {"subscribers", (PyCFunction)ring_subscribers, METH_NOARGS,
     "subscribers() -> list[dict]: living subscribers."},
    {"in_use", (PyCFunction)ring_in_use, METH_O,
     "in_use(others) -> bool: whether a living process (other than this one, if others) maps the region."},
    {"sightings", (PyCFunction)ring_sightings, METH_VARARGS,
     "sightings(since, limit, at=none) -> (front, next, list): of the newest `limit` messages with numbers "
     "from "
     "`since` on, (number, publish_ns, bytes, publisher's row, whether it refers to a pool, the eight bytes "
     "at "
     "offset `at` of what lies in the slot or None). `next`: the first that was still being written, or "
     "front."},
    {"sight", (PyCFunction)ring_sight, METH_VARARGS,
     "sight(number, at=none): the message of that number, as in sightings(); None when it is not there."},
    {"voids", (PyCFunction)ring_voids, METH_NOARGS,
     "voids() -> (front, voids): how many numbers below the front will never be delivered."},
    {"wake", (PyCFunction)ring_wake, METH_NOARGS, "wake(): wakes all sleepers."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef ring_getset[] = {
    {"meta", (getter)get_meta, NULL, "The creator's description of the topic, JSON.", NULL},
    {"type_hash", (getter)get_type_hash, NULL, "16 bytes.", NULL},
    {"kind", (getter)get_kind, NULL, "TYPED, MSGPACK or DESCRIPTOR.", NULL},
    {"latched", (getter)get_latched, NULL, "Whether late joiners get the last message.", NULL},
    {"capacity", (getter)get_capacity, NULL, "Messages that the ring keeps.", NULL},
    {"payload", (getter)get_payload, NULL, "Bytes that fit a slot.", NULL},
    {"large_kept", (getter)get_large_kept, NULL, "How many messages of 64 KiB and more it keeps.", NULL},
    {"size", (getter)get_size, NULL, "Bytes of shared memory.", NULL},
    {"front", (getter)get_front, NULL, "The first number not claimed yet.", NULL},
    {"file", (getter)get_file, NULL, "(device, inode) of the region's file.", NULL},
    {"latest_ns", (getter)get_latest_ns, NULL, "Publish time of the newest message, or None.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef ring_members[] = {
    {"member", T_OBJECT, offsetof(ring_object, member), READONLY, "The membership that mapped it."},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(ring_object, weakrefs), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot ring_slots[] = {
    {Py_tp_doc, "Ring(fd, member): maps and checks the region of a topic."},
    {Py_tp_new, ring_new},
    {Py_tp_dealloc, ring_dealloc},
    {Py_tp_methods, ring_methods},
    {Py_tp_members, ring_members},
    {Py_tp_getset, ring_getset},
    {0, NULL},
};

static PyType_Spec ring_spec = {
    .name = "horus_core._native.Ring",
    .basicsize = sizeof(ring_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = ring_slots,
};

static bool parse_params(PyObject *args, PyObject *kwargs, const char *format, int *fd,
                         horus_ring_params *params) {
    static char *keywords[] = {"fd",   "kind",    "capacity",   "payload", "type_hash",
                               "meta", "latched", "large_kept", NULL};
    Py_ssize_t hash_length, meta_length;
    const char *hash;
    int latched;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, format, keywords, fd, &params->kind, &params->capacity,
                                     &params->payload, &hash, &hash_length, &params->meta, &meta_length,
                                     &latched, &params->large_kept))
        return false;
    if (hash_length != sizeof params->type_hash) {
        PyErr_SetString(PyExc_ValueError, "type_hash: expected 16 bytes");
        return false;
    }
    memcpy(params->type_hash, hash, sizeof params->type_hash);
    params->meta_length = (size_t)meta_length;
    params->latched = latched;
    return true;
}

static PyObject *ring_format(PyObject *Py_UNUSED(module), PyObject *args, PyObject *kwargs) {
    horus_ring_params params = {0};
    int fd;
    if (!parse_params(args, kwargs, "iIIIy#y#p|I:ring_format", &fd, &params))
        return NULL;
    size_t size = horus_ring_size(&params);
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        return PyErr_SetFromErrno(PyExc_OSError);
    horus_ring_format(memory, &params);
    munmap(memory, size);
    Py_RETURN_NONE;
}

static PyObject *ring_size(PyObject *Py_UNUSED(module), PyObject *args) {
    horus_ring_params params = {0};
    unsigned long long meta_length;
    if (!PyArg_ParseTuple(args, "IIK:ring_size", &params.capacity, &params.payload, &meta_length))
        return NULL;
    params.meta_length = (size_t)meta_length;
    return PyLong_FromSize_t(horus_ring_size(&params));
}

static PyObject *now_ns(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored)) {
    return PyLong_FromUnsignedLongLong(horus_now_ns());
}

static PyMethodDef functions[] = {
    {"ring_format", (PyCFunction)(void (*)(void))ring_format, METH_VARARGS | METH_KEYWORDS,
     "ring_format(fd, kind, capacity, payload, type_hash, meta, latched, large_kept=0): writes an empty ring "
     "into a zeroed "
     "file."},
    {"ring_size", ring_size, METH_VARARGS,
     "ring_size(capacity, payload, meta_length) -> int: bytes of a region."},
    {"now_ns", now_ns, METH_NOARGS, "now_ns() -> int: CLOCK_MONOTONIC in nanoseconds."},
    {NULL, NULL, 0, NULL},
};

int horus_add_ring(PyObject *module, horus_state *state) {
    state->Ring = (PyTypeObject *)PyType_FromModuleAndSpec(module, &ring_spec, NULL);
    if (state->Ring == NULL || PyModule_AddType(module, state->Ring) < 0 ||
        PyModule_AddFunctions(module, functions) < 0)
        return -1;
    if (PyModule_AddIntConstant(module, "TYPED", HORUS_TYPED) < 0 ||
        PyModule_AddIntConstant(module, "MSGPACK", HORUS_MSGPACK) < 0)
        return -1;
    return PyModule_AddIntConstant(module, "DESCRIPTOR", HORUS_DESCRIPTOR);
}
