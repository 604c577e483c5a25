/* The watchdog: a tick that does not end is seen, told and published; one that ends in time is not. */
#define _GNU_SOURCE
#include "harness.h"

#include <pthread.h>

#include "horus/watchdog.h"

#define MS 1000000ull

static horus_flight *flight;
static horus_flight_row *row;
static horus_watchdog *dog;

static void begin(uint64_t watchdog_ns) {
    flight = horus_flight_create(-1, &(horus_flight_params){.name = "test"}, &failure);
    CHECK(flight != NULL);
    row = horus_flight_claim_row(flight, "node");
    horus_store_relaxed(&row->state, (uint32_t)HORUS_RUNNING);
    horus_store_relaxed(&row->watchdog_ns, watchdog_ns);
    dog = horus_watchdog_start(flight, &failure);
    CHECK(dog != NULL);
}

static void end(void) {
    horus_watchdog_stop(dog);
    horus_flight_free(flight);
}

static void tick_begins(void) {
    horus_store_relaxed(&row->started_ns, horus_now_ns());
}

static void wait_for_state(uint32_t wanted) {
    while (horus_load_relaxed(&row->state) != wanted)
        usleep(200);
}

static unsigned events_of(uint8_t kind) {
    unsigned found = 0;
    for (uint64_t i = 0; i < horus_load_relaxed(&flight->header->event_head); i++)
        found += horus_load_relaxed(&flight->events[i].kind) == kind;
    return found;
}

static void a_tick_that_does_not_end_is_hung(void) {
    begin(20 * MS);
    uint64_t started = horus_now_ns();
    tick_begins();
    wait_for_state(HORUS_HUNG);
    CHECK(horus_now_ns() - started >= 20 * MS);
    while (horus_load_relaxed(&row->hung) == 0)
        usleep(200);
    CHECK_EQ(horus_load_relaxed(&row->state_before), HORUS_RUNNING);
    usleep(60000); /* many looks later it is still the same hang */
    CHECK_EQ(horus_load_relaxed(&row->hung), 1);
    CHECK_EQ(events_of(HORUS_EVENT_HUNG), 1);
    CHECK_EQ(events_of(HORUS_EVENT_ESTOP), 0);
    horus_store_relaxed(&row->started_ns, 0); /* whoever ticks forgot to give the state back */
    wait_for_state(HORUS_RUNNING);
    tick_begins();
    wait_for_state(HORUS_HUNG);
    end();
}

static void ticks_that_end_are_not(void) {
    begin(1000 * MS);
    for (int i = 0; i < 300; i++) {
        tick_begins();
        usleep(5000);
        horus_store_relaxed(&row->started_ns, 0);
    }
    CHECK_EQ(horus_load_relaxed(&row->state), HORUS_RUNNING);
    CHECK_EQ(horus_load_relaxed(&row->hung), 0);
    end();
}

static void the_first_tick_has_ten_times_as_long(void) {
    begin(20 * MS);
    horus_store_relaxed(&row->first, 1);
    uint64_t started = horus_now_ns();
    tick_begins();
    wait_for_state(HORUS_HUNG);
    CHECK(horus_now_ns() - started >= 200 * MS);
    end();
}

static void a_row_without_a_watchdog_may_take_its_time(void) {
    begin(0);
    tick_begins();
    horus_watchdog_look(dog);
    usleep(100000);
    CHECK_EQ(horus_load_relaxed(&row->state), HORUS_RUNNING);
    horus_store_relaxed(&row->watchdog_ns, 1 * MS);
    horus_watchdog_look(dog);
    wait_for_state(HORUS_HUNG);
    end();
}

static void a_critical_row_publishes_what_was_put_aside(void) {
    world w = world_make(8, 64);
    horus_subscriber sub = subscriber_of(&w);
    begin(10 * MS);
    uint64_t message = 4711;
    CHECK_EQ(horus_watchdog_arm(dog, 0, w.ring, &message, sizeof message, &failure), 0);
    tick_begins();
    wait_for_state(HORUS_HUNG);
    usleep(30000);
    CHECK_EQ(recv_value(&sub), 0); /* not critical */
    horus_store_relaxed(&row->started_ns, 0);
    wait_for_state(HORUS_RUNNING);
    horus_store_relaxed(&row->flags, (uint32_t)HORUS_ROW_CRITICAL);
    tick_begins();
    CHECK_EQ(horus_subscriber_wait(&sub, horus_now_ns() + 20 * SECOND), 1);
    CHECK_EQ(recv_value(&sub), 4711);
    usleep(50000);
    CHECK_EQ(recv_value(&sub), 0); /* once for each hang */
    CHECK_EQ(events_of(HORUS_EVENT_ESTOP), 1);
    CHECK_EQ(horus_watchdog_arm(dog, 999, w.ring, &message, 8, &failure), -1);
    CHECK_EQ(horus_watchdog_arm(dog, 0, w.ring, &message, 65, &failure), -1);
    CHECK_EQ(horus_watchdog_arm(dog, 0, w.ring, NULL, 0, &failure), 0);
    end();
    horus_endpoint endpoint;
    CHECK(!horus_ring_publisher_at(w.ring, 1, &endpoint)); /* it has left the topic */
    horus_subscriber_leave(&sub);
    world_end(&w);
}

static void a_forked_child_is_not_stuck_at_the_stop(void) {
    begin(10 * MS);
    pid_t child = spawn();
    if (child == 0) {
        end();
        exit(0);
    }
    join_ok(child);
    end();
}

/* Ticks of about the time that is allowed, so that looks and ends coincide: no state is left HUNG. */
static void ends_and_looks_at_the_same_moment(void) {
    begin(1 * MS);
    for (int i = 0; i < 300; i++) {
        tick_begins();
        usleep((useconds_t)(900 + i % 20 * 20));
        horus_store_relaxed(&row->started_ns, 0);
    }
    wait_for_state(HORUS_RUNNING);
    end();
}

int main(void) {
    static const test_case cases[] = {
        TEST(a_tick_that_does_not_end_is_hung),
        TEST(ticks_that_end_are_not),
        TEST(the_first_tick_has_ten_times_as_long),
        TEST(a_row_without_a_watchdog_may_take_its_time),
        TEST(a_critical_row_publishes_what_was_put_aside),
        TEST(a_forked_child_is_not_stuck_at_the_stop),
        TEST(ends_and_looks_at_the_same_moment),
    };
    return RUN_ALL(cases);
}
