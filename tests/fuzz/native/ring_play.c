/* Calls on a topic, as the input says. What a call promises on any bytes is looked at here: it stays within
 * its buffer (which has no byte more than it needs), its cursor never goes back, names end. */
#include <errno.h>

#include "ring.h"

#define SUBS 3u
#define PUBS 2u
#define FAR ((uint64_t)1 << 56)

typedef struct {
    ring_stage *world;
    horus_subscriber sub[SUBS];
    bool joined[SUBS];
    horus_publisher late; /* one more publisher of the peer */
    bool late_joined;
    uint8_t *to, *from;
} play;

static void check_message(const play *p, const horus_info *info) {
    FAIL_UNLESS(info->length <= p->world->ring->payload);
    FAIL_UNLESS(info->payload_kind < 256 && info->owner < 256);
}

static void check_accounts(const horus_subscriber *sub, uint64_t cursor) {
    FAIL_UNLESS(sub->cursor >= cursor);
    FAIL_UNLESS(sub->cursor < FAR);
}

static void consume(play *p, input *in, horus_subscriber *sub) {
    uint64_t cursor = sub->cursor, keep, skipped = sub->skipped;
    horus_info info;
    switch (take(in) % 6) {
    case 0:
    case 1:
        if (CALL(horus_subscriber_recv(sub, p->to, &info)))
            check_message(p, &info);
        break;
    case 2:
        CALL(horus_subscriber_has_msg(sub));
        break;
    case 3:
        CALL_VOID(horus_subscriber_settle_all(sub));
        break;
    case 4:
        keep = take_value(in);
        CALL_VOID(horus_subscriber_skip(sub, keep));
        FAIL_UNLESS(keep < FAR || sub->skipped == skipped);
        break;
    default:
        if (!CALL(horus_subscriber_maybe(sub))) /* says that there is none only where there is none */
            return;
        FAIL_UNLESS(CALL(horus_subscriber_pending(sub)) < FAR);
    }
    check_accounts(sub, cursor);
}

static void wait_for(play *p, input *in, horus_subscriber *sub) {
    (void)p;
    static const int codes[] = {0, ETIMEDOUT, EINTR};
    uint8_t how = take(in);
    horus_wait ticket = {0};
    uint64_t deadline = horus_now_ns() + (uint64_t)(how >> 4) * 30000000u;
    stage_sleeps_return(codes[how % 3]);
    if (how & 8) {
        CALL(horus_subscriber_wait(sub, deadline));
    } else if (CALL(horus_subscriber_wait_begin(sub, deadline, &ticket)) == 0 && ticket.until_ns != 0) {
        FAIL_UNLESS(ticket.until_ns <= deadline);
        CALL(horus_wait_sleep(&ticket));
    }
}

static void subscribe(play *p, input *in, unsigned i) {
    horus_subscriber *sub = &p->sub[i];
    uint8_t how = take(in);
    if (p->joined[i] && how & 8) {
        CALL_VOID(horus_subscriber_announce(sub, "subscriber"));
    } else if (p->joined[i]) {
        CALL_VOID(horus_subscriber_leave(sub));
        p->joined[i] = false;
    } else {
        stage_fault(how >> 5);
        p->joined[i] = CALL(horus_subscriber_join(sub, p->world->ring, (enum horus_join)(how % 3))) == 0;
        stage_fault(0);
    }
}

static void publish(play *p, input *in) {
    ring_stage *world = p->world;
    horus_publisher *pubs[] = {&world->pub, &world->peer_pub, p->late_joined ? &p->late : &world->pub};
    uint8_t how = take(in);
    horus_error error;
    uint64_t number;
    if (how < 224) {
        uint32_t length = how & 4 ? take(in) : world->ring->payload;
        length = length < world->ring->payload ? length : world->ring->payload;
        uint32_t budget = stage_budget(stage_send_budget(world->ring->capacity));
        int got = CALL(horus_publisher_send(pubs[how % 3], p->from, length, how >> 3 & 3, &number));
        stage_budget(budget);
        FAIL_UNLESS(got == HORUS_STORED || got == HORUS_REFUSED || got == HORUS_WORN_OUT);
    } else if (p->late_joined) {
        CALL_VOID(horus_publisher_leave(&p->late));
        p->late_joined = false;
    } else {
        p->late_joined = CALL(horus_publisher_join(&p->late, world->of_peer, "late", &error)) == 0;
    }
}

static void look(play *p, input *in) {
    horus_ring *ring = p->world->ring;
    uint8_t what = take(in);
    uint64_t near = ring->header->hint + (uint64_t)(int8_t)take(in), stamp;
    horus_info info;
    horus_endpoint end;
    switch (what % 8) {
    case 0:
        if (what & 8) {
            horus_sighting seen;
            uint32_t at = what & 16 ? HORUS_NO_WORD : 8u * (what >> 5);
            if (CALL((int)horus_ring_sight(ring, near, at, &seen)) == HORUS_SIGHT_MESSAGE)
                FAIL_UNLESS(seen.number == near);
            CALL(horus_ring_voids(ring, near));
        } else if (CALL(horus_ring_peek(ring, near, p->to, &info))) {
            FAIL_UNLESS(info.number == near);
            check_message(p, &info);
        }
        break;
    case 1:
        if (CALL(horus_ring_latest(ring, p->to, &info)))
            check_message(p, &info);
        break;
    case 2:
        if (what & 8) {
            horus_wait ticket;
            uint64_t newest = CALL(horus_ring_newest(ring));
            CALL(horus_ring_wait_begin(ring, what & 16 ? newest : near, &ticket));
        } else {
            CALL(horus_ring_latest_time(ring, &stamp));
        }
        break;
    case 3:
        if (CALL(horus_ring_publisher_at(ring, what >> 3, &end)))
            FAIL_UNLESS(strlen(end.node) <= HORUS_NAME_MAX);
        break;
    case 4:
        if (CALL(horus_ring_subscriber_at(ring, what >> 3 | (take(in) & 32), &end)))
            FAIL_UNLESS(strlen(end.node) <= HORUS_NAME_MAX);
        break;
    case 5:
        CALL(horus_ring_in_use(ring, what & 8));
        break;
    case 6:
        CALL(horus_ring_gone(ring, near));
        break;
    default:
        CALL_VOID(horus_ring_wake(ring));
    }
}

static void pass_time(input *in) {
    uint8_t how = take(in);
    stage_pass_time(how < 128 ? how * 20000ull
                              : (how - 128) * 2000000ull); /* PATIENCE is 1 ms, a look 100 ms */
}

void stage_play_ring(input *in, ring_stage *world) {
    play p = {.world = world};
    horus_publisher pub = world->pub, peer_pub = world->peer_pub;
    p.to = malloc(horus_round_up(world->ring->payload, 8));
    p.from = malloc(world->ring->payload);
    memset(p.from, 7, world->ring->payload);
    for (unsigned i = 0; i < SUBS; i++)
        p.joined[i] = CALL(horus_subscriber_join(&p.sub[i], world->ring, (enum horus_join)i)) == 0;
    while (in->left > 0) {
        uint8_t op = take(in);
        unsigned i = (op >> 3) % SUBS;
        if (op % 8 < 2 && p.joined[i])
            consume(&p, in, &p.sub[i]);
        else if (op % 8 == 2)
            publish(&p, in);
        else if (op % 8 == 3)
            look(&p, in);
        else if (op % 8 == 4 && p.joined[i])
            wait_for(&p, in, &p.sub[i]);
        else if (op % 8 == 5)
            subscribe(&p, in, i);
        else if (op % 8 == 6)
            pass_time(in);
        else
            stage_plan_in_ring(in, world);
    }
    stage_reset(UINT32_MAX);
    for (unsigned i = 0; i < SUBS; i++)
        if (p.joined[i])
            CALL_VOID(horus_subscriber_leave(&p.sub[i]));
    world->pub = pub;
    world->peer_pub = peer_pub;
    free(p.to);
    free(p.from);
}
