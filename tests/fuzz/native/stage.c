/* Inputs, budgets, and bytes that change at the steps of the code under test. */
#include "stage.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>

#include "../../../horus_core/native/src/step.h"

#define CHANGES_MAX 16u

static struct {
    bool inside, racing;
    enum { PARKED, GO, PARK } order; /* for the thread that races */
    uint32_t steps, budget;
    unsigned count;
    change planned[CHANGES_MAX];
} stage;

uint8_t take(input *in) {
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->at++;
}

uint64_t take_number(input *in, unsigned bytes) {
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)take(in) << (8 * i);
    return value;
}

uint64_t take_value(input *in) {
    uint8_t kind = take(in);
    if (kind < 128)
        return kind;
    if (kind < 192)
        return (1ull << (kind & 63)) - 1 + take(in) % 3;
    return take_number(in, kind < 224 ? 4 : 8);
}

void stage_fail(const char *file, int line, const char *what) {
    fprintf(stderr, "%s:%d: %s\n", file, line, what);
    abort();
}

/* ---- changes ---- */

/* The thread that races, if there is one, touches nothing once this returns. */
static void park(void) {
    if (stage.order == GO)
        __atomic_store_n(&stage.order, PARK, __ATOMIC_RELEASE);
    while (__atomic_load_n(&stage.order, __ATOMIC_ACQUIRE) != PARKED)
        sched_yield();
}

static uint64_t changed(uint64_t old, const change *c) {
    return c->how == CHANGE_SET ? c->value : c->how == CHANGE_ADD ? old + c->value : old ^ c->value;
}

#define CHANGE_AS(type)                                                                                      \
    __atomic_store_n((type *)c->at, (type)changed(__atomic_load_n((type *)c->at, __ATOMIC_RELAXED), c),      \
                     __ATOMIC_RELAXED)

static void make_change(const change *c) {
    switch (c->width) {
    case 1:
        CHANGE_AS(uint8_t);
        break;
    case 2:
        CHANGE_AS(uint16_t);
        break;
    case 4:
        CHANGE_AS(uint32_t);
        break;
    default:
        CHANGE_AS(uint64_t);
    }
}

void stage_change(const change *what) {
    park();
    if (!stage.racing && what->wait == 0)
        make_change(what);
    else if (stage.count < CHANGES_MAX)
        stage.planned[stage.count++] = *what;
}

void stage_forget_changes(void) {
    park();
    stage.count = 0;
}

void stage_plan(input *in, change what) {
    uint8_t when = take(in);
    if (when >= 128) {
        what.wait = 1 + (when & 63);
        if (when >= 192)
            what.every = 1 + take(in) % 64;
    }
    stage_change(&what);
}

void stage_plan_anywhere(input *in, uint8_t *bytes, size_t size) {
    uint8_t kind = take(in);
    unsigned width = 1u << (kind & 3);
    size_t at = (size_t)take_number(in, 3) * width;
    change what = {.width = width, .how = (enum change_how)((kind >> 2) % 3), .value = take_value(in)};
    if (size < width)
        return;
    what.at = bytes + at % (size / width * width);
    stage_plan(in, what);
}

static void make_due_changes(void) {
    for (unsigned i = stage.count; i-- > 0;) {
        change *c = &stage.planned[i];
        if (--c->wait > 0)
            continue;
        make_change(c);
        c->wait = c->every;
        if (c->every == 0)
            *c = stage.planned[--stage.count];
    }
}

/* ---- a thread that changes bytes as fast as it can, the plan over and over ---- */

static void *race(void *unused) {
    (void)unused;
    for (;;) {
        int order = __atomic_load_n(&stage.order, __ATOMIC_ACQUIRE);
        if (order == PARK)
            __atomic_store_n(&stage.order, PARKED, __ATOMIC_RELEASE);
        else if (order == PARKED)
            sched_yield();
        for (unsigned i = 0; order == GO && i < stage.count; i++)
            make_change(&stage.planned[i]);
    }
    return NULL;
}

void stage_race(void) {
    static pthread_t racer;
    if (!racer)
        FAIL_UNLESS(pthread_create(&racer, NULL, race, NULL) == 0);
    stage.racing = true;
}

/* ---- the code under test ---- */

void stage_reset(uint32_t budget) {
    stage_forget_changes();
    stage.racing = false;
    stage.budget = budget;
    stage_fault(0);
    stage_cut(0, -1, 0);
}

uint32_t stage_budget(uint32_t budget) {
    uint32_t former = stage.budget;
    stage.budget = budget;
    return former;
}

void stage_enter(void) {
    stage.steps = 0;
    stage.inside = true;
    if (stage.racing)
        __atomic_store_n(&stage.order, GO, __ATOMIC_RELEASE);
}

void stage_leave(void) {
    stage.inside = false;
}

bool stage_inside(void) {
    return stage.inside;
}

void stage_step(void) {
    if (!stage.inside)
        return;
    FAIL_UNLESS(++stage.steps <= stage.budget);
    if (!stage.racing)
        make_due_changes();
}

void stage_sleep(void) {
    stage_step();
    stage.steps = 0;
}

void horus_step(enum horus_step_id step) {
    (void)step;
    stage_step();
}
