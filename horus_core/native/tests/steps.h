/* What a build with -DHORUS_STEPS does at the named steps of src/step.h: nothing, or pause here and there so
 * that the windows between two steps are wide, or end or stop this process at the n-th passage of one. */
#ifndef HORUS_STEPS_H
#define HORUS_STEPS_H

#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../src/step.h"

#define STEPS_NAME(name) #name,
static const char *const steps_names[] = {HORUS_STEP_LIST(STEPS_NAME)};
#undef STEPS_NAME

#define STEPS_FOCUS 256u /* passages of any step for which one is wide */

enum steps_plan { STEPS_PASS, STEPS_WIDEN, STEPS_KILL, STEPS_STOP };

static struct {
    enum steps_plan plan;
    unsigned at; /* STEPS_KILL, STEPS_STOP: the step; STEPS_WIDEN: one that is always wide, or STEP_COUNT */
    uint32_t passage; /* and which passage of it, from 1 */
    uint32_t passed[STEP_COUNT];
} steps;

/* Of each thread: its dice, the steps that it has met, and the one of them that is wide just now. */
static __thread struct {
    uint64_t random;
    uint32_t passes, met;
    enum horus_step_id step[STEP_COUNT], focus;
    bool seen[STEP_COUNT];
} widening;

static inline void steps_plan(enum steps_plan plan, unsigned at, uint32_t passage) {
    memset(steps.passed, 0, sizeof steps.passed);
    memset(&widening, 0, sizeof widening);
    steps.plan = plan;
    steps.at = at;
    steps.passage = passage;
}

static inline unsigned steps_dice(unsigned sides) {
    if (widening.random == 0)
        widening.random = ((uint64_t)getpid() + 1) * 0x9e3779b97f4a7c15u ^ (uint64_t)(uintptr_t)&widening;
    widening.random ^= widening.random << 13;
    widening.random ^= widening.random >> 7;
    widening.random ^= widening.random << 17;
    return (unsigned)(widening.random >> 32) % sides;
}

static inline void steps_sleep(long nanoseconds) {
    nanosleep(&(struct timespec){.tv_nsec = nanoseconds}, NULL);
}

/* One step after the other, by chance, is wide for a while: long enough for others to go round the ring, to
 * lose patience, to die and to come. Half of the time none is. */
static inline void steps_choose_focus(enum horus_step_id step) {
    if (!widening.seen[step]) {
        widening.seen[step] = true;
        widening.step[widening.met++] = step;
    }
    if (widening.passes++ % STEPS_FOCUS == 0)
        widening.focus = steps_dice(2) ? widening.step[steps_dice(widening.met)] : STEP_COUNT;
}

/* Mostly nothing, sometimes another process's turn, rarely a pause; in the focus often a long one. */
static inline void steps_pause(enum horus_step_id step) {
    steps_choose_focus(step);
    bool wide = step == widening.focus;
    unsigned dice = steps_dice(4096);
    if (step == steps.at && dice < 1024)
        steps_sleep(8000000); /* long enough for another process to start */
    else if (dice < (wide ? 512 : 2))
        steps_sleep(2000000); /* longer than PATIENCE */
    else if (dice < (wide ? 1024 : 32))
        steps_sleep(20000);
    else if (dice < (wide ? 2048 : 512))
        sched_yield();
}

#ifdef HORUS_STEPS
void horus_step(enum horus_step_id step) {
    if (steps.plan == STEPS_PASS)
        return;
    if (steps.plan == STEPS_WIDEN) {
        steps_pause(step);
        return;
    }
    if (__atomic_add_fetch(&steps.passed[step], 1, __ATOMIC_RELAXED) == steps.passage && step == steps.at)
        kill(getpid(), steps.plan == STEPS_KILL ? SIGKILL : SIGSTOP);
}
#endif

#endif
