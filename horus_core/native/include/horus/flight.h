/* A scheduler's record in shared memory: live rows of its nodes, and what happened last.
 *
 * One file a scheduler, `/dev/shm/horus_{ns}/schedulers/{name}.flight`. It survives its process, whatever
 * ends that: every field is one aligned store, every record is valid by its number alone, and nothing is ever
 * in a state that a reader must wait for. Readers trust nothing that stands in it.
 *
 *   header | rows, one a node | ring of ticks | ring of events
 *
 * A row's fields have one writer at a time (the thread that ticks the node; its state also the watchdog) and
 * are stored relaxed. Records of the two rings are claimed by fetch_add of their head, so several threads may
 * write; number n lies in slot n % capacity, its `seq` is n + 1 and is stored last, with release. */
#ifndef HORUS_FLIGHT_H
#define HORUS_FLIGHT_H

#include "horus/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define HORUS_FLIGHT_MAGIC "HORUSFLT"
#define HORUS_FLIGHT_VERSION 1u
#define HORUS_FLIGHT_NAME 128u    /* bytes of a name, not always terminated */
#define HORUS_FLIGHT_BUCKETS 114u /* below 64 ns, 4 for each octave up to 2^34 ns (17 s), above */
#define HORUS_FLIGHT_TEXT 232u    /* bytes of text in one record of an event */
#define HORUS_FLIGHT_PARTS 64u    /* records that one event may take */
#define HORUS_FLIGHT_NO_NODE 0xffffu

#define HORUS_FLIGHT_MAX_ROWS 4096u
#define HORUS_FLIGHT_MAX_TICKS (1u << 24)
#define HORUS_FLIGHT_MAX_EVENTS (1u << 20)

/* The states of a node, as horus.NodeState has them. */
enum horus_node_state {
    HORUS_UNINITIALIZED,
    HORUS_INITIALIZING,
    HORUS_RUNNING,
    HORUS_PAUSED,
    HORUS_ERROR,
    HORUS_HUNG,
    HORUS_CRASHED,
    HORUS_STOPPING,
    HORUS_STOPPED
};

/* Flags of a row. */
enum horus_row_flag {
    HORUS_ROW_CRITICAL = 1,
    HORUS_ROW_DEGRADED = 2,   /* its ladder has taken a step */
    HORUS_ROW_SAFE_STATE = 4, /* enter_safe_state() was called and has returned */
    HORUS_ROW_FREE = 8,       /* nobody's: readers pass it over */
    /* What its thread asked the kernel for and got. The same four bits further up: was refused. */
    HORUS_ROW_FIFO = 16,
    HORUS_ROW_LOCKED = 32,
    HORUS_ROW_CORE = 64,
    HORUS_ROW_HELD =
        128, /* an emergency stop holds it, and its enter_safe_state() has returned or there is none */
    HORUS_ROW_GONE = 4096 /* the node was removed: another one may take the row, when it needs it */
};

/* Bits: a tick may be all of it. */
enum horus_tick_kind { HORUS_TICK_OK = 0, HORUS_TICK_FAILED = 1, HORUS_TICK_MISSED = 2, HORUS_TICK_HUNG = 4 };

enum horus_event_kind {
    HORUS_EVENT_START = 1, /* of the scheduler, with what it was granted */
    HORUS_EVENT_STOP,
    HORUS_EVENT_STATE,    /* a node's; `detail` is the new state */
    HORUS_EVENT_FAILURE,  /* with the traceback */
    HORUS_EVENT_MISS,     /* detail: 0 deadline, 1 budget */
    HORUS_EVENT_LADDER,   /* detail: the step that was taken */
    HORUS_EVENT_RECOVERY, /* detail: the step that is left */
    HORUS_EVENT_HUNG,
    HORUS_EVENT_RETURNED, /* a hung tick has ended */
    HORUS_EVENT_ESTOP,
    HORUS_EVENT_LOG,
    HORUS_EVENT_NOTE
};

typedef struct {
    /* written by every tick */
    uint64_t
        started_ns; /* of the tick that runs now, by the machine's clock; 0: none (read by the watchdog) */
    uint64_t release_ns; /* the oldest that the last tick was for, by the scheduler's clock */
    uint64_t ticks, last_ns, total_ns, min_ns, max_ns, skipped;
    /* written now and then */
    uint64_t failed, missed;
    uint32_t failed_in_row, missed_in_row;
    uint32_t restarts, hung; /* times that the watchdog has marked it */
    uint32_t state;          /* enum horus_node_state */
    uint32_t flags;          /* enum horus_row_flag */
    uint32_t tid;            /* of the thread that ticks it; 0 before the first tick */
    uint32_t ladder;         /* the step that its ladder is on */
    uint64_t safe_state_ns;  /* when enter_safe_state() returned; 0: not since the start */
    /* written when it is set up or changed */
    uint64_t period_ns, budget_ns, deadline_ns, watchdog_ns;
    int32_t order;
    uint32_t state_before; /* it was marked hung */
    uint32_t overruns;     /* ticks that took longer than the budget */
    uint32_t first;        /* the next tick is the first, which has 10 times the time */
    char exec_class[16];
    char name[HORUS_FLIGHT_NAME];
    uint32_t duration[HORUS_FLIGHT_BUCKETS]; /* of ticks */
    uint32_t lateness[HORUS_FLIGHT_BUCKETS]; /* of their starts, after the release */
    uint64_t safe_ticks; /* `ticks` when enter_safe_state() was called: it has moved since if they differ */
    uint64_t taken_ns;   /* when the node took this row: what was recorded for it before is another's */
    uint8_t spare2[104]; /* an odd number of cache lines: rows do not share sets of the caches */
} horus_flight_row;

typedef struct {
    uint64_t seq; /* number + 1; 0 while it is written */
    uint64_t start_ns;
    uint32_t duration; /* ns, or us with the flag */
    uint32_t lateness;
    uint16_t node; /* index of its row */
    uint8_t kind;  /* enum horus_tick_kind */
    uint8_t flags; /* 1: duration in us, 2: lateness in us (what does not fit 32 bits) */
    uint32_t tid;
} horus_flight_tick;

typedef struct {
    uint64_t seq;
    uint64_t time_ns; /* machine's clock */
    uint16_t node;    /* or HORUS_FLIGHT_NO_NODE */
    uint8_t kind;     /* enum horus_event_kind */
    uint8_t detail;
    uint8_t part, parts; /* a long text goes on in the records that follow */
    uint16_t length;     /* of the text here */
    char text[HORUS_FLIGHT_TEXT];
} horus_flight_event;

typedef struct {
    char magic[8];
    uint32_t version;
    uint32_t rows, ticks, events; /* capacities; the rings' are powers of two */
    uint64_t size;
    uint8_t boot_id[16];
    uint64_t ident; /* of the process in its namespace's index */
    uint32_t pid;
    uint32_t rows_used;
    uint64_t created_ns, created_realtime_ns; /* CLOCK_MONOTONIC and CLOCK_REALTIME at one moment */
    uint64_t ended_ns;                        /* 0: runs, or was killed */
    char name[HORUS_FLIGHT_NAME];
    uint8_t spare0[40];
    uint64_t tick_head; /* a line each: several threads add to them */
    uint8_t spare1[56];
    uint64_t event_head;
    uint8_t spare2[56];
} horus_flight_header;

/* ---- writing ---- */

typedef struct {
    uint32_t rows, ticks, events; /* 0: the default; rings are rounded up to a power of two */
    uint64_t ident;
    const char *name;
} horus_flight_params;

typedef struct {
    horus_flight_header *header;
    horus_flight_row *rows;
    horus_flight_tick *ticks;
    horus_flight_event *events;
    uint64_t tick_mask, event_mask;
    size_t size;
} horus_flight;

size_t horus_flight_size(const horus_flight_params *params);

/* Maps a zeroed file of horus_flight_size() bytes, or private memory with fd -1, and makes it a flight of
 * this process. NULL with the error set. The caller may close fd. */
horus_flight *horus_flight_create(int fd, const horus_flight_params *params, horus_error *error);
void horus_flight_free(horus_flight *flight);

/* A row for a node, or NULL when all are taken: that of a removed node of its name, or one that was never
 * used, or that of any removed node, which is told of no more. Serialised by the caller. */
horus_flight_row *horus_flight_claim_row(horus_flight *flight, const char *name);

/* The row's index; HORUS_FLIGHT_NO_NODE for one that is not the flight's. */
static inline uint16_t horus_flight_row_index(const horus_flight *flight, const horus_flight_row *row) {
    if (flight == NULL || row < flight->rows || row >= flight->rows + flight->header->rows)
        return HORUS_FLIGHT_NO_NODE;
    return (uint16_t)(row - flight->rows);
}

/* From any thread. */
void horus_flight_write_tick(horus_flight *flight, uint16_t node, uint8_t kind, uint64_t start_ns,
                             uint64_t duration_ns, uint64_t lateness_ns, uint32_t tid);
void horus_flight_write_event(horus_flight *flight, uint16_t node, uint8_t kind, uint8_t detail,
                              const char *text, size_t length);

/* The run has ended as it should: says so, and gives back the memory of what was never written. */
void horus_flight_end(horus_flight *flight);

/* ---- histograms ---- */

static inline unsigned horus_flight_bucket(uint64_t ns) {
    if (ns < 64)
        return 0;
    if (ns >> 34)
        return HORUS_FLIGHT_BUCKETS - 1;
    unsigned octave = 63u - (unsigned)__builtin_clzll(ns);
    return 1u + (octave - 6u) * 4u + (unsigned)(ns >> (octave - 2u) & 3u);
}

/* The smallest value of a bucket. */
uint64_t horus_flight_bucket_floor(unsigned bucket);

/* The value below which that share (0 to 1) of the counts lies, to a tenth of it; 0 without counts. */
double horus_flight_quantile(const uint32_t counts[HORUS_FLIGHT_BUCKETS], double share);

/* ---- reading: a copy at a time, nothing is believed ---- */

typedef struct {
    int fd;
    horus_flight_header header; /* as checked when it was opened; read anew by horus_flight_look */
} horus_flight_reader;

/* 0, or -1 with the error set when this is no flight that makes sense. The caller keeps and closes fd. */
int horus_flight_open(horus_flight_reader *reader, int fd, horus_error *error);

/* Reads the header again: heads, rows in use, end. 0, or -1 when the file has changed its kind or length. */
int horus_flight_look(horus_flight_reader *reader, horus_error *error);

bool horus_flight_read_row(const horus_flight_reader *reader, uint32_t index, horus_flight_row *out);

/* Copies the records with numbers from `since` on, oldest first, at most `room`; returns how many are whole.
 * Torn, overwritten and unfinished ones are left out. (size_t)-1: no memory. */
size_t horus_flight_read_ticks(const horus_flight_reader *reader, uint64_t since, horus_flight_tick *out,
                               size_t room);
size_t horus_flight_read_events(const horus_flight_reader *reader, uint64_t since, horus_flight_event *out,
                                size_t room);

#ifdef __cplusplus
}
#endif
#endif
