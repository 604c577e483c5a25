/* What the files around a node share: node_py.c, node_row_py.c, run_py.c, lane_py.c, alarm_py.c. */
#ifndef HORUS_NODE_H
#define HORUS_NODE_H

#include "flight_py.h"

#define METHOD(function) ((PyCFunction)(void (*)(void))(function))

/* A topic that the node reads, with the depth of its fresh data: below 0 strict FIFO, 0 what suits its kind.
 */
typedef struct {
    PyObject *topic;
    Py_ssize_t depth;
} horus_inlet;

typedef struct {
    PyObject_HEAD
    PyObject *to_send;    /* name or class -> topic */
    PyObject *to_receive; /* the same; all its topics stand in `inlets` too */
    horus_inlet *inlets;
    Py_ssize_t n_inlets;
    PyObject
        *log_levels; /* level -> whether it is wanted, as stdlib logging knows it; NULL: ask `log_write` */
    PyObject *log_write; /* (level, message, every) */
    int in_callback;
    uint16_t row_index;     /* in the flight */
    horus_flight_row *row;  /* the node's figures: in its scheduler's flight, or at home */
    horus_flight_row *home; /* where they are while no scheduler has the node */
    flight_object *flight;  /* NULL at home */
} horus_node;

/* Refreshes the topics, calls and counts: NULL with what the tick raised, else the time it ended and took. */
typedef struct {
    uint64_t start_ns, end_ns;
    bool failed; /* raised an Exception; SystemExit and its like end the run instead */
} horus_tick_result;

/* True when the tick ended well; else an exception is set. */
bool horus_node_tick(horus_node *node, PyObject *callback, uint32_t tid, horus_tick_result *result);

/* The two ends of a tick that is not called here: its start, by the machine's clock. */
uint64_t horus_node_enter(horus_node *node, uint32_t tid);
void horus_node_leave(horus_node *node);

/* The figures of a tick, into the row. */
void horus_node_count(horus_node *node, const horus_tick_result *result);

/* Methods and attributes of NodeBase: node_row_py.c. */
PyObject *horus_node_attach(horus_node *self, PyTypeObject *defining, PyObject *const *args, Py_ssize_t nargs,
                            PyObject *kwnames);
PyObject *horus_node_detach(horus_node *self, PyObject *free_row);
PyObject *horus_node_quantile(horus_node *self, PyObject *share);
PyObject *horus_node_forgive(horus_node *self, PyObject *ignored);
extern PyGetSetDef horus_node_row_getset[];

/* More of them: node_log_py.c. */
PyObject *horus_node_log_debug(horus_node *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
PyObject *horus_node_log_info(horus_node *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
PyObject *horus_node_log_warning(horus_node *self, PyObject *const *args, Py_ssize_t nargs,
                                 PyObject *kwnames);
PyObject *horus_node_log_error(horus_node *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
PyObject *horus_node_bind_log(horus_node *self, PyObject *const *args, Py_ssize_t nargs);

/* ---- Run: a node and its releases ---- */

#define HORUS_NEVER INT64_MAX

typedef struct {
    PyObject_HEAD
    horus_node *node;
    PyObject *call;     /* the tick */
    PyObject *diverted; /* NULL, or what a release calls instead, which is no tick */
    double rate;        /* releases a second */
    double period;      /* ns; release k is at base + k * period, rounded once */
    int64_t base_ns, next_ns, index;
    int64_t release_ns; /* the oldest that the tick which runs, or ran last, is for */
    int64_t started_ns, previous_ns;
    int64_t deadline_ns; /* 0: none */
    int64_t good_in_row; /* ticks that neither failed nor missed */
    int64_t recover_after;
    int degraded;  /* whether recover_after good ticks are to be told */
    int on_demand; /* no release follows from the one before: somebody sets each */
    int in_lane;
    uint32_t hung_seen; /* how often the watchdog had marked it, by the last tick */
} horus_run;

enum horus_reason {
    HORUS_LANE_DONE,
    HORUS_LANE_TIME_UP,
    HORUS_LANE_RUNG,
    HORUS_LANE_MISSED,
    HORUS_LANE_RECOVERED,
    HORUS_LANE_RETURNED /* the watchdog had marked it hung; it may have missed its deadline, too */
};

/* Begins the newest release that is due; older ones count as skipped. */
void horus_run_begin(horus_run *run, int64_t now_ns);

/* Judges a tick that ended at end_ns of the scheduler's clock: DONE, MISSED, RECOVERED or RETURNED. */
enum horus_reason horus_run_judge(horus_run *run, int64_t end_ns, bool failed);

/* Adds the tick, which was judged, to the histograms and to the flight. */
void horus_run_record(horus_run *run, const horus_tick_result *result, enum horus_reason judged,
                      int64_t late_ns, uint32_t tid);

/* A release that is no tick: calls what it was diverted to. 0, or -1 with what that raised. */
int horus_run_diverted(horus_run *run);

/* The thread's id for the kernel, asked once. */
uint32_t horus_thread_id(void);

/* ---- Alarm: what a lane sleeps on ---- */

typedef struct {
    PyObject_HEAD
    uint32_t word; /* bit 0: rung; the rest counts nudges. Accessed atomically, slept on */
} horus_alarm;

#define HORUS_RUNG 1u
#define HORUS_NUDGE 2u

static inline bool horus_alarm_rung(const horus_alarm *alarm) {
    return (horus_load_seq_cst(&alarm->word) & HORUS_RUNG) != 0;
}

/* Waits, without the GIL, to until_ns or while the word is `seen`; the last spin_ns of it looking at the
 * clock. 0, or -1 with an exception. */
int horus_alarm_sleep(horus_alarm *alarm, uint32_t seen, int64_t until_ns, int64_t spin_ns);
/* Looks at the clock to until_ns or while the word is `seen`; the time. */
int64_t horus_alarm_spin(const horus_alarm *alarm, uint32_t seen, int64_t until_ns);
void horus_alarm_nudge(horus_alarm *alarm);

/* Each adds its types: 0, or -1 with an exception set. */
int horus_add_alarm(PyObject *module, horus_state *state);
int horus_add_run(PyObject *module, horus_state *state);

#endif
