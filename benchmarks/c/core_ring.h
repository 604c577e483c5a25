/* Topics of the C core for a benchmark: anonymous files instead of named ones, otherwise as a native node has
 * them. */
#ifndef HORUS_BENCH_CORE_RING_H
#define HORUS_BENCH_CORE_RING_H

#include "bench.h"
#include "horus/member.h"
#include "horus/ring.h"

typedef struct {
    uint64_t timestamp_ns;
    float linear, angular;
} cmd_vel;

static inline void *bench_memory_file(const char *name, size_t size, int *fd) {
    *fd = memfd_create(name, 0);
    if (*fd < 0 || ftruncate(*fd, (off_t)size))
        bench_die("memfd_create");
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
    if (memory == MAP_FAILED)
        bench_die("mmap");
    return memory;
}

/* The file of an empty topic of cmd_vel messages. */
static inline int bench_topic_file(void) {
    static const char meta[] = "{}";
    horus_ring_params params = {.kind = HORUS_TYPED,
                                .capacity = 1024,
                                .payload = sizeof(cmd_vel),
                                .meta = meta,
                                .meta_length = sizeof meta - 1};
    int fd;
    void *memory = bench_memory_file("topic", horus_ring_size(&params), &fd);
    horus_ring_format(memory, &params);
    return fd;
}

static inline int bench_index_file(void) {
    int fd;
    horus_index_format(bench_memory_file("index", horus_index_size(), &fd));
    return fd;
}

static inline void bench_check(bool good, const char *what, const horus_error *error) {
    if (!good) {
        fprintf(stderr, "%s: %s\n", what, error->text);
        exit(1);
    }
}

/* The calling process's membership; each process needs its own, taken after the fork. */
static inline horus_member *bench_join(int index_fd) {
    horus_error error = {0};
    horus_member *member = horus_member_join(index_fd, "bench", &error);
    bench_check(member, "horus_member_join", &error);
    return member;
}

static inline void bench_open(int fd, horus_member *member, horus_publisher *pub, horus_subscriber *sub) {
    horus_error error = {0};
    horus_ring *ring = horus_ring_map(fd, member, &error);
    bench_check(ring, "horus_ring_map", &error);
    if (pub)
        bench_check(horus_publisher_join(pub, ring, "bench", &error) == 0, "horus_publisher_join", &error);
    if (sub)
        bench_check(horus_subscriber_join(sub, ring, HORUS_FROM_NEXT) == 0, "horus_subscriber_join", &error);
}

static inline void bench_send(horus_publisher *pub) {
    cmd_vel message = {0, 1.0f, 0.5f};
    if (horus_publisher_send(pub, &message, sizeof message, HORUS_INLINE, NULL) != HORUS_STORED) {
        fprintf(stderr, "a send was refused\n");
        exit(1);
    }
}

static inline void bench_recv(horus_subscriber *sub) {
    cmd_vel message;
    horus_info info;
    while (!horus_subscriber_recv(sub, &message, &info)) {
    }
}

#endif
