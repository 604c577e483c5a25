/* Flight as the other bindings use it. */
#ifndef HORUS_FLIGHT_PY_H
#define HORUS_FLIGHT_PY_H

#include "module.h"

#include "horus/flight.h"

typedef struct {
    PyObject_HEAD
    horus_flight *flight;
} flight_object;

/* What tools call the states, and how many there are: enum horus_node_state by number. */
extern const char *const horus_state_names[];
#define HORUS_STATES 9u

/* Adds FlightReader; called by horus_add_flight. 0, or -1 with an exception set. */
int horus_add_flight_reader(PyObject *module);

/* Adds Watchdog; called by horus_add_flight. */
int horus_add_watchdog(PyObject *module);

/* The names of enum horus_event_kind by number; NULL where there is none. */
const char *horus_event_name(unsigned kind);

#endif
