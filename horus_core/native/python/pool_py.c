#include "module.h"

int horus_add_pool(PyObject *module, horus_state *state) {
    (void)module;
    (void)state;
    return 0;
}
