/* Processes are killed or stopped at each named step of the protocol (src/step.h), or at random moments; the
 * others go on, the accounts close, and every block comes back. Driven by tests/crash, which also cleans
 * /dev/shm after each fault. Reads commands from its standard input and answers each with one line:
 *
 *     steps, roles                      all names
 *     dry ROLE                          the steps that a role passes, and how often: "dry STEP COUNT ..."
 *     kill ROLE STEP PASSAGE            a victim is killed there: "struck NS END_NS" or "missed"
 *     stop ROLE STEP PASSAGE            the same with SIGSTOP; the victim stays there until
 *     go                                it goes on, to its end
 *     random ROLE MICROSECONDS          killed that long after it began; it plays its role again and again
 *
 * Its one argument is the namespace; with the argument `bystanders FILE` it is the control measurement, see
 * there. Any claim that does not hold ends it with a message. */
#define _GNU_SOURCE
#include "kill_stage.h"

#include <poll.h>

#include "kill_roles.h"

static stage s;
static pid_t stopped; /* the victim that waits for `go`, 0: none */
static bool audience; /* the parent plays the writer in hold_too_late */

/* The writer has looked at the holds and not yet raised the generation: now the reader sets its bit, unless
 * it was struck before. */
static void let_the_reader_set_its_bit(void) {
    char byte;
    struct pollfd look = {.fd = s.up.ends[0], .events = POLLIN};
    gate_open(&s.down);
    while (poll(&look, 1, 1) == 0) {
        siginfo_t info = {0};
        if (waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0)
            return;
    }
    CHECK(read(s.up.ends[0], &byte, 1) == 1);
}

/* What others do at that moment in some roles, done by hand, each once. */
static void others_act(enum horus_step_id step) {
    if (step == STEP_horus_publisher_send__commit && revoke_before_commit != NULL) {
        take_number(revoke_before_commit);
        revoke_before_commit = NULL;
    } else if (step == STEP_raise_sleep_bit__load_futex && wake_without_call != NULL) {
        wake_half(wake_without_call);
        wake_without_call = NULL;
    } else if (step == STEP_take_bit__look_again && between_set_and_look) {
        between_set_and_look = false;
        gate_open(&s.up);
        gate_pass(&s.down);
    } else if (step == STEP_claim_block__raise && audience) {
        audience = false;
        let_the_reader_set_its_bit();
    }
}

/* Called at every step of every process here. */
void horus_step(enum horus_step_id step) {
    others_act(step);
    if ((steps.plan == STEPS_KILL || steps.plan == STEPS_STOP) && step == steps.at &&
        steps.passed[step] + 1 == steps.passage)
        s.b->struck_ns = horus_now_ns();
    steps_act(step);
}

/* ---- what must hold for those who are left ---- */

static uint64_t last_message(void) {
    uint64_t front = horus_ring_front(s.w.ring);
    for (uint64_t number = front; number > front - CAPACITY; number--) {
        uint64_t word = word_at(&s.w, number - 1);
        if (word_number(word) == number - 1 && word_state(word) == DONE)
            return number - 1;
    }
    return 0;
}

static void until_ear(const uint64_t *what, uint64_t least, uint64_t since) {
    while (horus_load_acquire(what) < least) {
        CHECK(horus_now_ns() - since < HANG_NS);
        nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
    }
}

/* Nobody sends: the ear gets what was committed. Then somebody does, and both get it. */
static uint64_t peers_go_on(void) {
    static heard eager;
    uint64_t before = horus_now_ns();
    until_ear(&s.b->ear_cursor, last_message() + 1, before);
    peer_sends(&s, s.peer_sent % 4 == 0);
    do {
        drain(&s.eager, NULL, &eager);
        CHECK(horus_now_ns() - before < HANG_NS);
    } while (eager.peer < s.peer_sent && horus_subscriber_wait(&s.eager, horus_now_ns() + SECOND) >= 0);
    until_ear(&s.b->ear_peer, s.peer_sent, before);
    return horus_now_ns();
}

/* Three subscribers agree on how many messages were accepted, and with who sent them: those whose sends
 * returned, and one more, if the victim was struck between its commit and its return. */
static void accounts_close(bool whole) {
    uint64_t others = s.accepted, now = settled(s.w.ring, &s.eager);
    CHECK_EQ(settled(s.w.ring, &s.lazy), now);
    horus_store_release(&s.b->asked, s.b->asked + 1);
    peer_sends(&s, false);
    now++;
    uint64_t since = horus_now_ns();
    while (horus_load_acquire(&s.b->answered) != s.b->asked) {
        CHECK(horus_now_ns() - since < HANG_NS);
        nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
    }
    CHECK(s.b->ear_accepted == now || s.b->ear_accepted + 1 == now); /* it may settle before that send */
    uint64_t victims = now - s.peer_sent - others;
    CHECK(victims == s.b->stored || (!whole && victims == s.b->stored + 1));
    if (whole)
        s.accepted = now - s.peer_sent;
    (void)peers_go_on();
}

static void all_is_well(bool whole) {
    accounts_close(whole);
    uint32_t count = takeable(&s);
    CHECK(count == s.blocks || (!whole && count + FRAMES + 1 >= s.blocks));
}

/* ---- a victim ---- */

static void offer_frames(void) {
    for (unsigned i = 0; i < FRAMES; i++) {
        horus_block *block = take(&s);
        s.b->frames[i] = horus_block_refer(block);
        s.b->frames[i].reserved = frame_word(PEER, ++s.peer_sent);
        CHECK_EQ(send_frame(&s.peer, block, PEER, s.peer_sent), HORUS_STORED);
    }
}

/* The parent hands out the block of the first frame: it takes all others first. */
static void overwrite_first_frame(void) {
    horus_block *blocks[256];
    uint32_t count = 0;
    until_ear(&s.b->ear_peer, s.peer_sent, horus_now_ns());
    while (count < s.blocks - FRAMES)
        blocks[count++] = take(&s);
    audience = true;
    blocks[count] = horus_pool_take(s.pool, FRAME, &failure);
    count += blocks[count] != NULL;
    audience = false;
    gate_open(&s.down);
    for (uint32_t i = 0; i < count; i++)
        horus_block_release(blocks[i]);
}

/* Once round the ring: the slots that earlier victims left BUSY or HELD are free again. */
static void reclaim_all(void) {
    for (unsigned i = 0; i < CAPACITY; i++) {
        s.peer.held_look_ns = 0;
        peer_sends(&s, false);
    }
    (void)peers_go_on();
}

static const role *role_of(const char *name) {
    for (unsigned i = 0; i < ROLES; i++)
        if (strcmp(roles[i].name, name) == 0)
            return &roles[i];
    fprintf(stderr, "no such role: %s\n", name);
    exit(2);
}

static unsigned step_of(const char *name) {
    for (unsigned i = 0; i < STEP_COUNT; i++)
        if (strcmp(steps_names[i], name) == 0)
            return i;
    fprintf(stderr, "no such step: %s\n", name);
    exit(2);
}

static void victim(const role *r, bool again) {
    stage fresh;
    horus_ring_unmap(s.w.ring);
    horus_member_leave(s.w.member);
    do {
        fresh = s;
        r->play(&fresh);
    } while (again);
    memcpy(s.b->passed, steps.passed, sizeof s.b->passed);
    s.b->finished = 1;
    _exit(0);
}

static pid_t start_victim(const role *r, enum steps_plan plan, unsigned at, uint32_t passage, bool again) {
    bool late = r->play == hold_too_late; /* once only: it takes two */
    s.who++;
    s.b->struck_ns = 0;
    s.b->stored = s.b->refused = s.b->finished = 0;
    if (r->claims_by_hand)
        reclaim_all();
    offer_frames();
    if (r->play == overtake) {
        s.slow = publisher_of(&s.w);
        s.slow_number = claim_by_hand(&s.slow);
    }
    if (late) {
        s.down = gate_make();
        s.up = gate_make();
    }
    plan_of_victim = plan;
    plan_step = at;
    plan_passage = passage;
    pid_t child = spawn();
    if (child == 0)
        victim(r, again && !late);
    if (late)
        overwrite_first_frame();
    return child;
}

/* What the parent did for the role is undone, once the victim is struck or has ended. */
static void after_victim(const role *r) {
    if (r->play == overtake)
        give_up(&s.slow, s.slow_number);
    if (r->play == hold_too_late) {
        close(s.down.ends[0]);
        close(s.down.ends[1]);
        close(s.up.ends[0]);
        close(s.up.ends[1]);
    }
}

static void report(uint64_t end) {
    if (s.b->struck_ns == 0)
        printf("missed\n");
    else
        printf("struck %" PRIu64 " %" PRIu64 "\n", s.b->struck_ns, end);
}

static void strike(const role *r, enum steps_plan plan, unsigned at, uint32_t passage) {
    int status;
    pid_t child = start_victim(r, plan, at, passage, false);
    CHECK(waitpid(child, &status, WUNTRACED) == child);
    CHECK(WIFSTOPPED(status) || WIFSIGNALED(status) ? s.b->struck_ns != 0 : status == 0);
    CHECK(!WIFSIGNALED(status) || WTERMSIG(status) == SIGKILL);
    after_victim(r);
    uint64_t end = peers_go_on();
    stopped = WIFSTOPPED(status) ? child : 0;
    all_is_well(stopped == 0 && s.b->finished);
    if (stopped == 0)
        s.accepted = settled(s.w.ring, &s.eager) - s.peer_sent;
    CHECK(stopped != 0 || takeable(&s) == s.blocks);
    report(end);
}

static void go(void) {
    if (stopped != 0) {
        CHECK(kill(stopped, SIGCONT) == 0);
        join_ok(stopped);
        CHECK(s.b->finished);
        stopped = 0;
        all_is_well(true);
    }
    printf("gone\n");
}

static void dry(const role *r) {
    join_ok(start_victim(r, STEPS_KILL, STEP_COUNT, 1, false));
    after_victim(r);
    (void)peers_go_on();
    all_is_well(true);
    printf("dry");
    for (unsigned i = 0; i < STEP_COUNT; i++)
        if (s.b->passed[i] > 0)
            printf(" %s %u", steps_names[i], s.b->passed[i]);
    printf("\n");
}

static void at_random(const role *r, unsigned microseconds) {
    pid_t child = start_victim(r, STEPS_PASS, 0, 0, true);
    nanosleep(&(struct timespec){.tv_nsec = (long)microseconds * 1000}, NULL);
    s.b->struck_ns = horus_now_ns();
    kill_hard(child);
    after_victim(r);
    uint64_t end = peers_go_on();
    all_is_well(false);
    s.accepted = settled(s.w.ring, &s.eager) - s.peer_sent;
    CHECK_EQ(takeable(&s), s.blocks);
    report(end);
}

/* ---- the control measurement ---- */

/* Two processes that have nothing to do with HORUS send each other a byte every millisecond, and write into a
 * file what it took when it took long: the machine stood still then, for everybody. */
typedef struct {
    uint64_t beat_ns, count;
    uint64_t stall[1024][2]; /* from, to */
} stalls;

static int bystanders(const char *path) {
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    CHECK(fd >= 0 && ftruncate(fd, sizeof(stalls)) == 0);
    stalls *seen = map_file(fd, sizeof *seen);
    gate there = gate_make(), back = gate_make();
    if (spawn() == 0)
        for (alarm(0);; gate_open(&back))
            gate_pass(&there);
    printf("ready\n");
    for (fflush(stdout);;) {
        uint64_t before = horus_now_ns();
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        gate_open(&there);
        gate_pass(&back);
        uint64_t now = horus_now_ns();
        if (now - before > 5000000u) {
            uint64_t *stall = seen->stall[seen->count % 1024];
            stall[0] = before;
            stall[1] = now;
            horus_store_release(&seen->count, seen->count + 1);
        }
        horus_store_release(&seen->beat_ns, now);
    }
}

/* ---- commands ---- */

static void list_steps(void) {
    for (unsigned i = 0; i < STEP_COUNT; i++)
        printf("%s ", steps_names[i]);
    printf("\n");
}

static void list_roles(void) {
    for (unsigned i = 0; i < ROLES; i++)
        printf("%s ", roles[i].name);
    printf("\n");
}

static bool obey(const char *line) {
    char command[16], name[32], step[64];
    unsigned number = 0;
    int words = sscanf(line, "%15s %31s %63s %u", command, name, step, &number);
    if (words == 1 && strcmp(command, "steps") == 0)
        list_steps();
    else if (words == 1 && strcmp(command, "roles") == 0)
        list_roles();
    else if (words == 1 && strcmp(command, "go") == 0)
        go();
    else if (words == 2 && strcmp(command, "dry") == 0)
        dry(role_of(name));
    else if (words == 3 && strcmp(command, "random") == 0)
        at_random(role_of(name), (unsigned)strtoul(step, NULL, 10));
    else if (words == 4 && strcmp(command, "kill") == 0)
        strike(role_of(name), STEPS_KILL, step_of(step), number);
    else if (words == 4 && strcmp(command, "stop") == 0)
        strike(role_of(name), STEPS_STOP, step_of(step), number);
    else
        return false;
    return true;
}

int main(int argc, char **argv) {
    char line[256];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 3 && strcmp(argv[1], "bystanders") == 0)
        return bystanders(argv[2]);
    if (argc != 2)
        return 2;
    stage_make(&s, argv[1]);
    printf("ready %" PRIu64 "\n", horus_member_self(s.w.member));
    while (fgets(line, sizeof line, stdin) != NULL)
        if (!obey(line))
            return 2;
    kill_hard(s.ear);
    return 0;
}
