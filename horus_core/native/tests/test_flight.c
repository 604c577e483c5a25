/* The flight: what a writer leaves can be read, while it writes, after it was killed, and whatever was done
 * to the bytes. */
#define _GNU_SOURCE
#include "harness.h"

#include <pthread.h>

#include "../src/flight_internal.h"

#define TICKS 1024u

static horus_flight_params small = {.rows = 4, .ticks = TICKS, .events = 64, .ident = 7, .name = "test"};

static int flight_file(void) {
    return memory_file("flight", horus_flight_size(&small));
}

static horus_flight *flight_in(int fd) {
    horus_flight *flight = horus_flight_create(fd, &small, &failure);
    CHECK(flight != NULL);
    return flight;
}

static horus_flight_reader reader_of(int fd) {
    horus_flight_reader reader;
    CHECK_EQ(horus_flight_open(&reader, fd, &failure), 0);
    return reader;
}

static void what_is_written_is_read(void) {
    int fd = flight_file();
    horus_flight *flight = flight_in(fd);
    horus_flight_row *row = horus_flight_claim_row(flight, "camera");
    horus_store_relaxed(&row->ticks, 3);
    horus_flight_write_tick(flight, 0, HORUS_TICK_MISSED, 1000, 200, 30, 99);
    horus_flight_write_tick(flight, 0, HORUS_TICK_OK, 2000, 5000000000, 6000000000, 99);
    char text[600];
    memset(text, 'x', sizeof text);
    horus_flight_write_event(flight, 0, HORUS_EVENT_FAILURE, 5, text, sizeof text);
    horus_flight_write_event(flight, HORUS_FLIGHT_NO_NODE, HORUS_EVENT_STOP, 0, NULL, 0);

    horus_flight_reader reader = reader_of(fd);
    CHECK_EQ(reader.header.pid, getpid());
    CHECK_EQ(reader.header.ident, 7);
    CHECK_EQ(reader.header.rows_used, 1);
    CHECK_EQ(reader.header.ended_ns, 0);
    CHECK(strcmp(reader.header.name, "test") == 0);
    horus_flight_row seen;
    CHECK(horus_flight_read_row(&reader, 0, &seen));
    CHECK_EQ(seen.ticks, 3);
    CHECK(strcmp(seen.name, "camera") == 0);
    CHECK(!horus_flight_read_row(&reader, 4, &seen));
    horus_flight_tick ticks[TICKS];
    CHECK_EQ(horus_flight_read_ticks(&reader, 0, ticks, TICKS), 2);
    CHECK_EQ(ticks[0].start_ns, 1000);
    CHECK_EQ(ticks[0].duration, 200);
    CHECK_EQ(ticks[0].lateness, 30);
    CHECK_EQ(ticks[0].kind, HORUS_TICK_MISSED);
    CHECK_EQ(ticks[0].tid, 99);
    CHECK_EQ(ticks[1].duration, 5000000); /* us: does not fit in ns */
    CHECK_EQ(ticks[1].flags, FLIGHT_DURATION_US | FLIGHT_LATENESS_US);
    CHECK_EQ(horus_flight_read_ticks(&reader, 1, ticks, TICKS), 1);
    CHECK_EQ(horus_flight_read_ticks(&reader, 2, ticks, TICKS), 0);
    CHECK_EQ(horus_flight_read_ticks(&reader, UINT64_MAX, ticks, TICKS), 0);
    horus_flight_event events[64];
    CHECK_EQ(horus_flight_read_events(&reader, 0, events, 64), 4);
    CHECK(events[2].part == 2 && events[2].parts == 3 && events[2].length == 600 - 2 * HORUS_FLIGHT_TEXT);
    CHECK(events[3].kind == HORUS_EVENT_STOP && events[3].node == HORUS_FLIGHT_NO_NODE);
    horus_flight_end(flight);
    CHECK_EQ(horus_flight_look(&reader, &failure), 0);
    CHECK(reader.header.ended_ns != 0);
    CHECK_EQ(horus_flight_read_ticks(&reader, 0, ticks, TICKS), 2);
    horus_flight_free(flight);
}

static void rows_are_claimed_freed_and_taken_again(void) {
    horus_flight *flight = flight_in(-1);
    horus_flight_row *rows[5];
    for (int i = 0; i < 5; i++)
        rows[i] = horus_flight_claim_row(flight, "n");
    CHECK(rows[3] != NULL && rows[4] == NULL);
    CHECK_EQ(horus_flight_row_index(flight, rows[2]), 2);
    horus_flight_row foreign;
    CHECK_EQ(horus_flight_row_index(flight, &foreign), HORUS_FLIGHT_NO_NODE);
    rows[1]->ticks = 12;
    horus_store_relaxed(&rows[1]->flags, (uint32_t)HORUS_ROW_FREE);
    CHECK(horus_flight_claim_row(flight, "again") == rows[1]);
    CHECK(rows[1]->ticks == 0 && rows[1]->flags == 0 && strcmp(rows[1]->name, "again") == 0);
    CHECK(horus_flight_claim_row(flight, "more") == NULL);
    horus_store_relaxed(&rows[0]->flags, (uint32_t)HORUS_ROW_GONE);
    horus_store_relaxed(&rows[1]->flags, (uint32_t)HORUS_ROW_GONE);
    CHECK(horus_flight_claim_row(flight, "again") == rows[1]); /* its own */
    CHECK(horus_flight_claim_row(flight, "more") == rows[0]);
    CHECK(rows[0]->taken_ns >= rows[1]->taken_ns && rows[1]->taken_ns != 0);
    CHECK(horus_flight_claim_row(flight, "yet more") == NULL);
    horus_flight_free(flight);
}

static void the_newest_are_kept(void) {
    int fd = flight_file();
    horus_flight *flight = flight_in(fd);
    for (uint64_t i = 0; i < 5 * TICKS + 7; i++)
        horus_flight_write_tick(flight, 1, HORUS_TICK_OK, i, 0, 0, 0);
    horus_flight_reader reader = reader_of(fd);
    static horus_flight_tick ticks[TICKS];
    CHECK_EQ(horus_flight_read_ticks(&reader, 3, ticks, TICKS), TICKS);
    CHECK_EQ(ticks[0].start_ns, 4 * TICKS + 7);
    CHECK_EQ(ticks[TICKS - 1].start_ns, 5 * TICKS + 6);
    horus_flight_free(flight);
}

/* ---- concurrency ---- */

typedef struct {
    horus_flight *flight;
    uint16_t node;
    uint64_t count;
} writing;

/* Every field says the same number, so that a torn record shows. */
static void *write_many(void *argument) {
    const writing *work = argument;
    char text[2 * HORUS_FLIGHT_TEXT];
    for (uint64_t i = 1; i <= work->count; i++) {
        horus_flight_write_tick(work->flight, work->node, HORUS_TICK_OK, i, i, i, (uint32_t)i);
        memset(text, 'a' + (int)(i % 26), sizeof text);
        if (i % 16 == 0)
            horus_flight_write_event(work->flight, work->node, HORUS_EVENT_NOTE, (uint8_t)(i % 26), text,
                                     sizeof text);
    }
    return NULL;
}

static size_t check_whole(horus_flight_reader *reader, uint64_t *since) {
    static horus_flight_tick ticks[TICKS];
    static horus_flight_event events[64];
    CHECK_EQ(horus_flight_look(reader, &failure), 0);
    size_t count = horus_flight_read_ticks(reader, *since, ticks, TICKS);
    for (size_t i = 0; i < count; i++) {
        CHECK(ticks[i].seq > *since);
        *since = ticks[i].seq;
        CHECK(ticks[i].node == 1 || ticks[i].node == 2);
        CHECK_EQ(ticks[i].duration, ticks[i].start_ns);
        CHECK_EQ(ticks[i].lateness, ticks[i].start_ns);
        CHECK_EQ(ticks[i].tid, ticks[i].start_ns);
    }
    size_t notes = horus_flight_read_events(reader, 0, events, 64);
    for (size_t i = 0; i < notes; i++)
        for (size_t k = 0; k < events[i].length; k++)
            CHECK_EQ(events[i].text[k], 'a' + events[i].detail);
    return count;
}

static void two_threads_write_while_one_reads(void) {
    int fd = flight_file();
    horus_flight *flight = flight_in(fd);
    writing work[2] = {{flight, 1, 400000}, {flight, 2, 400000}};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, write_many, &work[i]), 0);
    horus_flight_reader reader = reader_of(fd);
    uint64_t since = 0, seen = 0;
    while (horus_load_relaxed(&flight->header->tick_head) < 800000)
        seen += check_whole(&reader, &since);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    seen += check_whole(&reader, &since);
    CHECK(seen > TICKS);
    CHECK_EQ(reader.header.tick_head, 800000);
    horus_flight_free(flight);
}

static void a_writer_that_is_killed_leaves_a_readable_file(void) {
    for (int round = 0; round < 30; round++) {
        int fd = flight_file();
        gate ready = gate_make();
        pid_t child = spawn();
        if (child == 0) {
            horus_flight *flight = flight_in(fd);
            horus_flight_claim_row(flight, "n");
            writing first = {flight, 1, TICKS / 2}, rest = {flight, 2, UINT64_MAX};
            write_many(&first);
            gate_open(&ready);
            write_many(&rest);
        }
        gate_pass(&ready);
        usleep((useconds_t)(round * 137));
        kill_hard(child);
        horus_flight_reader reader = reader_of(fd);
        uint64_t since = 0;
        size_t whole = check_whole(&reader, &since);
        uint64_t head = reader.header.tick_head, kept = head < TICKS ? head : TICKS;
        CHECK(whole + 1 >= kept); /* all but the one that it was writing */
        CHECK_EQ(reader.header.rows_used, 1);
        close(fd);
    }
}

/* ---- hostile bytes ---- */

static void read_everything(int fd) {
    static horus_flight_tick ticks[TICKS];
    static horus_flight_event events[64];
    horus_flight_reader reader;
    horus_flight_row row;
    if (horus_flight_open(&reader, fd, &failure) != 0)
        return;
    CHECK(horus_flight_read_ticks(&reader, 0, ticks, TICKS) <= TICKS);
    size_t count = horus_flight_read_events(&reader, 0, events, 64);
    CHECK(count <= 64);
    for (size_t i = 0; i < count; i++)
        CHECK(events[i].length <= HORUS_FLIGHT_TEXT);
    for (uint32_t i = 0; i < 5000; i++)
        if (!horus_flight_read_row(&reader, i, &row))
            break;
    horus_flight_look(&reader, &failure);
}

static void a_reader_survives_any_bytes(void) {
    int fd = flight_file();
    size_t size = horus_flight_size(&small);
    horus_flight *flight = flight_in(fd);
    writing work = {flight, 1, 3000};
    write_many(&work);
    uint8_t *bytes = (uint8_t *)flight->header, *good = malloc(size);
    CHECK(good != NULL);
    memcpy(good, bytes, size);
    unsigned seed = 4711;
    for (int round = 0; round < 3000; round++) {
        size_t within = round % 2 ? sizeof(horus_flight_header) : size;
        for (int k = 0; k < 1 + round % 8; k++)
            bytes[(size_t)rand_r(&seed) % within] = (uint8_t)rand_r(&seed);
        read_everything(fd);
        memcpy(bytes, good, size);
    }
    static const uint64_t heads[] = {0, 1, UINT64_MAX, UINT64_MAX - TICKS, (uint64_t)1 << 63, 5};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        flight->header->tick_head = flight->header->event_head = heads[i];
        read_everything(fd);
    }
    memcpy(bytes, good, size);
    horus_flight_reader reader = reader_of(fd);
    static horus_flight_tick ticks[TICKS];
    for (size_t left = size; left > 0; left = left * 9 / 10) {
        CHECK(ftruncate(fd, (off_t)left) == 0);
        CHECK(horus_flight_read_ticks(&reader, 0, ticks, TICKS) <= TICKS); /* while it is read */
        read_everything(fd);
        CHECK(left == size || horus_flight_look(&reader, &failure) == -1);
    }
    CHECK(ftruncate(fd, 0) == 0);
    CHECK(horus_flight_open(&reader, fd, &failure) == -1);
}

static void histograms_know_their_quantiles(void) {
    static uint32_t counts[HORUS_FLIGHT_BUCKETS];
    CHECK(horus_flight_quantile(counts, 0.5) == 0);
    for (uint64_t ns = 1; ns <= 1000000; ns++)
        counts[horus_flight_bucket(ns)]++;
    static const double shares[] = {0.01, 0.5, 0.9, 0.99};
    for (size_t i = 0; i < 4; i++) {
        double right = shares[i] * 1e6, found = horus_flight_quantile(counts, shares[i]);
        CHECK(found > 0.9 * right && found < 1.1 * right);
    }
    for (unsigned bucket = 1; bucket < HORUS_FLIGHT_BUCKETS; bucket++) {
        uint64_t floor = horus_flight_bucket_floor(bucket);
        CHECK_EQ(horus_flight_bucket(floor), bucket);
        CHECK_EQ(horus_flight_bucket(floor - 1), bucket - 1);
    }
    CHECK_EQ(horus_flight_bucket(UINT64_MAX), HORUS_FLIGHT_BUCKETS - 1);
}

int main(void) {
    static const test_case cases[] = {
        TEST(what_is_written_is_read),
        TEST(rows_are_claimed_freed_and_taken_again),
        TEST(the_newest_are_kept),
        TEST(two_threads_write_while_one_reads),
        TEST(a_writer_that_is_killed_leaves_a_readable_file),
        TEST(a_reader_survives_any_bytes),
        TEST(histograms_know_their_quantiles),
    };
    return RUN_ALL(cases);
}
