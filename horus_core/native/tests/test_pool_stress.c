/* A pool that is always short of blocks, between processes: readers hold what is just being overwritten, are
 * killed with what they hold, and others come under their indexes. The verdict: every word of a frame, as
 * long as it is held; and at the end no block is lost. */
#define _GNU_SOURCE
#include "pool_stress.h"

#define READERS 3u

static pid_t start_reader(stage *w, pool_board *b, uint64_t seed, bool mortal) {
    pid_t child = spawn();
    if (child == 0) {
        widen(STEP_COUNT);
        join(w, ROOMY);
        read_frames(w, b, seed, mortal);
        horus_pool_close(w->pool);
        horus_ring_unmap(w->ring);
        horus_member_leave(w->member);
        exit(0);
    }
    return child;
}

static pid_t start_writer(stage *w, pool_board *b, uint64_t frames) {
    pid_t child = spawn();
    if (child == 0) {
        widen(STEP_clear_holds__clear);
        join(w, SCARCE);
        CHECK(horus_publisher_join(&w->pub, w->ring, "writer", &error) == 0);
        write_frames(w, b, frames, READERS);
        horus_store_release(&b->stop, 1);
        while (horus_load_acquire(&b->empty) < READERS)
            sched_yield();
        check_no_block_is_lost(w);
        horus_store_release(&b->over, 1);
        unlink_all(w);
        horus_pool_forget(w->pool, w->ring);
        horus_publisher_leave(&w->pub);
        horus_pool_close(w->pool);
        exit(0);
    }
    return child;
}

/* For each reader that is killed another one comes, at once: under its index, as often as not. */
static void look_after(stage *w, pool_board *b, pid_t writer, pid_t *readers, bool mortal) {
    uint64_t seed = READERS;
    for (unsigned left = READERS + 1; left > 0;) {
        int status;
        pid_t gone = waitpid(-1, &status, 0);
        CHECK(gone > 0);
        unsigned at = 0;
        while (at < READERS && readers[at] != gone)
            at++;
        CHECK(at < READERS || gone == writer);
        if (mortal && at < READERS && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
            b->kills++;
            readers[at] = start_reader(w, b, ++seed, !horus_load_acquire(&b->stop)); /* at last an heir */
            continue;
        }
        CHECK_EQ(status, 0);
        left--;
    }
}

static void stress(const char *name, uint64_t frames, bool mortal) {
    stage w = begin(name, ROOMY);
    pool_board *b = shared(sizeof *b);
    pid_t readers[READERS];
    for (unsigned i = 0; i < READERS; i++)
        readers[i] = start_reader(&w, b, i, mortal);
    pid_t writer = start_writer(&w, b, frames);
    look_after(&w, b, writer, readers, mortal);
    tell_frames(b, READERS);
    end(&w);
}

static void frames_that_are_held_stay_as_they_are(void) {
    stress("stress", scaled(100000, 3000), false);
}
static void readers_are_killed_and_replaced(void) {
    stress("mortal", scaled(100000, 3000), true);
}

int main(void) {
    static const test_case cases[] = {
        TEST(frames_that_are_held_stay_as_they_are),
        TEST(readers_are_killed_and_replaced),
    };
    return RUN_ALL(cases);
}
