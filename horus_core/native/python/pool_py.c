/* _native.Pool: this process's pool in one namespace, and which pool a new image takes its block from. */
#include "core_py.h"

#include <stdlib.h>
#include <string.h>

#include "pooled_py.h"

/* What decides which pool is the default one. */
static const char *const variables[] = {"HORUS_NAMESPACE", "HORUS_BACKEND"};
#define VARIABLES (sizeof variables / sizeof *variables)

typedef struct {
    PyObject_HEAD
    horus_pool *pool;
    PyObject *member; /* the pool refers to it */
    struct {
        bool given;
        char value[64];
    } chosen[VARIABLES]; /* each variable, when this became the default pool */
} pool_object;

horus_pool *horus_pool_of(PyObject *pool_object_) {
    return ((pool_object *)pool_object_)->pool;
}

static PyObject *pool_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static char *keywords[] = {"member", "budget_bytes", NULL};
    horus_state *state = horus_state_of_type(type);
    PyObject *member;
    unsigned long long budget = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!|K:Pool", keywords, state->Member, &member, &budget))
        return NULL;
    if (horus_member_observes(horus_member_of(member))) { /* holds are bits of a row, and it has none */
        PyErr_SetString(PyExc_ValueError,
                        "Pool: expected a member that takes part, got one that only looks.");
        return NULL;
    }
    pool_object *self = (pool_object *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    horus_error error;
    self->pool = horus_pool_open(horus_member_of(member), budget, &error);
    if (self->pool == NULL) {
        Py_DECREF(self);
        return horus_raise(state->errors.RegionError, &error);
    }
    self->member = Py_NewRef(member);
    return (PyObject *)self;
}

static void pool_dealloc(pool_object *self) {
    PyTypeObject *type = Py_TYPE(self);
    /* While views of blocks are left, the member stays: its index stands for their holds, and must not become
     * another process's before they are dropped. */
    if (horus_pool_close(self->pool))
        Py_XDECREF(self->member);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *pool_usage(pool_object *self, PyObject *Py_UNUSED(ignored)) {
    horus_pool_use use;
    horus_pool_usage(self->pool, &use);
    return Py_BuildValue("{s:K,s:K,s:I,s:I,s:I,s:I,s:I,s:I}", "budget_bytes", use.budget_bytes, "used_bytes",
                         use.used_bytes, "chunks", use.chunks, "blocks", use.blocks, "in_use", use.in_use,
                         "held", use.held, "foreign_arenas", use.foreign_arenas, "holding", use.holding);
}

static PyObject *pool_refusal(pool_object *self, PyObject *Py_UNUSED(ignored)) {
    horus_error error;
    horus_pool_refusal(self->pool, &error);
    return PyUnicode_FromString(error.text);
}

static PyObject *pool_unmap_dead(pool_object *self, PyObject *Py_UNUSED(ignored)) {
    Py_BEGIN_ALLOW_THREADS
    horus_pool_unmap_dead(self->pool);
    Py_END_ALLOW_THREADS
    Py_RETURN_NONE;
}

static PyMethodDef pool_methods[] = {
    {"usage", (PyCFunction)pool_usage, METH_NOARGS,
     "usage() -> dict[str, int]: bytes, chunks and blocks of this process's arena, and holds on others'."},
    {"refusal", (PyCFunction)pool_refusal, METH_NOARGS,
     "refusal() -> str: why the last request for a block failed; names who holds the blocks."},
    {"unmap_dead", (PyCFunction)pool_unmap_dead, METH_NOARGS,
     "unmap_dead(): lets go of the memory of dead writers from whom nothing is held."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef pool_members[] = {
    {"member", T_OBJECT_EX, offsetof(pool_object, member), READONLY, "The membership it belongs to."},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot pool_slots[] = {
    {Py_tp_doc,
     "Pool(member, budget_bytes=0): blocks of shared memory. One for each member; 0: the default budget."},
    {Py_tp_new, pool_new},
    {Py_tp_dealloc, pool_dealloc},
    {Py_tp_methods, pool_methods},
    {Py_tp_members, pool_members},
    {0, NULL},
};

static PyType_Spec pool_spec = {
    .name = "horus_core._native.Pool",
    .basicsize = sizeof(pool_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = pool_slots,
};

/* ---- the default pool ---- */

/* A process has a pool for each namespace and private backend; which one counts follows the variables, as
 * everything does. Looking that up in Python costs a microsecond, so the last answer is kept while they stay
 * the same. Without HORUS_NAMESPACE the namespace is the session's, which does not change. */
static bool still_current(const pool_object *pool) {
    for (size_t i = 0; i < VARIABLES; i++) {
        const char *now = getenv(variables[i]);
        if (pool->chosen[i].given != (now != NULL) ||
            (now != NULL && strcmp(now, pool->chosen[i].value) != 0))
            return false;
    }
    return horus_pool_usable(pool->pool);
}

static void note_variables(pool_object *pool) {
    for (size_t i = 0; i < VARIABLES; i++) {
        const char *now = getenv(variables[i]);
        pool->chosen[i].given = now != NULL;
        snprintf(pool->chosen[i].value, sizeof pool->chosen[i].value, "%s", now == NULL ? "" : now);
    }
}

static PyObject *ask_provider(horus_state *state) {
    if (state->pool_provider == NULL) {
        PyObject *module = PyImport_ImportModule("horus_core.shm.pool");
        if (module == NULL)
            return NULL;
        state->pool_provider = PyObject_GetAttrString(module, "pool");
        Py_DECREF(module);
        if (state->pool_provider == NULL)
            return NULL;
    }
    PyObject *pool = PyObject_CallNoArgs(state->pool_provider);
    if (pool != NULL && Py_TYPE(pool) != state->Pool) {
        PyErr_Format(PyExc_TypeError, "Pool expected, got %.200s", Py_TYPE(pool)->tp_name);
        Py_CLEAR(pool);
    }
    return pool;
}

PyObject *horus_default_pool(horus_state *state) {
    pool_object *pool = (pool_object *)state->default_pool;
    if (pool != NULL && still_current(pool))
        return Py_NewRef(pool);
    pool = (pool_object *)ask_provider(state);
    if (pool == NULL)
        return NULL;
    note_variables(pool);
    Py_XSETREF(state->default_pool, Py_NewRef(pool));
    return (PyObject *)pool;
}

int horus_add_pool(PyObject *module, horus_state *state) {
    state->Pool = (PyTypeObject *)PyType_FromModuleAndSpec(module, &pool_spec, NULL);
    if (state->Pool == NULL || PyModule_AddType(module, state->Pool) < 0)
        return -1;
    return horus_add_pooled(module, state);
}
