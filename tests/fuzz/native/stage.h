/* What the fuzz targets share. An input says what is called, which bytes of shared memory are others than
 * they should be, and at which step they change. The code under test runs inside CALL: there its steps
 * (src/step.h) and system calls are counted against a budget, which is how a call that does not come back is
 * found, and at each of them shared memory may change or a system call or an allocation may fail, the same
 * way each time. */
#ifndef HORUS_FUZZ_STAGE_H
#define HORUS_FUZZ_STAGE_H

#include <stdlib.h>
#include <string.h>

#include "horus/base.h"
#include "horus/member.h"

/* ---- the input ---- */

typedef struct {
    const uint8_t *at;
    size_t left;
} input;

/* The next byte, or the next `bytes` as a number; 0 where the input ends. */
uint8_t take(input *in);
uint64_t take_number(input *in, unsigned bytes);
/* A 64-bit number: small, near a power of two, or any. */
uint64_t take_value(input *in);

#define FAIL_UNLESS(condition)                                                                               \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            stage_fail(__FILE__, __LINE__, #condition);                                                      \
    } while (0)
void stage_fail(const char *file, int line, const char *what) __attribute__((noreturn));

/* ---- the code under test ---- */

void stage_enter(void);
void stage_leave(void);
bool stage_inside(void);

#define CALL_VOID(call)                                                                                      \
    do {                                                                                                     \
        stage_enter();                                                                                       \
        call;                                                                                                \
        stage_leave();                                                                                       \
    } while (0)
#define CALL(call)                                                                                           \
    __extension__({                                                                                          \
        stage_enter();                                                                                       \
        __typeof__(call) got_ = (call);                                                                      \
        stage_leave();                                                                                       \
        got_;                                                                                                \
    })

/* Forgets what an earlier input planned. No call may take more than `budget` steps. */
void stage_reset(uint32_t budget);
/* From here on no call may take more; the former budget. */
uint32_t stage_budget(uint32_t budget);

/* A step of the code under test; fails the run when the budget is used up. */
void stage_step(void);
/* The code under test sleeps, which its deadline bounds: its steps are counted anew. */
void stage_sleep(void);

/* ---- changes of shared memory ---- */

enum change_how { CHANGE_SET, CHANGE_ADD, CHANGE_XOR };

typedef struct {
    void *at;       /* in a mapping of the stage's own */
    unsigned width; /* bytes: 1, 2, 4 or 8; `at` is aligned to it */
    enum change_how how;
    uint64_t value;
    uint32_t wait;  /* steps until it comes; 0: now */
    uint32_t every; /* steps until it comes again; 0: once */
} change;

void stage_change(const change *what);
/* The same when the input says so: now, at a step to come, or again and again. */
void stage_plan(input *in, change what);
/* Somewhere in `bytes`, any value. */
void stage_plan_anywhere(input *in, uint8_t *bytes, size_t size);
void stage_forget_changes(void);
/* Instead of at the steps, changes come from a thread of their own until the next reset. */
void stage_race(void);

/* ---- what fails and passes, wrap.c ---- */

/* The n-th system call or allocation from here on fails; 0: none. */
void stage_fault(uint32_t n);
/* Whether this one does; errno is `code` then. */
bool stage_fails(int code);
/* At the n-th look at a file's size or contents from here on, 1 or 2, that file is cut to so many bytes,
 * which ends what was planned to change. What is mapped must not be cut: that is a SIGBUS, as
 * docs/protocol.md says. */
void stage_cut(uint32_t n, int fd, size_t to);
void stage_pass_time(uint64_t ns);
/* What the next sleeps come back with: 0, ETIMEDOUT or EINTR. */
void stage_sleeps_return(int code);

/* An anonymous file, all of it reserved, and a mapping of it. */
int stage_file(size_t size, uint8_t **bytes);

/* Shared memory objects by name, without /dev/shm: shm_open and shm_unlink of the code under test find these.
 * Each descriptor is the table's from then on, until all are dropped. */
void stage_name(const char *name, int fd);
unsigned stage_names(void);                         /* how many there were, the unlinked ones included */
uint8_t *stage_named(unsigned which, size_t *size); /* a mapping of the stage's own */
void stage_drop_names(void);
/* As systemd does at logout: all of them are unlinked. */
void stage_unlink_names(void);

/* ---- a namespace: index.c ---- */

typedef struct {
    int fd;
    uint8_t *bytes, *pristine;
    size_t size;
    horus_member *self, *peer; /* two processes, both alive */
    horus_ident dead;
} index_stage;

/* Made once, in the same way each time. */
index_stage *stage_index(void);
void stage_index_reset(void);

/* Somebody's identity: nobody, alive, dead, or nonsense. */
horus_ident take_who(input *in);

#endif
