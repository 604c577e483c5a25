/* Two processes with a pool each, as the input says: blocks are taken and sent, references arrive as they
 * were or not. */
#include "pool.h"

#include <sys/mman.h>

#define VIEWS 12u
#define REFS 8u
#define BUDGET_STEP (64u << 10)

typedef struct {
    horus_pool *pool[2]; /* ours, the peer's */
    ring_stage *ring;
    horus_block *view[VIEWS];
    horus_block_ref ref[REFS];
    unsigned refs;
} play;

static void open_pools(play *p, input *in) {
    horus_error error;
    const index_stage *index = stage_index();
    uint64_t budget = (1 + (uint64_t)(take(in) & 15)) * BUDGET_STEP;
    p->pool[0] = CALL(horus_pool_open(index->self, budget, &error));
    p->pool[1] = CALL(horus_pool_open(index->peer, budget, &error));
    FAIL_UNLESS(p->pool[0] != NULL && p->pool[1] != NULL);
}

/* A pool that is closed while there are views of its blocks hands out nothing more, and ends with the last
 * view. */
static void close_in_use(play *p, unsigned which) {
    horus_error error;
    bool live = false;
    for (unsigned i = 0; i < VIEWS; i++)
        live = live || (p->view[i] != NULL && horus_block_pool(p->view[i]) == p->pool[which]);
    bool closed = CALL(horus_pool_close(p->pool[which]));
    FAIL_UNLESS(closed == !live);
    if (!closed) {
        FAIL_UNLESS(!horus_pool_usable(p->pool[which]));
        FAIL_UNLESS(CALL(horus_pool_hold(p->pool[which], &p->ref[0], &error)) == NULL);
        FAIL_UNLESS(CALL(horus_pool_take(p->pool[which], 1, &error)) == NULL);
    }
}

static void close_pools(play *p) {
    for (unsigned i = 0; i < 2; i++) {
        CALL_VOID(horus_pool_forget(p->pool[i], p->ring->ring));
        CALL_VOID(horus_pool_forget(p->pool[i], p->ring->of_peer));
        close_in_use(p, i);
    }
    for (unsigned i = 0; i < VIEWS; i++)
        if (p->view[i] != NULL)
            CALL_VOID(horus_block_release(p->view[i]));
    memset(p->view, 0, sizeof p->view);
}

/* Keeps the view, or lets go of it when there is no room. */
static void keep(play *p, uint8_t where, horus_block *block) {
    if (p->view[where % VIEWS] == NULL)
        p->view[where % VIEWS] = block;
    else
        CALL_VOID(horus_block_release(block));
}

static void give(play *p, input *in) {
    uint8_t how = take(in);
    horus_pool *pool = p->pool[how & 1];
    uint64_t length = take(in);
    length = length < 128 ? length * 4 : length < 240 ? (length - 127) * 2000 : take_value(in);
    horus_error error = {0};
    bool quick = how & 2;
    stage_fault(how & 32 ? take(in) % 16 : 0);
    horus_block *block =
        quick ? CALL(horus_pool_try(pool, length)) : CALL(horus_pool_take(pool, length, &error));
    stage_fault(0);
    FAIL_UNLESS(block != NULL || quick || error.text[0] != '\0');
    if (block == NULL)
        return;
    uint8_t *data = horus_block_data(block);
    FAIL_UNLESS((uintptr_t)data % 64 == 0);
    memset(data, 7, length < 512 ? length : 512);
    if (length > 0)
        data[length - 1] = 8;
    p->ref[p->refs++ % REFS] = horus_block_refer(block);
    stage_read_block(block, length);
    if (how & 4) {
        ring_stage *ring = p->ring;
        horus_publisher *pub = how & 1 ? &ring->peer_pub : &ring->pub;
        uint64_t number = 0;
        (void)CALL(horus_publisher_send(pub, &length, 8, HORUS_SPILLED, &number));
        CALL_VOID(horus_block_sent(block, how & 8 ? ring->ring : ring->of_peer, number));
    }
    if (how & 16)
        keep(p, how >> 5, block);
    else
        CALL_VOID(horus_block_release(block));
}

static horus_block_ref take_ref(const play *p, input *in) {
    horus_block_ref ref = p->ref[take(in) % REFS];
    uint8_t lie = take(in);
    switch (lie % 16) {
    case 0:
        ref.writer = take_who(in);
        break;
    case 1:
        ref.chunk = (uint32_t)take_value(in);
        break;
    case 2:
        ref.block = (uint32_t)take_value(in);
        break;
    case 3:
        ref.generation += take_value(in);
        break;
    case 4:
        ref.length = take_value(in);
        break;
    default:
        break;
    }
    return ref;
}

static void hold(play *p, input *in) {
    uint8_t how = take(in);
    horus_block_ref ref = take_ref(p, in);
    horus_error error = {0};
    stage_fault(how >> 4);
    horus_block *block = CALL(horus_pool_hold(p->pool[how & 1], &ref, &error));
    stage_fault(0);
    if (block == NULL) {
        FAIL_UNLESS(error.code != 0);
        return;
    }
    FAIL_UNLESS(horus_block_pool(block) == p->pool[how & 1]);
    stage_read_block(block, ref.length);
    horus_block_ref again = horus_block_refer(block);
    FAIL_UNLESS(again.writer == ref.writer && again.chunk == ref.chunk && again.block == ref.block &&
                again.generation == ref.generation && again.length == ref.length);
    (void)CALL(horus_block_over_quota(block));
    keep(p, how >> 4, block);
}

static void let_go(play *p, input *in) {
    uint8_t which = take(in);
    horus_block **view = &p->view[which % VIEWS];
    if (*view == NULL)
        return;
    if (which & 128) { /* a second view of it, which goes again */
        CALL_VOID(horus_block_retain(*view));
        CALL_VOID(horus_block_release(*view));
    }
    CALL_VOID(horus_block_release(*view));
    *view = NULL;
}

/* A copy of a chunk under another writer's name, or another number of the same. */
static void pass_off(play *p, input *in) {
    size_t size;
    if (stage_names() == 0 || stage_names() > 40)
        return;
    const uint8_t *bytes = stage_named(take(in) % stage_names(), &size);
    if (bytes == NULL || size < POOL_HEADER_SIZE)
        return;
    uint8_t *copy;
    int fd = stage_file(size, &copy);
    memcpy(copy, bytes, size);
    chunk_header *header = (chunk_header *)copy;
    header->writer = take_who(in);
    header->chunk = (uint32_t)take_value(in);
    stage_name_chunk(header->writer, header->chunk, fd);
    horus_block_ref *ref = &p->ref[p->refs++ % REFS];
    const block_meta *meta = (block_meta *)(copy + POOL_HEADER_SIZE);
    *ref = (horus_block_ref){.writer = header->writer, .chunk = header->chunk, .length = meta->length};
    ref->generation = meta->generation;
    munmap(copy, size);
}

/* So many that the writer looks whether its files still have their names. */
static void take_many(horus_pool *pool) {
    horus_error error;
    for (unsigned i = 0; i < 65; i++) {
        horus_block *block = CALL(horus_pool_take(pool, 64, &error));
        if (block != NULL)
            CALL_VOID(horus_block_release(block));
    }
}

static void look(play *p, input *in) {
    uint8_t how = take(in);
    horus_pool *pool = p->pool[how & 1];
    horus_pool_use use;
    horus_error error;
    switch (how >> 1 & 7) {
    case 0:
        CALL_VOID(horus_pool_usage(pool, &use));
        break;
    case 1:
        CALL_VOID(horus_pool_refusal(pool, &error));
        break;
    case 2:
        CALL_VOID(horus_pool_forget(pool, how & 8 ? p->ring->ring : p->ring->of_peer));
        break;
    case 3:
        close_pools(p);
        open_pools(p, in);
        break;
    case 4:
        stage_unlink_names();
        break;
    case 5:
        CALL_VOID(horus_pool_unmap_dead(pool));
        break;
    default:
        take_many(pool);
    }
}

void stage_play_pool(input *in) {
    play p = {.ring = stage_ring(0)};
    horus_publisher pub = p.ring->pub, peer_pub = p.ring->peer_pub;
    stage_reset(POOL_BUDGET);
    open_pools(&p, in);
    while (in->left > 0)
        switch (take(in) % 8) {
        case 0:
        case 1:
            give(&p, in);
            break;
        case 2:
        case 3:
            hold(&p, in);
            break;
        case 4:
            let_go(&p, in);
            break;
        case 5:
            look(&p, in);
            break;
        case 6:
            if (take(in) & 1)
                pass_off(&p, in);
            else
                stage_plan_in_ring(in, p.ring);
            break;
        default:
            stage_plan_in_chunk(in);
        }
    stage_forget_changes();
    close_pools(&p);
    stage_drop_names();
    p.ring->pub = pub;
    p.ring->peer_pub = peer_pub;
}
