/* What other parts of the core keep with a membership. */
#ifndef HORUS_MEMBER_INTERNAL_H
#define HORUS_MEMBER_INTERNAL_H

#include <pthread.h>

#include "horus/member.h"

/* The regions that a process has mapped under one membership. Not to be touched in a forked child: a thread
 * of the parent that the child does not have may have held the mutex. */
typedef struct {
    pthread_mutex_t mutex;
    struct horus_ring *first;
} member_mappings;

member_mappings *horus_member_mappings(horus_member *member);

#endif
