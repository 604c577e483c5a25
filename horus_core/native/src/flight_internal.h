/* Where the parts of a flight lie, for its writer and its readers. */
#ifndef HORUS_FLIGHT_INTERNAL_H
#define HORUS_FLIGHT_INTERNAL_H

#include "horus/flight.h"

#define FLIGHT_PAGE 4096u
#define FLIGHT_DURATION_US 1u
#define FLIGHT_LATENESS_US 2u

_Static_assert(sizeof(horus_flight_row) == 1344, "a row is 21 cache lines");
_Static_assert(sizeof(horus_flight_tick) == 32, "two ticks a cache line");
_Static_assert(sizeof(horus_flight_event) == 256, "an event is 4 cache lines");
_Static_assert(sizeof(horus_flight_header) == 384, "the header is 6 cache lines");
_Static_assert(offsetof(horus_flight_header, tick_head) == 256, "the heads have lines of their own");
_Static_assert(offsetof(horus_flight_row, failed) == 64, "what every tick writes is one cache line");

typedef struct {
    uint32_t rows, ticks, events;
} flight_shape;

static inline size_t flight_rows_at(void) {
    return FLIGHT_PAGE;
}
static inline size_t flight_ticks_at(const flight_shape *shape) {
    return flight_rows_at() + horus_round_up(shape->rows * sizeof(horus_flight_row), FLIGHT_PAGE);
}
static inline size_t flight_events_at(const flight_shape *shape) {
    return flight_ticks_at(shape) + horus_round_up(shape->ticks * sizeof(horus_flight_tick), FLIGHT_PAGE);
}
static inline size_t flight_size(const flight_shape *shape) {
    return flight_events_at(shape) + horus_round_up(shape->events * sizeof(horus_flight_event), FLIGHT_PAGE);
}

#endif
