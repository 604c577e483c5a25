/* A compiled node at 1 kHz beside Python ones: it reads `cmd_vel` and publishes what the wheels turn on
 * `wheel_speeds`, in the very rings that Python uses. No serialisation: a CmdVel is the struct below.
 *
 *   make -C examples/motor && horus run examples/motor/motor_controller examples/motor/teleop.py
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "horus/ring.h"

#define PERIOD_NS 1000000u /* 1 kHz */
#define WHEEL_BASE_M 0.4f

/* As `horus.CmdVel` and as WheelSpeeds in teleop.py lay them out. */
typedef struct {
    uint64_t timestamp_ns;
    float linear, angular; /* m/s, rad/s */
} cmd_vel;

typedef struct {
    float left, right; /* m/s */
} wheel_speeds;

static volatile sig_atomic_t stopping;

static void stop(int number) {
    (void)number;
    stopping = 1;
}

/* A descriptor of one of the namespace's regions; -1 when it is not there yet. */
static int open_region(const char *ns, const char *kind) {
    char name[256];
    snprintf(name, sizeof name, "/horus_%s.%s", ns, kind);
    return shm_open(name, O_RDWR | O_CLOEXEC, 0);
}

static horus_member *join(const char *ns, horus_error *error) {
    int fd = open_region(ns, "index");
    horus_member *member = fd < 0 ? NULL : horus_member_join(fd, ns, error);
    if (fd < 0)
        horus_error_set(error, errno, "namespace '%s' is not there yet", ns);
    else
        close(fd);
    return member;
}

/* Maps a topic, sleeping until somebody creates it. NULL when we are to stop. */
static horus_ring *open_topic(horus_member *member, const char *topic, horus_error *error) {
    while (!stopping) {
        uint32_t epoch =
            horus_member_epoch(member); /* before the look: a topic made meanwhile is not missed */
        int fd = open_region(horus_member_namespace(member), topic);
        if (fd >= 0) {
            horus_ring *ring = horus_ring_map(fd, member, error);
            close(fd);
            return ring;
        }
        horus_member_wait(member, epoch, horus_now_ns() + 100000000u);
    }
    horus_error_set(error, EINTR, "stopped while waiting for topic '%s'", topic);
    return NULL;
}

/* Whether the topic's messages are structs of that size. (A program that must be surer compares
 * horus_ring_type_hash with the hash of its class, `horus.CmdVel.__type_hash__`.) */
static bool carries(const horus_ring *ring, size_t size) {
    return horus_ring_kind(ring) == HORUS_TYPED && horus_ring_payload(ring) == size;
}

static wheel_speeds drive(const cmd_vel *command) {
    float turn = command->angular * WHEEL_BASE_M / 2;
    return (wheel_speeds){command->linear - turn, command->linear + turn};
}

static void control(horus_subscriber *commands, horus_publisher *wheels) {
    uint64_t buffer[8], next = horus_now_ns(), ticks = 0;
    wheel_speeds speeds = {0};
    horus_info info;
    while (!stopping) {
        while (horus_subscriber_recv(commands, buffer, &info))
            speeds = drive((const cmd_vel *)buffer);
        horus_publisher_send(wheels, &speeds, sizeof speeds, HORUS_INLINE, NULL);
        next += PERIOD_NS;
        struct timespec until = {(time_t)(next / 1000000000u), (long)(next % 1000000000u)};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
        ticks++;
    }
    printf("motor_controller: %llu ticks, %llu commands\n", (unsigned long long)ticks,
           (unsigned long long)commands->delivered);
}

int main(void) {
    const char *ns = getenv("HORUS_NAMESPACE");
    horus_error error = {0};
    struct sigaction action = {.sa_handler = stop};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    horus_member *member = NULL;
    while (ns != NULL && !stopping && (member = join(ns, &error)) == NULL && error.code == ENOENT)
        usleep(10000); /* until the first Python process has made the namespace */
    horus_ring *in = member == NULL ? NULL : open_topic(member, "topic.cmd_vel", &error);
    horus_ring *out = in == NULL ? NULL : open_topic(member, "topic.wheel_speeds", &error);
    horus_subscriber commands;
    horus_publisher wheels;
    if (out != NULL && (!carries(in, sizeof(cmd_vel)) || !carries(out, sizeof(wheel_speeds)))) {
        horus_error_set(&error, 0, "a topic carries another type than this program was compiled for");
        out = NULL;
    }
    if (out == NULL || horus_subscriber_join(&commands, in, HORUS_FROM_NEXT) < 0 ||
        horus_publisher_join(&wheels, out, "motor_controller", &error) < 0) {
        fprintf(stderr, "motor_controller: %s\n", ns == NULL ? "HORUS_NAMESPACE is not set" : error.text);
        return stopping ? 0 : 1;
    }
    horus_subscriber_announce(&commands, "motor_controller");
    control(&commands, &wheels);
    horus_publisher_leave(&wheels);
    horus_subscriber_leave(&commands);
    horus_ring_unmap(in);
    horus_ring_unmap(out);
    horus_member_leave(member);
    return 0;
}
