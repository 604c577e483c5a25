#define _GNU_SOURCE
#include <time.h>

#include "horus/base.h"

uint64_t horus_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
