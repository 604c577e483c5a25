/* horus_core._native: the C core for Python. Multi-phase init, no globals but the module's definition. */
#include "module.h"
#include "topic.h"

#include <string.h>
#include <unistd.h>

PyObject *horus_raise(PyObject *type, const horus_error *error) {
    PyErr_SetString(type, error->text);
    return NULL;
}

static int load_errors(horus_state *state) {
    PyObject *errors = PyImport_ImportModule("horus_core.errors");
    if (errors == NULL)
        return -1;
    struct {
        const char *name;
        PyObject **slot;
    } const wanted[] = {
        {"HorusError", &state->errors.HorusError},
        {"TopicTypeError", &state->errors.TopicTypeError},
        {"EncodeError", &state->errors.EncodeError},
        {"ConfigError", &state->errors.ConfigError},
        {"RegionError", &state->errors.RegionError},
        {"SegmentLostError", &state->errors.SegmentLostError},
        {"PoolExhaustedError", &state->errors.PoolExhaustedError},
        {"InvalidNameError", &state->errors.InvalidNameError},
        {"NodeError", &state->errors.NodeError},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        *wanted[i].slot = PyObject_GetAttrString(errors, wanted[i].name);
        if (*wanted[i].slot == NULL) {
            Py_DECREF(errors);
            return -1;
        }
    }
    Py_DECREF(errors);
    return 0;
}

/* Newer Pythons look at the slot below, but not in interpreters that share everything with the first one. */
static int refuse_other_interpreters(void) {
    PyInterpreterState *here = PyInterpreterState_Get();
    if (here == PyInterpreterState_Main())
        return 0;
    PyErr_Format(
        PyExc_ImportError,
        "Importing horus failed: expected the main interpreter of the process, got sub-interpreter %lld "
        "(pid=%d). HORUS stands on numpy and msgspec, which do not run in sub-interpreters. Use a "
        "process of its own.",
        (long long)PyInterpreterState_GetID(here), (int)getpid());
    return -1;
}

static int module_exec(PyObject *module) {
    horus_state *state = horus_state_of(module);
    memset(state, 0, sizeof *state);
    if (refuse_other_interpreters() < 0 || load_errors(state) < 0 || horus_add_member(module, state) < 0 ||
        horus_add_message(module, state) < 0 || horus_add_pool(module, state) < 0 ||
        horus_add_ring(module, state) < 0 || horus_add_topic(module, state) < 0 ||
        horus_add_flight(module, state) < 0 || horus_add_node(module, state) < 0 ||
        horus_add_lane(module, state) < 0 || horus_add_wait_any(module) < 0 || horus_add_log(module) < 0 ||
        horus_add_log_file(module) < 0)
        return -1;
    return PyModule_AddStringConstant(module, "VERSION", HORUS_VERSION);
}

static int module_traverse(PyObject *module, visitproc visit, void *arg) {
    horus_state *state = horus_state_of(module);
    PyObject **refs = (PyObject **)state;
    if (state != NULL)
        for (size_t i = 0; i < sizeof *state / sizeof *refs; i++)
            Py_VISIT(refs[i]);
    return 0;
}

static int module_clear(PyObject *module) {
    horus_state *state = horus_state_of(module);
    PyObject **refs = (PyObject **)state;
    if (state != NULL)
        for (size_t i = 0; i < sizeof *state / sizeof *refs; i++)
            Py_CLEAR(refs[i]);
    return 0;
}

static void module_free(void *module) {
    module_clear((PyObject *)module);
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
#if PY_VERSION_HEX >= 0x030c0000
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#endif
#if PY_VERSION_HEX >= 0x030d0000
    /* The GIL guards handles, messages and the tables of this process: no free-threaded build was tried. */
    {Py_mod_gil, Py_MOD_GIL_USED},
#endif
    {0, NULL},
};

struct PyModuleDef horus_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "horus_core._native",
    .m_doc = "The C core of HORUS: shared memory, messages, topics.",
    .m_size = sizeof(horus_state), /* holds object references and nothing else: see module_traverse */
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit__native(void) {
    return PyModuleDef_Init(&horus_module);
}
