/* What a build with -DHORUS_STEPS does at the named steps of src/step.h: nothing, or pause here and there so that
 * the windows between two steps are wide, or end or stop this process at the n-th passage of one. */
#ifndef HORUS_STEPS_H
#define HORUS_STEPS_H

#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../src/step.h"

#define STEPS_NAME(name) #name,
static const char *const steps_names[] = {HORUS_STEP_LIST(STEPS_NAME)};
#undef STEPS_NAME

enum steps_plan { STEPS_PASS, STEPS_WIDEN, STEPS_KILL, STEPS_STOP };

static struct {
    enum steps_plan plan;
    unsigned at;      /* STEPS_KILL, STEPS_STOP: the step */
    uint32_t passage; /* and which passage of it, from 1 */
    uint32_t passed[STEP_COUNT];
} steps;

static __thread uint64_t steps_random;

static inline void steps_plan(enum steps_plan plan, unsigned at, uint32_t passage) {
    memset(steps.passed, 0, sizeof steps.passed);
    steps.plan = plan;
    steps.at = at;
    steps.passage = passage;
}

/* Mostly nothing, sometimes another process's turn, rarely long enough for others to go round the ring. */
static inline void steps_pause(void) {
    if (steps_random == 0)
        steps_random = (uint64_t)getpid() * 0x9e3779b97f4a7c15u ^ (uint64_t)(uintptr_t)&steps_random;
    steps_random ^= steps_random << 13;
    steps_random ^= steps_random >> 7;
    steps_random ^= steps_random << 17;
    unsigned dice = (unsigned)(steps_random >> 40) & 0xfffu;
    if (dice < 2)
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL); /* longer than PATIENCE */
    else if (dice < 32)
        nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
    else if (dice < 512)
        sched_yield();
}

#ifdef HORUS_STEPS
void horus_step(enum horus_step_id step) {
    if (steps.plan == STEPS_PASS)
        return;
    if (steps.plan == STEPS_WIDEN) {
        steps_pause();
        return;
    }
    if (__atomic_add_fetch(&steps.passed[step], 1, __ATOMIC_RELAXED) == steps.passage && step == steps.at)
        kill(getpid(), steps.plan == STEPS_KILL ? SIGKILL : SIGSTOP);
}
#endif

#endif
