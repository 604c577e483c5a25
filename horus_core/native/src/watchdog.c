/* The watchdog's thread: watchdog.h says what it does. */
#define _GNU_SOURCE
#include "horus/watchdog.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SOONEST_NS 1000000u   /* between two looks: what the thread may cost is bounded */
#define LATEST_NS 1000000000u /* the same, when nothing is armed */
#define FIRST_HAS 10u         /* times the time of a later tick */
#define STACK_BYTES (256u << 10)

/* What is to be published for a row. */
typedef struct {
    horus_publisher pub; /* ring NULL: nothing */
    void *data;
    uint32_t length;
    uint64_t hung_since_ns; /* started_ns of the tick that it was marked for; 0: not */
} watched;

struct horus_watchdog {
    horus_flight *flight;
    pthread_t thread;
    pid_t process;
    pthread_mutex_t lock; /* over `rows` */
    uint32_t word;        /* counts calls for a look; slept on */
    uint32_t stopping;
    uint32_t n_rows;
    watched rows[];
};

/* ---- one row ---- */

static void give_back(horus_watchdog *self, uint32_t index) {
    horus_flight_row *row = &self->flight->rows[index];
    uint32_t hung = HORUS_HUNG;
    if (__atomic_compare_exchange_n(&row->state, &hung, horus_load_relaxed(&row->state_before), false,
                                    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        horus_flight_write_event(self->flight, (uint16_t)index, HORUS_EVENT_RETURNED, 0, "its tick has ended",
                                 18);
}

static void publish(horus_watchdog *self, uint32_t index) {
    watched *at = &self->rows[index];
    int sent = horus_publisher_send(&at->pub, at->data, at->length, HORUS_INLINE, NULL);
    const char *text =
        sent == HORUS_STORED ? "published by the watchdog" : "not published: the topic took nothing";
    horus_flight_write_event(self->flight, (uint16_t)index, HORUS_EVENT_ESTOP,
                             (uint8_t)(sent != HORUS_STORED), text, strlen(text));
}

static void mark_hung(horus_watchdog *self, uint32_t index, uint64_t started_ns, uint64_t now_ns) {
    horus_flight_row *row = &self->flight->rows[index];
    uint32_t before = horus_load_relaxed(&row->state);
    if (before == HORUS_HUNG)
        return;
    horus_store_relaxed(&row->state_before, before);
    if (!__atomic_compare_exchange_n(&row->state, &before, HORUS_HUNG, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_RELAXED))
        return; /* it moves: the next look sees what has become of it */
    self->rows[index].hung_since_ns = started_ns;
    if (horus_load_seq_cst(&row->started_ns) != started_ns) { /* ended at this very moment */
        give_back(self, index);
        return;
    }
    horus_store_relaxed(&row->hung, horus_load_relaxed(&row->hung) + 1);
    char text[128];
    snprintf(text, sizeof text, "its tick has been running for %.1f ms, its watchdog allows %.1f",
             (double)(now_ns - started_ns) / 1e6, (double)horus_load_relaxed(&row->watchdog_ns) / 1e6);
    horus_flight_write_event(self->flight, (uint16_t)index, HORUS_EVENT_HUNG, 0, text, strlen(text));
    if (horus_load_relaxed(&row->flags) & HORUS_ROW_CRITICAL && self->rows[index].pub.ring != NULL)
        publish(self, index);
}

/* Returns when the row is to be looked at next. */
static uint64_t look_at(horus_watchdog *self, uint32_t index, uint64_t now_ns) {
    horus_flight_row *row = &self->flight->rows[index];
    uint64_t allowed = horus_load_relaxed(&row->watchdog_ns);
    uint64_t started = horus_load_relaxed(&row->started_ns);
    if (horus_load_relaxed(&row->state) == HORUS_HUNG && started != self->rows[index].hung_since_ns)
        give_back(self, index);
    if (allowed == 0)
        return now_ns + LATEST_NS;
    if (started == 0)
        return now_ns + allowed;
    if (horus_load_relaxed(&row->first))
        allowed *= FIRST_HAS;
    if (now_ns - started <= allowed || now_ns < started)
        return started + allowed + 1;
    if (self->rows[index].hung_since_ns != started)
        mark_hung(self, index, started, now_ns);
    return now_ns + allowed;
}

/* ---- the thread ---- */

static uint64_t look_at_all(horus_watchdog *self) {
    uint64_t now_ns = horus_now_ns(), next_ns = now_ns + LATEST_NS;
    uint32_t used = horus_load_acquire(&self->flight->header->rows_used);
    for (uint32_t i = 0; i < used && i < self->n_rows; i++) {
        uint64_t again_ns = look_at(self, i, now_ns);
        next_ns = again_ns < next_ns ? again_ns : next_ns;
    }
    return next_ns > now_ns + SOONEST_NS ? next_ns : now_ns + SOONEST_NS;
}

static void *watch(void *argument) {
    horus_watchdog *self = argument;
    while (!horus_load_acquire(&self->stopping)) {
        uint32_t seen = horus_load_seq_cst(&self->word);
        pthread_mutex_lock(&self->lock);
        uint64_t next_ns = look_at_all(self);
        pthread_mutex_unlock(&self->lock);
        struct timespec until = {.tv_sec = (time_t)(next_ns / 1000000000),
                                 .tv_nsec = (long)(next_ns % 1000000000)};
        syscall(SYS_futex, &self->word, FUTEX_WAIT_BITSET_PRIVATE, seen, &until, NULL,
                FUTEX_BITSET_MATCH_ANY);
    }
    return NULL;
}

/* Signals are for the threads that Python knows. */
static int start_thread(horus_watchdog *self) {
    pthread_attr_t attributes;
    sigset_t all, before;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&self->thread, &attributes, watch, self);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (code == 0)
        pthread_setname_np(self->thread, "horus-watchdog");
    return code;
}

horus_watchdog *horus_watchdog_start(horus_flight *flight, horus_error *error) {
    uint32_t rows = flight->header->rows;
    horus_watchdog *self = calloc(1, sizeof *self + rows * sizeof(watched));
    if (self == NULL) {
        horus_error_set(error, ENOMEM, "Out of memory for a watchdog.");
        return NULL;
    }
    self->flight = flight;
    self->n_rows = rows;
    self->process = getpid();
    pthread_mutex_init(&self->lock, NULL);
    int code = start_thread(self);
    if (code == 0)
        return self;
    horus_error_set(error, code, "Cannot start the watchdog's thread: %s.", strerror(code));
    free(self);
    return NULL;
}

void horus_watchdog_look(horus_watchdog *self) {
    __atomic_fetch_add(&self->word, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &self->word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void disarm(watched *at) {
    if (at->pub.ring != NULL)
        horus_publisher_leave(&at->pub);
    free(at->data);
    at->data = NULL;
    at->pub.ring = NULL;
}

void horus_watchdog_stop(horus_watchdog *self) {
    if (self == NULL)
        return;
    if (getpid() == self->process) { /* a forked child has no such thread */
        horus_store_release(&self->stopping, 1);
        horus_watchdog_look(self);
        pthread_join(self->thread, NULL);
        for (uint32_t i = 0; i < self->n_rows; i++)
            disarm(&self->rows[i]);
        pthread_mutex_destroy(&self->lock);
    }
    free(self);
}

static int put_aside(watched *at, horus_ring *ring, const void *data, uint32_t length, horus_error *error) {
    if (length > horus_ring_payload(ring)) {
        horus_error_set(error, 0, "a message of %u bytes does not fit the topic's slots of %u", length,
                        horus_ring_payload(ring));
        return -1;
    }
    at->data = calloc(1, horus_round_up(length, 8)); /* senders read whole words */
    if (at->data == NULL) {
        horus_error_set(error, ENOMEM, "out of memory");
        return -1;
    }
    if (horus_publisher_join(&at->pub, ring, "watchdog", error) < 0) {
        disarm(at);
        return -1;
    }
    memcpy(at->data, data, length);
    at->length = length;
    return 0;
}

int horus_watchdog_arm(horus_watchdog *self, uint32_t row, horus_ring *ring, const void *data,
                       uint32_t length, horus_error *error) {
    if (row >= self->n_rows) {
        horus_error_set(error, 0, "expected a row below %u, got %u", self->n_rows, row);
        return -1;
    }
    pthread_mutex_lock(&self->lock);
    disarm(&self->rows[row]);
    int done = length == 0 ? 0 : put_aside(&self->rows[row], ring, data, length, error);
    pthread_mutex_unlock(&self->lock);
    return done;
}
