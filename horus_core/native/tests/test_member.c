/* Membership: who lives, whose index it is, forks, full and corrupt indexes, the epoch. */
#define _GNU_SOURCE
#include "harness.h"

#include "../src/member_internal.h"

#include <sys/resource.h>

static horus_member *join(int fd) {
    horus_member *member = horus_member_join(fd, "test", &failure);
    CHECK(member != NULL);
    return member;
}

/* A process that has joined and waits to be killed; its identity. */
static pid_t joined_child(int fd, horus_ident *who) {
    int ends[2];
    CHECK(pipe(ends) == 0);
    pid_t child = spawn();
    if (child == 0) {
        horus_ident self = horus_member_self(join(fd));
        CHECK(write(ends[1], &self, sizeof self) == sizeof self);
        for (;;)
            pause();
    }
    CHECK(read(ends[0], who, sizeof *who) == sizeof *who);
    close(ends[0]);
    close(ends[1]);
    return child;
}

static void two_members_have_two_identities(void) {
    int fd = make_index();
    horus_member *one = join(fd), *two = join(fd);
    CHECK(horus_member_self(one) != horus_member_self(two));
    CHECK(horus_member_alive(one, horus_member_self(two)) && horus_member_alive(two, horus_member_self(one)));
    CHECK(horus_member_alive(one, horus_member_self(one)));
    CHECK(!horus_member_alive(one, 0));
    CHECK(!horus_member_alive(one, 0xffff));
    CHECK(strcmp(horus_member_namespace(one), "test") == 0);
    CHECK_EQ(horus_member_pid(one, horus_member_self(two)), getpid());
    horus_ident gone = horus_member_self(two);
    horus_member_leave(two);
    CHECK(!horus_member_alive(one, gone));
    horus_member_leave(one);
}

static void a_killed_process_is_dead_at_once_and_its_identity_never_returns(void) {
    int fd = make_index();
    horus_member *self = join(fd);
    horus_ident first, second;
    pid_t child = joined_child(fd, &first);
    CHECK(horus_member_alive(self, first));
    CHECK_EQ(horus_member_pid(self, first), child);
    kill_hard(child);
    CHECK(!horus_member_alive(self, first));
    child = joined_child(fd, &second);
    CHECK_EQ(horus_ident_index(first), horus_ident_index(second));
    CHECK(first != second && horus_member_alive(self, second) && !horus_member_alive(self, first));
    CHECK_EQ(horus_member_pid(self, first), 0);
    CHECK(horus_member_at(self, horus_ident_index(second)) == second);
    kill_hard(child);
}

static void a_zombie_is_dead(void) {
    int fd = make_index();
    horus_member *self = join(fd);
    horus_ident who;
    pid_t child = joined_child(fd, &who);
    siginfo_t info;
    CHECK(kill(child, SIGKILL) == 0);
    CHECK(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) == 0); /* it stays a zombie */
    CHECK(!horus_member_alive(self, who));
    CHECK(waitpid(child, NULL, 0) == child);
}

static void a_stopped_process_lives(void) {
    int fd = make_index(), status;
    horus_member *self = join(fd);
    horus_ident who;
    pid_t child = joined_child(fd, &who);
    CHECK(kill(child, SIGSTOP) == 0);
    CHECK(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
    CHECK(horus_member_alive(self, who));
    kill_hard(child);
}

static void a_forked_child_does_not_keep_its_killed_parent_alive(void) {
    int fd = make_index(), ends[2];
    gate stay = gate_make();
    horus_member *self = join(fd);
    CHECK(pipe(ends) == 0);
    pid_t parent = spawn();
    if (parent == 0) {
        horus_member *own = join(fd);
        horus_ident ids[2] = {horus_member_self(own), 0};
        pid_t grandchild = fork();
        if (grandchild == 0) {
            alarm(HANG_S); /* it outlives its parent on purpose */
            CHECK(horus_member_is_forked(own));
            CHECK(!horus_member_lock_index(own, 7));
            CHECK(horus_member_alive(own, ids[0])); /* it cannot look any more: in doubt alive */
            ids[1] = horus_member_self(join(fd));
            CHECK(write(ends[1], ids, sizeof ids) == sizeof ids);
            gate_pass(&stay);
            exit(0);
        }
        CHECK(!horus_member_is_forked(own));
        for (;;)
            pause();
    }
    horus_ident ids[2];
    CHECK(read(ends[0], ids, sizeof ids) == sizeof ids);
    CHECK(ids[0] != ids[1] && horus_member_alive(self, ids[0]) && horus_member_alive(self, ids[1]));
    kill_hard(parent);
    CHECK(!horus_member_alive(self, ids[0]));
    CHECK(horus_member_alive(self, ids[1]));
    gate_open(&stay);
}

static void closing_other_descriptors_keeps_the_index(void) {
    int fd = make_index(), ends[2];
    horus_member *self = join(fd);
    gate stay = gate_make();
    CHECK(pipe(ends) == 0);
    pid_t child = spawn();
    if (child == 0) {
        char path[64];
        horus_ident who = horus_member_self(join(fd));
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        close(open(path, O_RDWR | O_CLOEXEC)); /* would drop a POSIX record lock */
        int out = fcntl(ends[1], F_DUPFD, 600), in = fcntl(stay.ends[0], F_DUPFD, 600);
        for (int low = 3; low < 512; low++)
            close(low); /* a script that closes what it inherited */
        CHECK(write(out, &who, sizeof who) == sizeof who);
        CHECK(read(in, &who, 1) == 1);
        _exit(0);
    }
    horus_ident who;
    CHECK(read(ends[0], &who, sizeof who) == sizeof who);
    CHECK(horus_member_alive(self, who));
    gate_open(&stay);
    join_ok(child);
}

static void without_its_descriptor_a_member_says_alive(void) {
    int fd = make_index();
    horus_member *self = join(fd);
    horus_ident who;
    pid_t child = joined_child(fd, &who);
    kill_hard(child);
    for (int any = 3; any < 1024; any++)
        close(any);
    CHECK(horus_member_alive(self, who));
    CHECK(memory_file("another", 8) >= 0); /* takes the number of one that was closed */
    CHECK(horus_member_alive(self, who));
}

static void only_the_index_of_a_dead_process_can_be_locked(void) {
    int fd = make_index();
    horus_member *self = join(fd);
    horus_ident who, next;
    pid_t child = joined_child(fd, &who);
    unsigned index = horus_ident_index(who);
    CHECK(!horus_member_lock_index(self, index));
    CHECK(!horus_member_lock_index(self, horus_ident_index(horus_member_self(self))));
    CHECK(!horus_member_lock_index(self, HORUS_MAX_PROCESSES));
    kill_hard(child);
    CHECK(horus_member_lock_index(self, index));
    child = joined_child(fd, &next); /* nobody joins under it meanwhile */
    CHECK(horus_ident_index(next) != index);
    horus_member_unlock_index(self, index);
    kill_hard(child);
    child = joined_child(fd, &next);
    CHECK_EQ(horus_ident_index(next), index);
    kill_hard(child);
}

static void a_full_namespace_says_so(void) {
    struct rlimit limit = {2048, 2048};
    int fd = make_index();
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    for (unsigned i = 0; i < HORUS_MAX_PROCESSES; i++)
        CHECK_EQ(horus_ident_index(horus_member_self(join(fd))), i);
    CHECK(horus_member_join(fd, "test", &failure) == NULL);
    CHECK(strstr(failure.text, "512") != NULL);
}

static void a_corrupt_index_is_refused(void) {
    int fd = memory_file("short", 100);
    CHECK(horus_member_join(fd, "test", &failure) == NULL && strstr(failure.text, "100") != NULL);
    fd = memory_file("zeros", horus_index_size());
    CHECK(horus_member_join(fd, "test", &failure) == NULL);
    fd = make_index();
    uint32_t *words = map_file(fd, horus_index_size());
    words[2] = 77; /* the version, behind the magic */
    CHECK(horus_member_join(fd, "test", &failure) == NULL && strstr(failure.text, "77") != NULL);
    CHECK(horus_member_join(-1, "test", &failure) == NULL);
}

static void the_epoch_wakes_who_waits_on_it(void) {
    int fd = make_index();
    horus_member *self = join(fd);
    uint32_t seen = horus_member_epoch(self);
    CHECK_EQ(horus_member_wait(self, seen, horus_now_ns() + 1000000), 0);
    for (int round = 0; round < 20; round++) {
        gate ready = gate_make();
        pid_t child = spawn();
        if (child == 0) {
            horus_member *own = join(fd);
            uint32_t mine = horus_member_epoch(own);
            gate_open(&ready);
            CHECK_EQ(horus_member_wait(own, mine, horus_now_ns() + 90 * SECOND), 1);
            exit(0);
        }
        gate_pass(&ready);
        horus_member_bump(self);
        join_ok(child);
        close(ready.ends[0]);
        close(ready.ends[1]);
    }
    CHECK_EQ(horus_member_wait(self, seen, horus_now_ns() + 90 * SECOND), 1);
}

/* Closing all descriptors, as daemonizers do, is noticed; the new membership gets the old one's number, which
 * the old one then neither closes nor locks by, and another row, for what the old one held may still be read.
 */
static void a_member_whose_descriptor_was_closed_joins_anew(void) {
    int fd = make_index();
    horus_member *other = join(fd), *lost = join(fd);
    horus_ident was = horus_member_self(lost);
    CHECK(horus_member_locked(lost));
    for (int number = 512; number < 520; number++) {
        struct flock lock = index_byte(F_WRLCK, horus_ident_index(was));
        close(number);
        if (fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type == F_UNLCK)
            break;
    }
    horus_member *again = join(fd), *observer = join(fd);
    CHECK(!horus_member_locked(lost) && !horus_member_linked(lost));
    CHECK(horus_ident_index(horus_member_self(again)) != horus_ident_index(was));
    CHECK(!horus_member_alive(again, was) && horus_member_alive(observer, horus_member_self(again)));
    CHECK(horus_member_alive(lost, horus_member_self(again))); /* in doubt all live */
    CHECK(!horus_member_lock_index(lost, horus_ident_index(was) + 5));
    horus_member_leave(lost);
    CHECK(horus_member_locked(again) && horus_member_alive(observer, horus_member_self(again)));
    horus_member_leave(again);
    horus_member_leave(observer);
    horus_member_leave(other);
}

/* Who sleeps on several words sleeps after an odd number of bumps as after an even one, and after none too
 * long. */
static void waiting_by_oneself_sees_each_bump_and_writes_nothing(void) {
    horus_member *self = join(make_index());
    for (int round = 0; round < 4; round++) {
        const uint32_t *word;
        uint32_t expected, seen = horus_member_epoch(self);
        CHECK_EQ(horus_member_wait_begin(self, seen, &word, &expected), 0);
        CHECK_EQ(expected, seen);
        CHECK_EQ(horus_load_relaxed(word), seen);
        CHECK_EQ(horus_member_epoch(self), seen);
        horus_member_bump(self);
        CHECK(horus_load_relaxed(word) != expected);
        CHECK_EQ(horus_member_wait_begin(self, seen, &word, &expected), 1);
    }
    horus_member_leave(self);
}

/* Whoever writes the epoch as fast as it can makes waits end early, and hangs no call. */
static void a_scribbler_on_the_epoch_holds_up_nobody(void) {
    int fd = make_index();
    horus_member *self = join(fd);
    index_region *region = map_file(fd, horus_index_size());
    gate ready = gate_make();
    pid_t scribbler = spawn();
    if (scribbler == 0) {
        gate_open(&ready);
        for (uint32_t word = 0;; word ^= 1)
            horus_store_relaxed(&region->epoch, word);
    }
    gate_pass(&ready);
    unsigned seen[2] = {0, 0};
    for (unsigned round = 0; round < 20000; round++) {
        horus_member_bump(self);
        int rc = horus_member_wait(self, round & 1, horus_now_ns() + 1000);
        CHECK(rc == 0 || rc == 1);
        seen[rc]++;
    }
    CHECK(seen[1] > 0);
    kill_hard(scribbler);
    close(ready.ends[0]);
    close(ready.ends[1]);
}

static void a_file_without_a_name_is_not_linked(void) {
    char path[] = "/tmp/horus_index_XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0 && ftruncate(fd, (off_t)horus_index_size()) == 0);
    horus_index_format(map_file(fd, horus_index_size()));
    horus_member *self = join(fd);
    CHECK(horus_member_linked(self));
    unlink(path);
    CHECK(!horus_member_linked(self));
    horus_member_leave(self);
}

static void an_index_says_who_uses_it_whatever_its_version(void) {
    static const size_t layouts[] = {offsetof(index_region, layout), offsetof(index_region, topic_layout),
                                     offsetof(index_region, pool_layout),
                                     offsetof(index_region, message_layout)};
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        int fd = make_index();
        horus_index_state state;
        horus_index_look(fd, &state);
        CHECK(!state.foreign && !state.in_use && state.pid == 0);
        horus_ident who;
        pid_t child = joined_child(fd, &who);
        index_region *region = (index_region *)map_file(fd, horus_index_size());
        *(uint32_t *)((char *)region + layouts[i]) += 7;
        snprintf(region->release, sizeof region->release, "9.9.9");
        CHECK(horus_member_join(fd, "test", &failure) == NULL);
        CHECK(strstr(failure.text, "got that of HORUS 9.9.9 (layouts: ") != NULL);
        CHECK_EQ(failure.code, EPROTO);
        horus_index_look(fd, &state);
        CHECK(state.foreign && state.in_use);
        CHECK_EQ(state.pid, child);
        kill_hard(child);
        horus_index_look(fd, &state);
        CHECK(state.foreign && !state.in_use && state.pid == 0);
    }
    horus_index_state state;
    horus_index_look(-1, &state);
    CHECK(!state.foreign && state.in_use); /* in doubt somebody lives */
}

static void a_release_is_shown_as_far_as_it_can_be(void) {
    char shown[HORUS_VERSION_MAX];
    horus_release_text(shown, "1.2.3.dev4");
    CHECK(strcmp(shown, "1.2.3.dev4") == 0);
    horus_release_text(shown, "1.2\x1b[2J");
    CHECK(strcmp(shown, "1.2") == 0);
    char endless[HORUS_VERSION_MAX];
    memset(endless, 'x', sizeof endless); /* no NUL: nothing beyond it is read */
    horus_release_text(shown, endless);
    CHECK_EQ(strlen(shown), HORUS_VERSION_MAX - 1);
    horus_release_text(shown, "");
    CHECK(strcmp(shown, "of an unknown release") == 0);
}

int main(void) {
    static const test_case cases[] = {
        TEST(an_index_says_who_uses_it_whatever_its_version),
        TEST(a_release_is_shown_as_far_as_it_can_be),
        TEST(two_members_have_two_identities),
        TEST(a_killed_process_is_dead_at_once_and_its_identity_never_returns),
        TEST(a_zombie_is_dead),
        TEST(a_stopped_process_lives),
        TEST(a_forked_child_does_not_keep_its_killed_parent_alive),
        TEST(closing_other_descriptors_keeps_the_index),
        TEST(without_its_descriptor_a_member_says_alive),
        TEST(only_the_index_of_a_dead_process_can_be_locked),
        TEST(a_full_namespace_says_so),
        TEST(a_corrupt_index_is_refused),
        TEST(the_epoch_wakes_who_waits_on_it),
        TEST(a_scribbler_on_the_epoch_holds_up_nobody),
        TEST(a_member_whose_descriptor_was_closed_joins_anew),
        TEST(waiting_by_oneself_sees_each_bump_and_writes_nothing),
        TEST(a_file_without_a_name_is_not_linked),
    };
    return RUN_ALL(cases);
}
