/* What node_py.c and alarm_py.c share. */
#ifndef HORUS_NODE_H
#define HORUS_NODE_H

#include "module.h"

/* Adds Alarm; called by horus_add_node. 0, or -1 with an exception set. */
int horus_add_alarm(PyObject *module);

#endif
