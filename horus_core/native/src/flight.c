/* The writer's side of a flight: making it, rows, records. */
#define _GNU_SOURCE
#include "flight_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "boot.h"

#define DEFAULT_ROWS 128u
#define DEFAULT_TICKS 16384u
#define DEFAULT_EVENTS 512u

static uint32_t power_of_two(uint32_t wanted, uint32_t most) {
    uint32_t made = 16;
    while (made < wanted && made < most)
        made <<= 1;
    return made;
}

static flight_shape shape_of(const horus_flight_params *params) {
    uint32_t rows = params->rows == 0 ? DEFAULT_ROWS : params->rows;
    return (flight_shape){
        .rows = rows < HORUS_FLIGHT_MAX_ROWS ? rows : HORUS_FLIGHT_MAX_ROWS,
        .ticks = power_of_two(params->ticks == 0 ? DEFAULT_TICKS : params->ticks, HORUS_FLIGHT_MAX_TICKS),
        .events =
            power_of_two(params->events == 0 ? DEFAULT_EVENTS : params->events, HORUS_FLIGHT_MAX_EVENTS),
    };
}

size_t horus_flight_size(const horus_flight_params *params) {
    flight_shape shape = shape_of(params);
    return flight_size(&shape);
}

static uint64_t realtime_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void format(horus_flight_header *header, const flight_shape *shape,
                   const horus_flight_params *params) {
    header->version = HORUS_FLIGHT_VERSION;
    header->rows = shape->rows;
    header->ticks = shape->ticks;
    header->events = shape->events;
    header->size = flight_size(shape);
    horus_boot_id(header->boot_id);
    header->ident = params->ident;
    header->pid = (uint32_t)getpid();
    header->created_ns = horus_now_ns();
    header->created_realtime_ns = realtime_ns();
    if (params->name != NULL)
        memcpy(header->name, params->name, strnlen(params->name, sizeof header->name));
    memcpy(header->magic, HORUS_FLIGHT_MAGIC, sizeof header->magic);
}

horus_flight *horus_flight_create(int fd, const horus_flight_params *params, horus_error *error) {
    flight_shape shape = shape_of(params);
    size_t size = flight_size(&shape);
    int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
    horus_flight *flight = calloc(1, sizeof *flight);
    void *memory = flight == NULL ? MAP_FAILED : mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (memory == MAP_FAILED) {
        horus_error_set(error, errno, "Cannot map a scheduler's record of %zu bytes: %s.", size,
                        strerror(errno));
        free(flight);
        return NULL;
    }
    uint8_t *base = memory;
    flight->header = memory;
    flight->rows = (horus_flight_row *)(base + flight_rows_at());
    flight->ticks = (horus_flight_tick *)(base + flight_ticks_at(&shape));
    flight->events = (horus_flight_event *)(base + flight_events_at(&shape));
    flight->tick_mask = shape.ticks - 1;
    flight->event_mask = shape.events - 1;
    flight->size = size;
    format(flight->header, &shape, params);
    return flight;
}

void horus_flight_free(horus_flight *flight) {
    if (flight == NULL)
        return;
    munmap(flight->header, flight->size);
    free(flight);
}

static void take_row(horus_flight_row *row, const char *name) {
    /* Freed first for readers, who would otherwise see the old node's figures under the new one's name. */
    horus_store_release(&row->flags, (uint32_t)HORUS_ROW_FREE);
    memset(row, 0, offsetof(horus_flight_row, flags));
    memset(&row->tid, 0, sizeof *row - offsetof(horus_flight_row, tid));
    memcpy(row->name, name, strnlen(name, sizeof row->name));
    row->taken_ns = horus_now_ns();
    horus_store_release(&row->flags, 0);
}

/* The first row in use with that flag, of that name or (NULL) of any. */
static horus_flight_row *find_row(horus_flight *flight, uint32_t flag, const char *name) {
    uint32_t used = horus_load_relaxed(&flight->header->rows_used);
    for (uint32_t i = 0; i < used; i++) {
        horus_flight_row *row = &flight->rows[i];
        if (horus_load_relaxed(&row->flags) & flag &&
            (name == NULL || strncmp(row->name, name, sizeof row->name) == 0))
            return row;
    }
    return NULL;
}

static horus_flight_row *next_unused(horus_flight *flight) {
    horus_flight_header *header = flight->header;
    uint32_t used = horus_load_relaxed(&header->rows_used);
    return used < header->rows && used < HORUS_FLIGHT_NO_NODE ? &flight->rows[used] : NULL;
}

horus_flight_row *horus_flight_claim_row(horus_flight *flight, const char *name) {
    horus_flight_header *header = flight->header;
    horus_flight_row *row = find_row(flight, HORUS_ROW_GONE, name);
    if (row == NULL)
        row = find_row(flight, HORUS_ROW_FREE, NULL);
    if (row == NULL)
        row = next_unused(flight);
    if (row == NULL)
        row = find_row(flight, HORUS_ROW_GONE, NULL);
    if (row == NULL)
        return NULL;
    take_row(row, name);
    if (row == next_unused(flight))
        horus_store_release(&header->rows_used, (uint32_t)(row - flight->rows) + 1);
    return row;
}

/* 32 bits of ns, or of us with the flag. */
static inline uint32_t fold(uint64_t ns, uint8_t flag, uint8_t *flags) {
    if (HORUS_LIKELY(ns <= UINT32_MAX))
        return (uint32_t)ns;
    *flags |= flag;
    return ns / 1000 > UINT32_MAX ? UINT32_MAX : (uint32_t)(ns / 1000);
}

/* A record is written between two stores of `seq`: 0 says that what follows may be torn. A writer that sleeps
 * in between for a whole lap may spoil the record that took its slot; readers are never misled by more than
 * the figures of one record, and a lap takes longer than any time slice. */
void horus_flight_write_tick(horus_flight *flight, uint16_t node, uint8_t kind, uint64_t start_ns,
                             uint64_t duration_ns, uint64_t lateness_ns, uint32_t tid) {
    uint64_t number = __atomic_fetch_add(&flight->header->tick_head, 1, __ATOMIC_RELAXED);
    horus_flight_tick *at = &flight->ticks[number & flight->tick_mask];
    uint8_t flags = 0;
    horus_store_relaxed(&at->seq, 0);
    horus_fence_release();
    horus_store_relaxed(&at->start_ns, start_ns);
    horus_store_relaxed(&at->duration, fold(duration_ns, FLIGHT_DURATION_US, &flags));
    horus_store_relaxed(&at->lateness, fold(lateness_ns, FLIGHT_LATENESS_US, &flags));
    horus_store_relaxed(&at->node, node);
    horus_store_relaxed(&at->kind, kind);
    horus_store_relaxed(&at->flags, flags);
    horus_store_relaxed(&at->tid, tid);
    horus_store_release(&at->seq, number + 1);
}

/* 8 bytes at a time: a writer that slept for a whole lap may write here, too. */
static void write_text(char *to, const char *text, size_t length) {
    for (size_t at = 0; at < length; at += 8) {
        uint64_t word = 0;
        memcpy(&word, text + at, length - at < 8 ? length - at : 8);
        horus_store_relaxed((uint64_t *)(void *)(to + at), word);
    }
}

void horus_flight_write_event(horus_flight *flight, uint16_t node, uint8_t kind, uint8_t detail,
                              const char *text, size_t length) {
    size_t most = (size_t)HORUS_FLIGHT_PARTS * HORUS_FLIGHT_TEXT;
    if (length > most)
        length = most;
    uint64_t parts = length == 0 ? 1 : (length + HORUS_FLIGHT_TEXT - 1) / HORUS_FLIGHT_TEXT;
    uint64_t number = __atomic_fetch_add(&flight->header->event_head, parts, __ATOMIC_RELAXED);
    uint64_t now = horus_now_ns();
    for (uint64_t part = 0; part < parts; part++) {
        horus_flight_event *at = &flight->events[(number + part) & flight->event_mask];
        size_t offset = (size_t)part * HORUS_FLIGHT_TEXT, rest = length - offset;
        uint16_t here = (uint16_t)(rest < HORUS_FLIGHT_TEXT ? rest : HORUS_FLIGHT_TEXT);
        horus_store_relaxed(&at->seq, 0);
        horus_fence_release();
        horus_store_relaxed(&at->time_ns, now);
        horus_store_relaxed(&at->node, node);
        horus_store_relaxed(&at->kind, kind);
        horus_store_relaxed(&at->detail, detail);
        horus_store_relaxed(&at->part, (uint8_t)part);
        horus_store_relaxed(&at->parts, (uint8_t)parts);
        horus_store_relaxed(&at->length, here);
        write_text(at->text, text + offset, here);
        horus_store_release(&at->seq, number + part + 1);
    }
}

/* From the first page that was never written to the end of the ring. */
static void give_back(const horus_flight *flight, void *ring, size_t used, size_t size) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = horus_round_up((uintptr_t)ring + used, page), to = (uintptr_t)ring + size;
    to -= to % page;
    if (used >= size || from >= to || to > (uintptr_t)flight->header + flight->size)
        return;
    munlock((void *)from, to - from); /* a process with a real-time node locks its memory, which stays then */
    madvise((void *)from, to - from, MADV_REMOVE); /* private memory has no file: EINVAL, no matter */
}

void horus_flight_end(horus_flight *flight) {
    horus_flight_header *header = flight->header;
    give_back(flight, flight->ticks, (size_t)horus_load_relaxed(&header->tick_head) * sizeof *flight->ticks,
              header->ticks * sizeof *flight->ticks);
    give_back(flight, flight->events,
              (size_t)horus_load_relaxed(&header->event_head) * sizeof *flight->events,
              header->events * sizeof *flight->events);
    horus_store_release(&header->ended_ns, horus_now_ns());
}

/* ---- histograms ---- */

uint64_t horus_flight_bucket_floor(unsigned bucket) {
    if (bucket == 0)
        return 0;
    unsigned octave = (bucket - 1) / 4 + 6, quarter = (bucket - 1) % 4;
    return ((uint64_t)1 << octave) + (uint64_t)quarter * ((uint64_t)1 << (octave - 2));
}

double horus_flight_quantile(const uint32_t counts[HORUS_FLIGHT_BUCKETS], double share) {
    uint64_t total = 0, below = 0;
    for (unsigned i = 0; i < HORUS_FLIGHT_BUCKETS; i++)
        total += horus_load_relaxed(&counts[i]);
    double wanted = share * (double)total;
    for (unsigned i = 0; total > 0 && i < HORUS_FLIGHT_BUCKETS; i++) {
        uint32_t here = horus_load_relaxed(&counts[i]);
        if (here > 0 && (double)(below + here) >= wanted) {
            double low = (double)horus_flight_bucket_floor(i);
            if (i == HORUS_FLIGHT_BUCKETS - 1)
                return low;
            double high = (double)horus_flight_bucket_floor(i + 1);
            return low + (high - low) * (wanted - (double)below) / here;
        }
        below += here;
    }
    return 0;
}
