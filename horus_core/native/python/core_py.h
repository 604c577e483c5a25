/* The Python objects around a membership and a mapping, as the topics use them. */
#ifndef HORUS_CORE_PY_H
#define HORUS_CORE_PY_H

#include "module.h"

#include "horus/member.h"
#include "horus/ring.h"

typedef struct {
    PyObject_HEAD
    horus_member *member; /* NULL once left */
} member_object;

typedef struct {
    PyObject_HEAD
    horus_ring *ring;
    PyObject *member; /* keeps the membership: the mapping refers to it */
    PyObject *pool;   /* NULL, or the pool that remembers this ring */
    PyObject *weakrefs;
} ring_object;

/* Borrowed pointers out of checked objects. */
static inline horus_member *horus_member_of(PyObject *object) {
    return ((member_object *)object)->member;
}
static inline horus_ring *horus_ring_of(PyObject *object) {
    return ((ring_object *)object)->ring;
}

#endif
