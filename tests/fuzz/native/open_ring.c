/* Fuzz target: opening a topic's region whose header lies, whose file has another size or is none, while
 * calls fail and the bytes change; and what can be done with it where it opens. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../../horus_core/native/src/boot.h"
#include "ring.h"

#define SIZE_MAX_FILE (1u << 20)
#define BOOT_ID_AT 24u
#define META_MAX_HERE 100u

/* Mostly a region as it should be, but for a few bytes of the header; or any bytes with the start of a
 * header. */
static int make_file(input *in, uint8_t **bytes, size_t *size) {
    uint8_t kind = take(in);
    char meta[META_MAX_HERE];
    memset(meta, ' ', sizeof meta);
    horus_ring_params params = {.kind = HORUS_TYPED + kind % 3,
                                .latched = kind & 4,
                                .capacity = CAPACITY_MIN << (kind >> 3) % 4,
                                .payload = take(in),
                                .large_kept = take(in) % 4,
                                .meta = meta,
                                .meta_length = take(in) % META_MAX_HERE};
    *size = horus_ring_size(&params);
    int fd = stage_file(*size, bytes);
    horus_ring_format(*bytes, &params);
    if (kind & 128)
        for (size_t i = 8; i < sizeof(ring_header) && in->left > 0; i++)
            if (i < BOOT_ID_AT ||
                i >= BOOT_ID_AT + 16) /* that of this boot, or no input is found good twice */
                (*bytes)[i] = take(in);
    return fd;
}

static int other_file(uint8_t kind, int fd) {
    int ends[2];
    if (kind >= 1 && kind <= 3)
        stage_cut(0, -1, 0);
    switch (kind) {
    case 1:
        close(fd);
        return -1;
    case 2:
        close(fd);
        return open("/", O_RDONLY | O_CLOEXEC);
    case 3:
        close(fd);
        FAIL_UNLESS(pipe2(ends, O_CLOEXEC) == 0);
        close(ends[1]);
        return ends[0];
    default:
        return fd;
    }
}

static void look_at(const horus_ring *ring) {
    size_t length;
    const char *meta = horus_ring_meta(ring, &length);
    FAIL_UNLESS(meta[length] == '\0' && length <= META_MAX);
    FAIL_UNLESS(horus_ring_kind(ring) >= HORUS_TYPED && horus_ring_kind(ring) <= HORUS_DESCRIPTOR);
    uint32_t capacity = horus_ring_capacity(ring), payload = horus_ring_payload(ring);
    FAIL_UNLESS(capacity >= CAPACITY_MIN && capacity <= CAPACITY_MAX && payload <= PAYLOAD_MAX);
    FAIL_UNLESS(horus_ring_large_kept(ring) > 0);
    FAIL_UNLESS(horus_ring_bytes(ring) == ring_geometry_of(capacity, payload, length).size);
    FAIL_UNLESS(horus_ring_type_hash(ring) != NULL && horus_ring_member(ring) != NULL);
    uint64_t device, inode;
    horus_ring_file(ring, &device, &inode);
    (void)horus_ring_latched(ring);
}

/* As a topic that was opened: all that stands in the region is read and written once. */
static void use(horus_ring *ring) {
    horus_publisher pub;
    horus_subscriber sub;
    horus_error error;
    horus_info info;
    uint32_t budget = stage_budget(stage_send_budget(ring->capacity));
    uint8_t *to = malloc(horus_round_up(ring->payload, 8));
    memset(to, 0, horus_round_up(ring->payload, 8));
    bool joined = CALL(horus_subscriber_join(&sub, ring, HORUS_FROM_LAST)) == 0;
    if (CALL(horus_publisher_join(&pub, ring, "fuzz", &error)) == 0) {
        CALL(horus_publisher_send(&pub, to, ring->payload, HORUS_INLINE, NULL));
        CALL_VOID(horus_publisher_leave(&pub));
    }
    if (joined) {
        CALL(horus_subscriber_recv(&sub, to, &info));
        CALL_VOID(horus_subscriber_announce(&sub, "fuzz"));
        CALL_VOID(horus_subscriber_leave(&sub));
    }
    CALL(horus_ring_in_use(ring, true));
    free(to);
    stage_budget(budget);
}

static void change_file(input *in, int fd, uint8_t *bytes, size_t size) {
    uint8_t how = take(in);
    if (how < 64) { /* to any length, or longer */
        size_t length = take_number(in, 3) % SIZE_MAX_FILE;
        FAIL_UNLESS(ftruncate(fd, (off_t)length) == 0);
        size = length < size ? length : size;
    } else if (how < 128) {
        stage_cut(1 + how % 3, fd, take(in)); /* while it is opened, into the header */
    }
    for (unsigned changes = size < sizeof(ring_header) ? 0 : how % 4; changes > 0; changes--)
        if (take(in) & 1)
            stage_plan_anywhere(in, bytes, sizeof(ring_header));
        else
            stage_plan_anywhere(in, bytes, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    input in = {data, size};
    index_stage *index = stage_index();
    stage_index_reset();
    stage_reset(stage_ring_budget(CAPACITY_MIN << 3));
    uint8_t *bytes;
    size_t length;
    horus_error error = {0};
    uint8_t how = take(&in);
    int fd = make_file(&in, &bytes, &length);
    size_t mapped = length;
    change_file(&in, fd, bytes, length);
    fd = other_file(how & 15, fd);
    stage_fault(how >> 4);
    horus_ring *ring = CALL(horus_ring_map(fd, index->self, &error));
    stage_fault(0);
    stage_cut(0, -1, 0);
    FAIL_UNLESS(ring != NULL || error.text[0] != '\0');
    if (ring != NULL) {
        horus_ring *again = CALL(horus_ring_map(fd, how & 128 ? index->peer : index->self, &error));
        if (again != NULL)
            CALL_VOID(horus_ring_unmap(again));
        look_at(ring);
        use(ring);
        CALL_VOID(horus_ring_unmap(ring));
    }
    stage_reset(UINT32_MAX);
    munmap(bytes, mapped);
    if (fd >= 0)
        close(fd);
    return 0;
}
