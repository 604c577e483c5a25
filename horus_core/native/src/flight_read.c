/* The reader's side of a flight: copies made with pread, so that nothing which a writer does to the file, or
 * somebody else (a file cut short, any bytes), can harm the reader. */
#define _GNU_SOURCE
#include "flight_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* True when all of it could be read. */
static bool read_at(int fd, void *to, size_t size, size_t offset) {
    size_t done = 0;
    while (done < size) {
        ssize_t got = pread(fd, (char *)to + done, size - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

static flight_shape shape_of(const horus_flight_header *header) {
    return (flight_shape){header->rows, header->ticks, header->events};
}

static bool is_power_of_two(uint32_t value) {
    return value != 0 && (value & (value - 1)) == 0;
}

static bool makes_sense(const horus_flight_header *h, size_t file_size) {
    if (h->rows == 0 || h->rows > HORUS_FLIGHT_MAX_ROWS || h->rows_used > h->rows ||
        !is_power_of_two(h->ticks) || h->ticks > HORUS_FLIGHT_MAX_TICKS || !is_power_of_two(h->events) ||
        h->events > HORUS_FLIGHT_MAX_EVENTS)
        return false;
    flight_shape shape = shape_of(h);
    return h->size == flight_size(&shape) && h->size == file_size;
}

static int read_header(int fd, horus_flight_header *out, horus_error *error) {
    struct stat file;
    if (fstat(fd, &file) != 0) {
        horus_error_set(error, errno, "Cannot look at a scheduler's record: %s.", strerror(errno));
        return -1;
    }
    horus_flight_header found;
    if (!read_at(fd, &found, sizeof found, 0) || memcmp(found.magic, HORUS_FLIGHT_MAGIC, 8) != 0) {
        horus_error_set(error, EINVAL,
                        "Cannot read a scheduler's record: expected a file that begins with %s, got %lld "
                        "bytes of something else.",
                        HORUS_FLIGHT_MAGIC, (long long)file.st_size);
        return -1;
    }
    if (found.version != HORUS_FLIGHT_VERSION) {
        horus_error_set(
            error, EINVAL,
            "Cannot read a scheduler's record: expected layout version %u, got %u. Read it with the "
            "version of HORUS that wrote it.",
            HORUS_FLIGHT_VERSION, found.version);
        return -1;
    }
    if (file.st_size < 0 || !makes_sense(&found, (size_t)file.st_size)) {
        horus_error_set(
            error, EINVAL,
            "Cannot read a scheduler's record: expected a file that fits its header, got %lld bytes "
            "and %u rows, %u ticks, %u events.",
            (long long)file.st_size, found.rows, found.ticks, found.events);
        return -1;
    }
    *out = found;
    return 0;
}

int horus_flight_open(horus_flight_reader *reader, int fd, horus_error *error) {
    reader->fd = fd;
    return read_header(fd, &reader->header, error);
}

int horus_flight_look(horus_flight_reader *reader, horus_error *error) {
    flight_shape before = shape_of(&reader->header);
    horus_flight_header found;
    if (read_header(reader->fd, &found, error) < 0)
        return -1;
    flight_shape now = shape_of(&found);
    if (memcmp(&before, &now, sizeof now) != 0) {
        horus_error_set(error, EINVAL, "A scheduler's record has changed its shape while it was read.");
        return -1;
    }
    reader->header = found;
    return 0;
}

bool horus_flight_read_row(const horus_flight_reader *reader, uint32_t index, horus_flight_row *out) {
    if (index >= reader->header.rows)
        return false;
    return read_at(reader->fd, out, sizeof *out, flight_rows_at() + index * sizeof *out);
}

/* A ring of records that begin with their seq. */
typedef struct {
    size_t at, record, capacity;
    uint64_t head;
} ring_view;

static bool read_slots(int fd, const ring_view *ring, uint64_t from, uint64_t count, char *to) {
    size_t slot = (size_t)(from & (ring->capacity - 1));
    size_t first = ring->capacity - slot < count ? ring->capacity - slot : (size_t)count;
    return read_at(fd, to, first * ring->record, ring->at + slot * ring->record) &&
           read_at(fd, to + first * ring->record, ((size_t)count - first) * ring->record, ring->at);
}

/* Copied twice: what has its own number in both copies was whole in the first, since a writer takes the
 * number away before it touches the rest. */
static size_t read_ring(int fd, const ring_view *ring, uint64_t since, char *out, size_t room) {
    uint64_t oldest = ring->head > ring->capacity ? ring->head - ring->capacity : 0;
    uint64_t from = since > oldest ? since : oldest;
    uint64_t count = from < ring->head ? ring->head - from : 0;
    if (count > room)
        count = room;
    if (count == 0)
        return 0;
    char *again = malloc((size_t)count * ring->record);
    if (again == NULL)
        return (size_t)-1;
    size_t kept = 0;
    if (read_slots(fd, ring, from, count, out) && read_slots(fd, ring, from, count, again))
        for (uint64_t i = 0; i < count; i++) {
            const char *one = out + i * ring->record;
            uint64_t seq, seq_after;
            memcpy(&seq, one, sizeof seq);
            memcpy(&seq_after, again + i * ring->record, sizeof seq_after);
            if (seq != from + i + 1 || seq_after != seq)
                continue;
            memmove(out + kept++ * ring->record, one, ring->record);
        }
    free(again);
    return kept;
}

size_t horus_flight_read_ticks(const horus_flight_reader *reader, uint64_t since, horus_flight_tick *out,
                               size_t room) {
    flight_shape shape = shape_of(&reader->header);
    ring_view ring = {flight_ticks_at(&shape), sizeof *out, shape.ticks, reader->header.tick_head};
    return read_ring(reader->fd, &ring, since, (char *)out, room);
}

size_t horus_flight_read_events(const horus_flight_reader *reader, uint64_t since, horus_flight_event *out,
                                size_t room) {
    flight_shape shape = shape_of(&reader->header);
    ring_view ring = {flight_events_at(&shape), sizeof *out, shape.events, reader->header.event_head};
    size_t kept = read_ring(reader->fd, &ring, since, (char *)out, room);
    for (size_t i = 0; kept != (size_t)-1 && i < kept; i++)
        if (out[i].length > HORUS_FLIGHT_TEXT)
            out[i].length = HORUS_FLIGHT_TEXT;
    return kept;
}
