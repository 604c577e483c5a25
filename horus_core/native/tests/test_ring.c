/* The ring in one piece: sending, receiving, joining, looking, the tables, and regions that cannot be used.
 */
#define _GNU_SOURCE
#include "harness.h"

#include <stddef.h>

static void what_is_sent_is_received_whole(void) {
    world w = world_make(8, 57);
    horus_publisher pub = publisher_of(&w);
    horus_subscriber sub = subscriber_of(&w);
    uint8_t from[57], to[64];
    for (uint32_t i = 0; i < sizeof from; i++)
        from[i] = (uint8_t)(i * 7 + 1);
    for (uint32_t length = 0; length <= sizeof from; length++) {
        horus_info info;
        uint64_t number, before = horus_now_ns();
        CHECK_EQ(horus_publisher_send(&pub, from, length, HORUS_SPILLED, &number), HORUS_STORED);
        memset(to, 0xee, sizeof to);
        CHECK(horus_subscriber_recv(&sub, to, &info));
        CHECK(memcmp(from, to, length) == 0 && to[length] == 0xee);
        CHECK(info.length == length && info.payload_kind == HORUS_SPILLED && info.owner == pub.owner);
        CHECK(info.number == number && info.publish_ns >= before && info.publish_ns <= horus_now_ns());
    }
    CHECK(!horus_subscriber_recv(&sub, to, &(horus_info){0}));
    CHECK(sub.delivered == 58 && pub.sent == 58 && sub.missed == 0);
    horus_subscriber_leave(&sub);
    horus_publisher_leave(&pub);
    world_end(&w);
}

static void each_publisher_keeps_its_order_and_each_subscriber_gets_all(void) {
    world w = world_make(64, 8);
    horus_publisher pubs[3] = {publisher_of(&w), publisher_of(&w), publisher_of(&w)};
    horus_subscriber subs[2] = {subscriber_of(&w), subscriber_of(&w)};
    uint64_t sent[3] = {0}, seen[2][3] = {{0}};
    for (unsigned round = 0; round < 3000; round++) {
        unsigned who = round * 7 % 3;
        send_value(&pubs[who], (uint64_t)(who + 1) << 32 | ++sent[who]);
        for (unsigned s = 0; s < 2; s++) {
            uint64_t value;
            if (round % (20 + 30 * s) != 0)
                continue;
            while ((value = recv_value(&subs[s])) != 0)
                CHECK_EQ(value & 0xffffffff, ++seen[s][(value >> 32) - 1]);
        }
    }
    for (unsigned s = 0; s < 2; s++)
        CHECK_EQ(subs[s].delivered + horus_subscriber_pending(&subs[s]), 3000);
}

static void a_late_subscriber_starts_at_the_next_message(void) {
    world w = world_make(4, 8);
    horus_publisher pub = publisher_of(&w);
    for (uint64_t before = 0; before < 11; before++) {
        horus_subscriber sub = subscriber_of(&w);
        CHECK_EQ(recv_value(&sub), 0);
        send_value(&pub, 100 + before);
        CHECK_EQ(horus_subscriber_pending(&sub), 1);
        CHECK_EQ(recv_value(&sub), 100 + before);
        CHECK_EQ(recv_value(&sub), 0);
        CHECK_EQ(sub.missed, 0);
        horus_subscriber_leave(&sub);
    }
}

static void a_latched_join_gets_the_last_message_first(void) {
    world w = world_make(4, 8);
    horus_publisher pub = publisher_of(&w), other = publisher_of(&w);
    horus_subscriber sub;
    CHECK(horus_subscriber_join(&sub, w.ring, HORUS_FROM_LAST) == 0);
    CHECK_EQ(recv_value(&sub), 0); /* nothing was published */
    for (uint64_t value = 1; value < 12; value++) {
        send_value(&pub, value);
        horus_subscriber late;
        CHECK(horus_subscriber_join(&late, w.ring, HORUS_FROM_LAST) == 0);
        CHECK_EQ(recv_value(&late), value);
        CHECK_EQ(recv_value(&late), 0);
        horus_subscriber_leave(&late);
    }
    claim_by_hand(&other); /* being written: the last whole one comes first, then this one when it is there */
    CHECK(horus_subscriber_join(&sub, w.ring, HORUS_FROM_LAST) == 0);
    CHECK_EQ(recv_value(&sub), 11);
    CHECK_EQ(recv_value(&sub), 0);
    CHECK(commit_by_hand(&other, other.next - 1, 12));
    CHECK_EQ(recv_value(&sub), 12);
}

static void who_waited_before_the_topic_gets_its_first_message(void) {
    world w = world_make(4, 8);
    horus_publisher pub = publisher_of(&w);
    horus_subscriber sub;
    send_value(&pub, 1);
    send_value(&pub, 2);
    CHECK(horus_subscriber_join(&sub, w.ring, HORUS_FROM_FIRST) == 0);
    CHECK_EQ(recv_value(&sub), 1);
    for (uint64_t value = 3; value < 10; value++)
        send_value(&pub, value);
    CHECK_EQ(recv_value(&sub), 6);
    CHECK_EQ(sub.missed, 4);
}

static void looking_consumes_nothing(void) {
    world w = world_make(4, 8);
    horus_publisher pub = publisher_of(&w);
    horus_subscriber sub = subscriber_of(&w);
    uint64_t to, stamp, first = 0, last = 0;
    horus_info info;
    CHECK(!horus_ring_latest(w.ring, &to, &info) && !horus_ring_latest_time(w.ring, &stamp));
    for (uint64_t value = 1; value <= 6; value++) {
        last = send_value(&pub, value);
        first = first == 0 ? last : first;
        CHECK(horus_ring_latest(w.ring, &to, &info) && to == value && info.number == last);
        CHECK(horus_ring_latest_time(w.ring, &stamp) && stamp == info.publish_ns);
    }
    CHECK_EQ(horus_ring_front(w.ring), last + 1);
    CHECK(!horus_ring_peek(w.ring, first, &to, &info) && horus_ring_gone(w.ring, first));
    for (uint64_t i = 0; i < 4; i++)
        CHECK(horus_ring_peek(w.ring, last - i, &to, &info) && to == 6 - i && info.number == last - i);
    CHECK(!horus_ring_peek(w.ring, last + 1, &to, &info));
    horus_publisher writer = publisher_of(&w);
    claim_by_hand(&writer);
    CHECK(horus_ring_latest(w.ring, &to, &info) && to == 6); /* past what is being written */
    CHECK_EQ(horus_subscriber_pending(&sub), 7);
    CHECK_EQ(sub.delivered + sub.missed, 0);
}

static void has_msg_says_what_recv_would_do(void) {
    world w = world_make(4, 8);
    horus_publisher pub = publisher_of(&w), writer = publisher_of(&w);
    horus_subscriber sub = subscriber_of(&w);
    CHECK(!horus_subscriber_has_msg(&sub) && !horus_subscriber_maybe(&sub));
    send_value(&pub, 1);
    CHECK(horus_subscriber_has_msg(&sub) && horus_subscriber_maybe(&sub));
    CHECK_EQ(recv_value(&sub), 1);
    uint64_t number = claim_by_hand(&writer);
    CHECK(horus_subscriber_maybe(&sub) && !horus_subscriber_has_msg(&sub));
    CHECK(commit_by_hand(&writer, number, 2) && horus_subscriber_has_msg(&sub));
    for (uint64_t value = 3; value < 20; value++)
        send_value(&pub, value);
    CHECK(horus_subscriber_has_msg(&sub)); /* lapped: the losses are counted here already */
    CHECK_EQ(sub.missed, 14);
    CHECK_EQ(recv_value(&sub), 16);
}

static void skip_keeps_the_newest_and_counts_the_rest(void) {
    world w = world_make(16, 8);
    horus_publisher pub = publisher_of(&w);
    horus_subscriber sub = subscriber_of(&w);
    horus_subscriber_skip(&sub, 1);
    CHECK_EQ(sub.skipped, 0);
    for (uint64_t value = 1; value <= 10; value++)
        send_value(&pub, value);
    horus_subscriber_skip(&sub, 20);
    CHECK_EQ(sub.skipped, 0);
    horus_subscriber_skip(&sub, 3);
    CHECK(sub.skipped == 7 && horus_subscriber_pending(&sub) == 3);
    CHECK_EQ(recv_value(&sub), 8);
    horus_subscriber_skip(&sub, 0);
    CHECK(sub.skipped == 9 && recv_value(&sub) == 0);
    for (uint64_t value = 11; value <= 40; value++)
        send_value(&pub, value);
    horus_subscriber_skip(&sub, 1);
    CHECK_EQ(sub.skipped, 9 + 15);
    CHECK_EQ(sub.missed, 14);
    CHECK_EQ(recv_value(&sub), 40);
}

static void the_256th_publisher_is_an_error_and_a_row_that_was_left_is_free(void) {
    world w = world_make(4, 8);
    static horus_publisher pubs[HORUS_MAX_PUBLISHERS];
    horus_publisher extra;
    horus_endpoint end;
    for (unsigned i = 0; i < HORUS_MAX_PUBLISHERS; i++) {
        pubs[i] = publisher_of(&w);
        CHECK_EQ(pubs[i].owner, i + 1);
    }
    CHECK(horus_publisher_join(&extra, w.ring, "late", &failure) < 0 && strstr(failure.text, "255") != NULL);
    send_value(&pubs[254], 5);
    horus_publisher_leave(&pubs[99]);
    CHECK(!horus_ring_publisher_at(w.ring, 100, &end));
    CHECK(horus_publisher_join(&extra, w.ring, "late", &failure) == 0);
    CHECK_EQ(extra.owner, 100);
    CHECK(horus_ring_publisher_at(w.ring, 100, &end) && strcmp(end.node, "late") == 0 && end.sent == 0);
    CHECK(horus_ring_publisher_at(w.ring, 255, &end) && end.sent == 1 &&
          end.who == horus_member_self(w.member));
    CHECK(!horus_ring_publisher_at(w.ring, 0, &end) && !horus_ring_publisher_at(w.ring, 256, &end));
}

static void a_full_table_of_subscribers_is_no_error(void) {
    world w = world_make(4, 8);
    static horus_subscriber subs[HORUS_MAX_SUBSCRIBER_ROWS + 3];
    horus_publisher pub = publisher_of(&w);
    horus_endpoint end;
    char name[400];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    for (unsigned i = 0; i < HORUS_MAX_SUBSCRIBER_ROWS + 3; i++) {
        subs[i] = subscriber_of(&w);
        horus_subscriber_announce(&subs[i], i == 0 ? name : "ear");
        CHECK((subs[i].row != NULL) == (i < HORUS_MAX_SUBSCRIBER_ROWS));
    }
    send_value(&pub, 9);
    for (unsigned i = 0; i < HORUS_MAX_SUBSCRIBER_ROWS + 3; i++)
        CHECK_EQ(recv_value(&subs[i]), 9);
    CHECK(horus_ring_subscriber_at(w.ring, 0, &end) && strlen(end.node) == HORUS_NAME_MAX);
    CHECK(horus_ring_subscriber_at(w.ring, 5, &end) && end.delivered == 1 && end.cursor == subs[5].cursor);
    horus_subscriber_leave(&subs[5]);
    CHECK(!horus_ring_subscriber_at(w.ring, 5, &end));
    CHECK(!horus_ring_subscriber_at(w.ring, HORUS_MAX_SUBSCRIBER_ROWS, &end));
}

static void a_region_is_in_use_while_a_process_that_maps_it_lives(void) {
    world w = world_make(4, 8);
    gate ready = gate_make();
    CHECK(horus_ring_in_use(w.ring, false) && !horus_ring_in_use(w.ring, true));
    pid_t child = spawn();
    if (child == 0) {
        world_enter_child(&w);
        gate_open(&ready);
        for (;;)
            pause();
    }
    gate_pass(&ready);
    CHECK(horus_ring_in_use(w.ring, true));
    kill_hard(child);
    CHECK(!horus_ring_in_use(w.ring, true));
}

static void the_last_number_ends_the_region_with_a_result_of_its_own(void) {
    world w = world_make(4, 8);
    horus_publisher pub = publisher_of(&w);
    horus_subscriber sub = subscriber_of(&w);
    uint64_t value = 1, last = NUMBER_MAX - 3;
    for (uint64_t number = last - 4; number < last; number++)
        slot_of(w.ring, number)->word = word_make(number, 0, VOID, 0);
    w.ring->header->hint = last;
    sub.cursor = last;
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(send_value(&pub, i + 1), last + i);
    CHECK_EQ(horus_publisher_send(&pub, &value, 8, HORUS_INLINE, NULL), HORUS_WORN_OUT);
    CHECK_EQ(horus_publisher_send(&pub, &value, 8, HORUS_INLINE, NULL), HORUS_WORN_OUT);
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(recv_value(&sub), i + 1);
    CHECK_EQ(recv_value(&sub), 0);
}

static void the_layout_is_what_the_protocol_says(void) {
    ring_geometry at = ring_geometry_of(8, 57, 100);
    CHECK(at.users == 256 && at.publishers == 2304 && at.subscribers == 51264 && at.meta == 62016);
    CHECK(at.slots == 62144 && at.stride == 128 && at.size == 62144 + 8 * 128);
    CHECK(offsetof(ring_header, release) == 96 && offsetof(ring_header, version) == 8 &&
          offsetof(ring_header, ready) == 12 && offsetof(ring_header, size) == 16 &&
          offsetof(ring_header, boot_id) == 24 && offsetof(ring_header, kind) == 40 &&
          offsetof(ring_header, latched) == 44 && offsetof(ring_header, type_hash) == 48 &&
          offsetof(ring_header, capacity) == 64 && offsetof(ring_header, payload) == 68 &&
          offsetof(ring_header, meta_length) == 72 && offsetof(ring_header, hint) == 128 &&
          offsetof(ring_header, futex) == 192);
    CHECK(offsetof(publisher_row, sent) == 8 && offsetof(publisher_row, revoked) == 24 &&
          offsetof(publisher_row, node) == 48 && offsetof(subscriber_row, cursor) == 8 &&
          offsetof(subscriber_row, skipped) == 32 && offsetof(subscriber_row, node) == 48);
    CHECK(offsetof(ring_slot, publish_ns) == 8 && offsetof(ring_slot, length_kind) == 16 &&
          offsetof(ring_slot, voids) == 20 && offsetof(ring_slot, payload) == 24);
    CHECK_EQ(word_make(0x123456789abcu, 0x2a, HELD, 0xfe), 0x123456789abcabfeu);
    CHECK_EQ(horus_index_size(), 128 + 512 * 64);
}

/* ---- regions that cannot be used ---- */

static void refused(world *w, const char *word) {
    horus_ring *ring = horus_ring_map(w->ring_fd, w->member, &failure);
    if (ring != NULL || strstr(failure.text, word) == NULL) {
        fprintf(stderr, "expected a refusal with '%s', got '%s'\n", word,
                ring == NULL ? failure.text : "a ring");
        exit(1);
    }
}

static void a_region_that_lies_is_refused_with_the_reason(void) {
    world w = world_make(8, 40);
    ring_header *header = w.ring->header, good = *header;
#define LIE(field, value, word)                                                                              \
    do {                                                                                                     \
        header->field = (value);                                                                             \
        refused(&w, word);                                                                                   \
        *header = good;                                                                                      \
    } while (0)
    LIE(magic[3], 'x', "other bytes");
    LIE(version, 9, "layout version 9");
    LIE(ready, 0, "finished");
    LIE(boot_id[5], (uint8_t)(good.boot_id[5] + 1), "boot");
    LIE(kind, 0, "kind");
    LIE(kind, 4, "kind");
    LIE(capacity, 0, "capacity");
    LIE(capacity, 2, "capacity");
    LIE(capacity, 12, "capacity");
    LIE(capacity, 1u << 31, "capacity");
    LIE(capacity, 16, "bytes for its geometry");
    LIE(payload, 0xffffffffu, "payload");
    LIE(payload, 400, "bytes for its geometry");
    LIE(meta_length, UINT64_MAX, "description");
    LIE(meta_length, 4000, "bytes for its geometry");
    LIE(size, 1ull << 40, "bytes for its geometry");
    refused(&(world){.ring_fd = memory_file("empty", 0), .member = w.member}, "bytes");
    refused(&(world){.ring_fd = memory_file("zeros", 65536), .member = w.member}, "other bytes");
    CHECK(ftruncate(w.ring_fd, (off_t)w.ring->size - 1) == 0);
    refused(&w, "bytes for its geometry");
    CHECK(ftruncate(w.ring_fd, 255) == 0);
    refused(&w, "255");
}

static uint64_t random_state = 0x9e3779b97f4a7c15u;

static uint64_t random_word(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* Whatever the header says: an error, or a ring whose every access stays inside the file. */
static void random_headers_never_crash(void) {
    world w = world_make(8, 40);
    uint8_t good[sizeof(ring_header)], *bytes = w.ring->base, to[PAYLOAD_MAX];
    memcpy(good, bytes, sizeof good);
    unsigned mapped = 0;
    for (unsigned round = 0; round < 4000; round++) {
        for (uint64_t changes = random_word() % 3 + 1; changes > 0; changes--)
            bytes[random_word() % sizeof good] ^= (uint8_t)(1u << random_word() % 8);
        if (round % 10 == 0)
            for (unsigned i = 8; i < sizeof good; i++)
                bytes[i] = (uint8_t)random_word();
        horus_ring *ring = horus_ring_map(w.ring_fd, w.member, &failure);
        if (ring != NULL) {
            horus_info info;
            mapped++;
            (void)horus_ring_latest(ring, to, &info);
            (void)horus_ring_front(ring);
            horus_ring_unmap(ring);
        }
        memcpy(bytes, good, sizeof good);
    }
    CHECK(mapped > 0 && mapped < 4000);
}

int main(void) {
    static const test_case cases[] = {
        TEST(what_is_sent_is_received_whole),
        TEST(each_publisher_keeps_its_order_and_each_subscriber_gets_all),
        TEST(a_late_subscriber_starts_at_the_next_message),
        TEST(a_latched_join_gets_the_last_message_first),
        TEST(who_waited_before_the_topic_gets_its_first_message),
        TEST(looking_consumes_nothing),
        TEST(has_msg_says_what_recv_would_do),
        TEST(skip_keeps_the_newest_and_counts_the_rest),
        TEST(the_256th_publisher_is_an_error_and_a_row_that_was_left_is_free),
        TEST(a_full_table_of_subscribers_is_no_error),
        TEST(a_region_is_in_use_while_a_process_that_maps_it_lives),
        TEST(the_layout_is_what_the_protocol_says),
        TEST(the_last_number_ends_the_region_with_a_result_of_its_own),
        TEST(a_region_that_lies_is_refused_with_the_reason),
        TEST(random_headers_never_crash),
    };
    return RUN_ALL(cases);
}
