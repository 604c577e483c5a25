/* A namespace with two living processes and a dead one; their identities are the same in each run. */
#define _GNU_SOURCE
#include "../../../horus_core/native/src/member_internal.h"
#include "stage.h"

#include <sys/mman.h>

static horus_member *join(int fd) {
    horus_error error;
    horus_member *member = CALL(horus_member_join(fd, "fuzz", &error));
    FAIL_UNLESS(member != NULL);
    return member;
}

index_stage *stage_index(void) {
    static index_stage index;
    if (index.bytes != NULL)
        return &index;
    stage_reset(UINT32_MAX);
    index.size = horus_index_size();
    index.fd = stage_file(index.size, &index.bytes);
    horus_index_format(index.bytes);
    ((index_region *)index.bytes)->first_generation = 1000; /* not the time of day: inputs name identities */
    index.self = join(index.fd);
    index.peer = join(index.fd);
    horus_member *third = join(index.fd);
    index.dead = horus_member_self(third);
    CALL_VOID(horus_member_leave(third));
    index.pristine = malloc(index.size);
    memcpy(index.pristine, index.bytes, index.size);
    return &index;
}

void stage_index_reset(void) {
    index_stage *index = stage_index();
    memcpy(index->bytes, index->pristine, index->size);
}

horus_ident take_who(input *in) {
    const index_stage *index = stage_index();
    uint8_t kind = take(in);
    switch (kind % 6) {
    case 0:
        return 0;
    case 1:
        return horus_member_self(index->self);
    case 2:
        return horus_member_self(index->peer);
    case 3:
        return index->dead;
    case 4:
        return take_value(in) << 16 | take_number(in, 2) % (2 * HORUS_MAX_PROCESSES);
    default:
        return take_value(in);
    }
}
