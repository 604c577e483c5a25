/* to_numpy(): an array whose memory is the payload and whose base is the message.
 *
 * Built through four entries of numpy's C API, found at run time in the table that numpy exports for
 * extension modules; their places are part of numpy's ABI, the same in 1.x and 2.x. So nothing is compiled
 * against numpy, `import horus` does not load it, and a call takes a third of what numpy.asarray() or
 * numpy.ndarray() take. */
#include "pooled_py.h"

#include <stdlib.h>

enum { API_ARRAY_TYPE = 2, API_DESCR_FROM_TYPE = 45, API_NEW_FROM_DESCR = 94, API_SET_BASE_OBJECT = 282 };

#define ARRAY_WRITEABLE 0x0400
#define ARRAYS_TRACKED 16

typedef struct {
    PyTypeObject *array_type;
    PyObject *(*descr_from_type)(int);
    PyObject *(*new_from_descr)(PyTypeObject *, PyObject *descr, int ndim, const Py_ssize_t *shape,
                                const Py_ssize_t *strides, void *data, int flags, PyObject *obj);
    int (*set_base_object)(PyObject *array, PyObject *base);
} numpy_api;

static void free_api(PyObject *capsule) {
    free(PyCapsule_GetPointer(capsule, NULL));
}

static PyObject *import_table(void) {
    PyObject *module = PyImport_ImportModule("numpy._core._multiarray_umath");
    if (module == NULL && PyErr_ExceptionMatches(PyExc_ImportError)) {
        PyErr_Clear();
        module = PyImport_ImportModule("numpy.core._multiarray_umath"); /* before numpy 2 */
    }
    PyObject *capsule = module == NULL ? NULL : PyObject_GetAttrString(module, "_ARRAY_API");
    Py_XDECREF(module);
    return capsule;
}

static const numpy_api *load_api(horus_state *state) {
    if (HORUS_LIKELY(state->numpy_api != NULL))
        return PyCapsule_GetPointer(state->numpy_api, NULL);
    PyObject *capsule = import_table();
    void **table = capsule == NULL ? NULL : PyCapsule_GetPointer(capsule, NULL);
    Py_XDECREF(capsule); /* numpy's module keeps the table */
    if (table == NULL)
        return NULL;
    numpy_api *api = malloc(sizeof *api);
    if (api == NULL)
        return (const numpy_api *)PyErr_NoMemory();
    api->array_type = table[API_ARRAY_TYPE];
    *(void **)&api->descr_from_type = table[API_DESCR_FROM_TYPE];
    *(void **)&api->new_from_descr = table[API_NEW_FROM_DESCR];
    *(void **)&api->set_base_object = table[API_SET_BASE_OBJECT];
    state->numpy_api = PyCapsule_New(api, NULL, free_api);
    if (state->numpy_api == NULL)
        free(api);
    return state->numpy_api == NULL ? NULL : api;
}

static PyObject *referent(PyObject *reference) {
#if PY_VERSION_HEX >= 0x030d0000
    PyObject *object = NULL;
    if (PyWeakref_GetRef(reference, &object) < 0)
        PyErr_Clear();
    return object;
#else
    PyObject *object = PyWeakref_GetObject(reference);
    return object == NULL || object == Py_None ? NULL : Py_NewRef(object);
#endif
}

/* Remembers a writable array, so that a send can make it read-only: writing the next frame into it would
 * change the one that others are reading. Arrays derived from it cannot be followed. */
static int track(pooled_object *self, PyObject *array) {
    if (self->arrays == NULL && (self->arrays = PyList_New(0)) == NULL)
        return -1;
    for (Py_ssize_t i = PyList_GET_SIZE(self->arrays); i-- > ARRAYS_TRACKED;) {
        PyObject *alive = referent(PyList_GET_ITEM(self->arrays, i));
        Py_XDECREF(alive);
        if (alive == NULL && PyList_SetSlice(self->arrays, i, i + 1, NULL) < 0)
            return -1;
    }
    PyObject *reference = PyWeakref_NewRef(array, NULL);
    int rc = reference == NULL ? -1 : PyList_Append(self->arrays, reference);
    Py_XDECREF(reference);
    return rc;
}

void pooled_freeze_arrays(pooled_object *self) {
    PyObject *arrays = self->arrays;
    self->arrays = NULL;
    for (Py_ssize_t i = 0; arrays != NULL && i < PyList_GET_SIZE(arrays); i++) {
        PyObject *array = referent(PyList_GET_ITEM(arrays, i));
        PyObject *done = array == NULL ? NULL : PyObject_CallMethod(array, "setflags", "O", Py_False);
        if (done == NULL)
            PyErr_Clear();
        Py_XDECREF(done);
        Py_XDECREF(array);
    }
    Py_XDECREF(arrays);
}

/* numpy has no bfloat16 of its own; where ml_dtypes is installed there is one. */
static PyObject *as_bfloat16(PyObject *bits) {
    PyObject *module = PyImport_ImportModule("ml_dtypes");
    if (module == NULL) {
        Py_DECREF(bits);
        if (PyErr_ExceptionMatches(PyExc_ImportError))
            PyErr_SetString(PyExc_TypeError,
                            "numpy has no bfloat16: use to_torch(), install ml_dtypes, or view the "
                            "bits with numpy.frombuffer(tensor, 'uint16').");
        return NULL;
    }
    PyObject *dtype = PyObject_GetAttrString(module, "bfloat16");
    PyObject *array = dtype == NULL ? NULL : PyObject_CallMethod(bits, "view", "O", dtype);
    Py_XDECREF(dtype);
    Py_DECREF(module);
    Py_DECREF(bits);
    return array;
}

PyObject *pooled_to_numpy(PyObject *object, PyObject *Py_UNUSED(ignored)) {
    pooled_object *self = (pooled_object *)object;
    if (pooled_ready(self) < 0)
        return NULL;
    const numpy_api *api = load_api(horus_state_of_type(Py_TYPE(object)));
    if (api == NULL)
        return NULL;
    const horus_dtype *dtype = &horus_dtypes[self->info.dtype];
    bool bfloat = dtype->numpy < 0;
    PyObject *descr = api->descr_from_type(bfloat ? horus_dtypes[DTYPE_U16].numpy : dtype->numpy);
    if (descr == NULL)
        return NULL;
    bool writable = !pooled_readonly(self);
    PyObject *array = api->new_from_descr(api->array_type, descr, self->info.ndim, self->shape, self->strides,
                                          self->data, writable ? ARRAY_WRITEABLE : 0, NULL);
    if (array == NULL)
        return NULL;
    if (api->set_base_object(array, Py_NewRef(object)) < 0 || (writable && track(self, array) < 0)) {
        Py_DECREF(array);
        return NULL;
    }
    return bfloat ? as_bfloat16(array) : array;
}
