/* A thread that sees ticks which do not end. It needs no interpreter, so that a node which hangs inside C
 * code that holds the GIL is seen as well.
 *
 * It looks at the rows of a flight: a tick that has been running for longer than its row's watchdog_ns (10
 * times that for a first tick) makes the row HUNG, with an event; for a critical row with a message that was
 * put aside for this, the message is published. Who ticks the row gives it its state back when the tick ends.
 */
#ifndef HORUS_WATCHDOG_H
#define HORUS_WATCHDOG_H

#include "horus/flight.h"
#include "horus/ring.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct horus_watchdog horus_watchdog;

/* Starts the thread, with all signals blocked. The flight must live until the stop. NULL with the error set.
 */
horus_watchdog *horus_watchdog_start(horus_flight *flight, horus_error *error);

/* Ends the thread and frees everything. In a forked child it only frees. */
void horus_watchdog_stop(horus_watchdog *watchdog);

/* Look now, and work out anew when to look next: a row was armed or its time changed. */
void horus_watchdog_look(horus_watchdog *watchdog);

/* What is published, inline, on the ring when that row hangs and is critical: wire bytes of a message.
 * Replaces what was put aside before; length 0 takes it away. The ring must live until the stop. 0, or -1
 * with the error set: no row of the flight, longer than the ring's payload, no room in its table of
 * publishers. */
int horus_watchdog_arm(horus_watchdog *watchdog, uint32_t row, horus_ring *ring, const void *data,
                       uint32_t length, horus_error *error);

#ifdef __cplusplus
}
#endif
#endif
