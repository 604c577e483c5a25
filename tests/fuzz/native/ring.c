/* Regions in which every state of a slot is found, and nearly well-formed changes of them. */
#include "ring.h"

#include <sys/mman.h>

#define NUMBER_CUT ((1ull << 48) - 1)

static const struct {
    uint32_t capacity, payload;
} shapes[RING_STAGES] = {{4, 8}, {4, 0}, {8, 40}, {16, 232}, {64, 12}, {1024, 8}};

static int make_region(uint32_t capacity, uint32_t payload, uint8_t **bytes, size_t *size) {
    static const char meta[] = "{\"topic\":\"fuzz\"}";
    horus_ring_params params = {.kind = HORUS_MSGPACK,
                                .capacity = capacity,
                                .payload = payload,
                                .meta = meta,
                                .meta_length = sizeof meta - 1};
    *size = horus_ring_size(&params);
    int fd = stage_file(*size, bytes);
    horus_ring_format(*bytes, &params);
    return fd;
}

static void send_some(horus_publisher *pub, unsigned count) {
    uint8_t message[512] = {1, 2, 3};
    for (unsigned i = 0; i < count; i++)
        FAIL_UNLESS(CALL(horus_publisher_send(pub, message, pub->ring->payload, HORUS_INLINE, NULL)) ==
                    HORUS_STORED);
}

/* Publishers that are in the middle of something: a dead one (row 3), and the peer. */
static void leave_unfinished(ring_stage *world) {
    publisher_row *rows = world->ring->publishers;
    rows[2].who = stage_index()->dead;
    uint64_t front = horus_ring_front(world->ring);
    static const struct {
        enum word_state state;
        unsigned owner;
    } last[] = {{VOID, 2}, {BUSY, 3}};
    for (unsigned i = 0; i < 2; i++)
        slot_of(world->ring, front + i)->word = word_make(front + i, 1, last[i].state, last[i].owner);
    slot_of(world->ring, front)->voids = 1;
    world->ring->header->hint = front + 2;
}

static void make_world(ring_stage *world, uint32_t capacity, uint32_t payload) {
    const index_stage *index = stage_index();
    horus_error error;
    world->fd = make_region(capacity, payload, &world->bytes, &world->size);
    world->ring = CALL(horus_ring_map(world->fd, index->self, &error));
    world->of_peer = CALL(horus_ring_map(world->fd, index->peer, &error));
    FAIL_UNLESS(world->ring != NULL && world->of_peer != NULL);
    FAIL_UNLESS(CALL(horus_publisher_join(&world->pub, world->ring, "self", &error)) == 0);
    FAIL_UNLESS(CALL(horus_publisher_join(&world->peer_pub, world->of_peer, "peer", &error)) == 0);
    send_some(&world->pub, capacity + 1);
    send_some(&world->peer_pub, capacity / 2);
    leave_unfinished(world);
    world->pristine = malloc(world->size);
    memcpy(world->pristine, world->bytes, world->size);
}

ring_stage *stage_ring(unsigned which) {
    static ring_stage worlds[RING_STAGES];
    ring_stage *world = &worlds[which % RING_STAGES];
    stage_index();
    stage_reset(UINT32_MAX);
    if (world->bytes == NULL)
        make_world(world, shapes[which % RING_STAGES].capacity, shapes[which % RING_STAGES].payload);
    return world;
}

void stage_ring_reset(ring_stage *world) {
    stage_reset(stage_ring_budget(world->ring->capacity));
    memcpy(world->bytes, world->pristine, world->size);
    stage_index_reset();
}

/* A call may go round the ring a few times for each of the laps that it loses, and it loses 3 + log2(N) at
 * most. */
uint32_t stage_ring_budget(uint32_t capacity) {
    return 500 + 10 * capacity * (5 + (31 - (unsigned)__builtin_clz(capacity)));
}

/* Three attempts; each goes round four times, scans four times, and loses 4000 races, three steps each. */
uint32_t stage_send_budget(uint32_t capacity) {
    return 3 * (3 * (4 * capacity + 4000) + 4 * capacity) + 500;
}

/* The front, whatever stands in the hint. */
static uint64_t front_of(const ring_stage *world) {
    uint64_t front = 0;
    for (uint64_t i = 0; i < world->ring->capacity; i++) {
        uint64_t number = word_number(horus_load_relaxed(&slot_of(world->ring, i)->word));
        front = number < 1ull << 40 && number >= front ? number + 1 : front;
    }
    return front;
}

static uint64_t take_near(input *in, uint64_t number) {
    uint8_t distance = take(in);
    return distance == 128 ? take_value(in) : (number + (uint64_t)(int8_t)distance) & NUMBER_CUT;
}

/* Every row is a living process's. */
static void crowd(const ring_stage *world, const ring_geometry *at) {
    publisher_row *rows = (publisher_row *)(world->bytes + at->publishers);
    for (unsigned i = 0; i < HORUS_MAX_PUBLISHERS; i++)
        rows[i].who = horus_member_self(stage_index()->peer);
}

/* All slots are in the same hands, and their numbers are off by as much. */
static void flood(input *in, const ring_stage *world) {
    uint8_t off = take(in), state = take(in);
    for (uint64_t i = 0; i < world->ring->capacity; i++) {
        uint64_t *word =
            (uint64_t *)(world->bytes + ((uint8_t *)slot_of(world->ring, i) - world->ring->base));
        *word = word_make(word_number(*word) + off, 0, (enum word_state)(state & 3), (state >> 3) % 5);
    }
}

static void plan_word(input *in, ring_stage *world) {
    uint64_t number = take_near(in, front_of(world));
    uint8_t place = take(in), state = take(in);
    unsigned owner = state & 4 ? take(in) : (state >> 3) % 5;
    uint64_t slot = place & 128 ? place : number; /* mostly in the slot where it belongs */
    change what = {.at = world->bytes + ((uint8_t *)&slot_of(world->ring, slot)->word - world->ring->base),
                   .width = 8,
                   .value = word_make(number, place, (enum word_state)(state & 3), owner)};
    if (state & 64) { /* this number, with another tally at each change */
        what.how = CHANGE_XOR;
        what.value = 1u << 10;
    } else if (state & 128) { /* this word, and again one a lap further, and so on */
        what.how = CHANGE_ADD;
        what.value = (uint64_t)world->ring->capacity << 16;
    }
    stage_plan(in, what);
}

void stage_plan_in_ring(input *in, ring_stage *world) {
    ring_geometry at =
        ring_geometry_of(world->ring->capacity, world->ring->payload, world->ring->meta_length);
    ring_header *header = (ring_header *)world->bytes;
    publisher_row *row = (publisher_row *)(world->bytes + at.publishers) + take(in) % 8;
    index_stage *index = stage_index();
    switch (take(in) % 16) {
    case 0:
        crowd(world, &at);
        break;
    case 2:
        stage_plan(in, (change){.at = &header->hint, .width = 8, .value = take_near(in, front_of(world))});
        break;
    case 3:
        stage_plan(in, (change){.at = &row->who, .width = 8, .value = take_who(in)});
        break;
    case 4: /* length and kind, voids, time or payload of a slot */
        stage_plan_anywhere(in, world->bytes + at.slots + (take(in) & world->ring->mask) * at.stride + 8,
                            at.stride - 8);
        break;
    case 5:
        stage_plan(in, (change){.at = &header->futex, .width = 4, .how = CHANGE_ADD, .value = take(in)});
        break;
    case 6:
        stage_plan_anywhere(in, world->bytes, at.meta);
        break;
    case 8:
        flood(in, world);
        break;
    case 7:
        stage_plan_anywhere(in, index->bytes, index->size);
        break;
    default:
        plan_word(in, world);
    }
}
