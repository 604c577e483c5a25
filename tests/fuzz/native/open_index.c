/* Fuzz target: joining a namespace whose index lies, has another size, is full, or changes; and asking it who
 * lives. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../horus_core/native/src/futex.h"
#include "../../../horus_core/native/src/member_internal.h"
#include "stage.h"

#define OPS_MAX 16u /* with a row locked after the other a join takes a thousand system calls */
#define BUDGET (20 * HORUS_MAX_PROCESSES)
#define HEADER offsetof(index_region, row)

typedef struct {
    int fd, locks; /* the index, and another open file of it that holds locks, as another process does */
    uint8_t *bytes;
    size_t size;
    horus_member *member;
    bool cut; /* the file is shorter than it should be: its bytes are not touched any more */
} play;

/* Somebody else takes the rows from `first` on, so many. */
static void lock_rows(const play *p, short type, unsigned first, unsigned count) {
    struct flock lock = {
        .l_type = type, .l_whence = SEEK_SET, .l_start = INDEX_LOCK_BASE + (off_t)first, .l_len = count};
    if (count > 0)
        (void)fcntl(p->locks, F_OFD_SETLK, &lock);
}

static void plan(play *p, input *in) {
    bool in_header = take(in) & 1;
    stage_plan_anywhere(in, p->bytes, in_header ? HEADER : p->size);
}

static horus_ident take_any(const play *p, input *in) {
    uint8_t kind = take(in);
    if (kind < 64)
        return p->member == NULL ? 0 : horus_member_self(p->member);
    return kind < 192 ? horus_member_at(p->member, kind) : take_value(in);
}

/* A child that asks nothing, once: a fork takes long. Or the same process, as the child's copy. */
static void fork_or_seem(play *p, unsigned row) {
    static bool forked;
    if (!forked && row == HORUS_MAX_PROCESSES) {
        forked = true;
        pid_t child = fork();
        if (child == 0)
            _exit(horus_member_is_forked(p->member) ? 0 : 1);
        int status = 1;
        FAIL_UNLESS(waitpid(child, &status, 0) == child && status == 0);
    } else {
        CALL_VOID(horus_member_forked(p->member));
        FAIL_UNLESS(horus_member_is_forked(p->member));
    }
}

static void ask(play *p, input *in) {
    static const int codes[] = {0, ETIMEDOUT, EINTR};
    horus_ident who = take_any(p, in);
    uint8_t how = take(in);
    unsigned row = (unsigned)take_number(in, 2) % (2 * HORUS_MAX_PROCESSES);
    stage_fault(how >> 6);
    switch (how % 8) {
    case 0:
        CALL(horus_member_alive(p->member, who));
        break;
    case 1:
        FAIL_UNLESS(horus_ident_index(CALL(horus_member_at(p->member, row))) < HORUS_MAX_PROCESSES);
        break;
    case 2:
        CALL(horus_member_pid(p->member, who));
        break;
    case 3:
        if (CALL(horus_member_lock_index(p->member, row)))
            CALL_VOID(horus_member_unlock_index(p->member, row));
        break;
    case 4:
        CALL_VOID(horus_member_bump(p->member));
        break;
    case 5:
        stage_sleeps_return(codes[row % 3]);
        CALL(horus_member_wait(p->member, horus_member_epoch(p->member) + (how & 16),
                               horus_now_ns() + HORUS_SLICE_NS * (row % 4)));
        break;
    case 6:
        if (how & 8) {
            const uint32_t *word;
            uint32_t expected;
            CALL(horus_member_wait_begin(p->member, horus_member_epoch(p->member) + (how & 16), &word,
                                         &expected));
        } else {
            CALL(horus_member_linked(p->member));
        }
        CALL(horus_member_locked(p->member));
        break;
    default:
        fork_or_seem(p, row);
    }
    stage_fault(0);
}

/* As the command line looks at a namespace that it may not be able to join. */
static void look(play *p) {
    horus_index_state state;
    CALL_VOID(horus_index_look(p->fd, &state));
    FAIL_UNLESS(p->member == NULL || state.in_use || horus_member_is_forked(p->member));
}

static void join(play *p, input *in) {
    char name[100];
    memset(name, 'n', sizeof name);
    name[take(in) % sizeof name] = '\0';
    uint8_t how = take(in);
    stage_fault(how % 16);
    horus_error error = {0};
    if (p->member != NULL)
        CALL_VOID(horus_member_leave(p->member));
    p->member = NULL;
    if (how >= 240 && !p->cut) { /* while it is looked at; nobody has it mapped but this stage */
        stage_cut(how % 3, p->fd, take(in) % HEADER);
        p->cut = true;
    }
    p->member = CALL(horus_member_join(p->fd, name, &error));
    stage_fault(0);
    stage_cut(0, -1, 0);
    FAIL_UNLESS(p->member != NULL || error.text[0] != '\0');
    if (p->member != NULL) {
        FAIL_UNLESS(strncmp(horus_member_namespace(p->member), name, 63) == 0 || strlen(name) > 63);
        FAIL_UNLESS((uint32_t)horus_ident_generation(horus_member_self(p->member)) != 0);
    }
}

static void begin(play *p) {
    p->size = horus_index_size();
    p->fd = stage_file(p->size, &p->bytes);
    horus_index_format(p->bytes);
    ((index_region *)p->bytes)->first_generation = 1000; /* not the time of day: the same in each run */
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", p->fd);
    p->locks = open(path, O_RDWR | O_CLOEXEC);
    FAIL_UNLESS(p->locks >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    input in = {data, size};
    play p = {0};
    stage_reset(BUDGET);
    begin(&p);
    if (take(&in) >= 200) {
        FAIL_UNLESS(ftruncate(p.fd, (off_t)(take_number(&in, 2) % p.size)) == 0);
        p.cut = true;
    }
    for (unsigned ops = 0; in.left > 0 && ops < OPS_MAX; ops++) {
        uint8_t op = take(&in);
        if (op % 8 < 2 && !p.cut)
            plan(&p, &in);
        else if (op % 8 == 2)
            lock_rows(&p, F_WRLCK, (unsigned)take_number(&in, 2) % 600, op & 8 ? HORUS_MAX_PROCESSES : 1);
        else if (op % 8 == 3)
            lock_rows(&p, F_UNLCK, 0, HORUS_MAX_PROCESSES);
        else if (op % 8 == 6)
            look(&p);
        else if (op % 8 < 6 && p.member != NULL)
            ask(&p, &in);
        else
            join(&p, &in);
    }
    stage_reset(UINT32_MAX);
    if (p.member != NULL)
        CALL_VOID(horus_member_leave(p.member));
    munmap(p.bytes, p.size);
    close(p.locks);
    close(p.fd);
    return 0;
}
