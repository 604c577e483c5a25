/* What the bindings share: the module's state and one add function for each file of types. */
#ifndef HORUS_MODULE_H
#define HORUS_MODULE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#include "horus/base.h"

typedef struct {
    struct {
        PyObject *HorusError, *TopicTypeError, *EncodeError, *ConfigError, *RegionError, *SegmentLostError,
            *PoolExhaustedError, *InvalidNameError, *NodeError;
    } errors;
    /* Types, each created by the add function of its own file. */
    PyTypeObject *Member;
    PyTypeObject *Ring;
    PyTypeObject *TopicBase;
    PyTypeObject *NodeBase;
    PyTypeObject *Flight;
    PyTypeObject *Run;
    PyTypeObject *Alarm;
    PyTypeObject *MessageMeta;
    PyTypeObject *MessageBase;
    PyTypeObject *FieldDescriptor;
    PyTypeObject *ArrayBuffer; /* what numpy views of message arrays stand on */
    PyObject *ndarray;         /* numpy.ndarray, once an array was touched */
    PyTypeObject *Pool;
    PyTypeObject *Block;
    PyTypeObject *PooledBase;
    /* What the pooled types keep between calls: pool_py.c, pooled_numpy_py.c. */
    PyObject *pool_provider; /* horus_core.shm.pool.pool, once imported */
    PyObject *default_pool;  /* what it returned last */
    PyObject *kind_name;     /* "_kind", interned */
    PyObject *numpy_api;     /* capsule of the part of numpy's C API that to_numpy() uses */
} horus_state;

extern struct PyModuleDef horus_module;

static inline horus_state *horus_state_of(PyObject *module) {
    return (horus_state *)PyModule_GetState(module);
}

/* Raises one of our errors from a horus_error; always returns NULL. */
PyObject *horus_raise(PyObject *type, const horus_error *error);

/* Each adds its types and functions to the module: 0, or -1 with an exception set. */
int horus_add_member(PyObject *module, horus_state *state);
int horus_add_ring(PyObject *module, horus_state *state);
int horus_add_topic(PyObject *module, horus_state *state);
int horus_add_node(PyObject *module, horus_state *state);
int horus_add_flight(PyObject *module, horus_state *state);
int horus_add_lane(PyObject *module, horus_state *state);
int horus_add_message(PyObject *module, horus_state *state);
int horus_add_pool(PyObject *module, horus_state *state);
int horus_add_log(PyObject *module);
int horus_add_log_file(PyObject *module);

#endif
