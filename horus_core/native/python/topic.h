/* One handle on a topic: a publisher and a subscriber, opened when first used. */
#ifndef HORUS_TOPIC_H
#define HORUS_TOPIC_H

#include "core_py.h"

#include "horus/pool.h"
#include "message.h"
#include "pooled.h"

typedef struct {
    PyObject_HEAD
    horus_state *state; /* lives as long as the module, which the type keeps */
    horus_member *member;
    horus_ring *ring;       /* NULL until bound */
    const horus_plan *plan; /* typed topics */
    PyTypeObject *msg_type; /* typed and descriptor topics */
    uint32_t kind;          /* enum horus_kind; 0 until bound */
    uint32_t epoch;         /* the namespace's, when the binding was last checked */
    bool publishing, receiving;
    bool drained;  /* the last look found nothing */
    bool in_place; /* a slot's payload is a message's bytes: received without a second copy */
    bool closed;
    horus_publisher pub;
    horus_subscriber sub;
    horus_info last;           /* of the message received last; number 0: none yet */
    uint64_t dropped;          /* sends for which no block was free */
    uint64_t woke_at, woke_by; /* the cursor and the newest message when wait_any() last returned */
    uint64_t *scratch;         /* room for one payload */
    size_t scratch_size;
    horus_pool *pool;
    PyObject *encode, *decode; /* of dict topics */
    PyObject *apart;           /* dict: arrays that the encoder put aside, to be copied once */
    PyObject *member_object, *ring_object, *pool_object;
    PyObject *weakrefs;
} topic_object;

/* The calls of the hot path, for Node: each is the method of the same name. */
PyObject *horus_topic_send(PyObject *topic, PyObject *message); /* new reference, NULL on error */
PyObject *horus_topic_recv(PyObject *topic);
int horus_topic_has_msg(PyObject *topic); /* -1 on error */

/* A tick begins: a topic that was not drained continues at the newest `depth` messages (< 0: everything). */
void horus_topic_begin_tick(PyObject *topic, Py_ssize_t depth);

/* ---- between the files that make up the topic ---- */

/* False, with an exception, when another thread closed the handle while Python code ran. */
bool topic_still_open(const topic_object *self);

/* Sends encoded bytes, through the pool when they do not fit a slot. 1 stored, 0 not, -1 error. */
int topic_send_bytes(topic_object *self, const void *data, size_t length);
/* Sends a payload with its geometry: a copy in a block of the pool. `descriptor` has been checked. */
int topic_send_rows(topic_object *self, horus_descriptor *descriptor, const void *rows, size_t length);
void topic_copy_unlocked(void *to, const void *from,
                         size_t length); /* without the GIL where that takes long */

#define TOPIC_NO_MESSAGE 2 /* beside 1, 0 and -1: the bytes are no message of the topic's type */

int topic_send_dict(topic_object *self, PyObject *message);
int topic_send_descriptor(topic_object *self, PyObject *message);

/* Turns a received payload into a message. NULL without an exception: its block was overwritten. */
PyObject *topic_decode(topic_object *self, const void *payload, const horus_info *info);

/* Adds wait_any(): topic_any_py.c. */
int horus_add_wait_any(PyObject *module);

/* topic_bytes_py.c */
PyObject *topic_recv_bytes(topic_object *self, PyObject *passed);
PyObject *topic_send_view(topic_object *self, PyObject *data);

PyObject *topic_wait(topic_object *self, PyObject *const *args, Py_ssize_t nargs, PyObject *names);

extern PyMethodDef topic_view_methods[]; /* latest, history, wait and what tools read: topic_view_py.c */
extern PyGetSetDef topic_getset[];
extern PyMethodDef topic_binding_methods[];

#endif
