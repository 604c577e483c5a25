/* Geometry, creation and mapping of a topic's region. */
#define _GNU_SOURCE
#include "ring_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot.h"
#include "futex.h"

ring_geometry ring_geometry_of(uint32_t capacity, uint32_t payload, uint64_t meta_length) {
    ring_geometry at;
    at.stride = (uint32_t)horus_round_up(HORUS_SLOT_HEADER + horus_round_up(payload, 8), HORUS_CACHE_LINE);
    at.users = sizeof(ring_header);
    at.publishers = at.users + HORUS_MAX_PROCESSES * sizeof(uint32_t);
    at.subscribers = at.publishers + HORUS_MAX_PUBLISHERS * sizeof(publisher_row);
    at.meta = at.subscribers + HORUS_MAX_SUBSCRIBER_ROWS * sizeof(subscriber_row);
    at.slots = horus_round_up(at.meta + meta_length, HORUS_CACHE_LINE);
    at.size = at.slots + (size_t)capacity * at.stride;
    return at;
}

size_t horus_ring_size(const horus_ring_params *params) {
    return ring_geometry_of(params->capacity, params->payload, params->meta_length).size;
}

void horus_ring_format(void *memory, const horus_ring_params *params) {
    ring_header *header = memory;
    ring_geometry at = ring_geometry_of(params->capacity, params->payload, params->meta_length);
    memcpy(header->magic, RING_MAGIC, sizeof header->magic);
    header->version = HORUS_TOPIC_LAYOUT;
    snprintf(header->release, sizeof header->release, "%s", HORUS_VERSION);
    header->size = at.size;
    horus_boot_id(header->boot_id);
    header->kind = params->kind;
    header->latched = params->latched;
    header->large_kept = params->large_kept;
    memcpy(header->type_hash, params->type_hash, sizeof header->type_hash);
    header->capacity = params->capacity;
    header->payload = params->payload;
    header->meta_length = params->meta_length;
    header->hint = params->capacity; /* the first number: slot i starts as (i, VOID) */
    memcpy((char *)memory + at.meta, params->meta, params->meta_length);
    for (uint64_t i = 0; i < params->capacity; i++) {
        ring_slot *slot = (ring_slot *)((uint8_t *)memory + at.slots + i * at.stride);
        slot->word = word_make(i, 0, VOID, 0);
    }
    STEP(horus_ring_format__ready);
    horus_store_release(&header->ready, 1);
}

/* Reads the creator's numbers once and checks them; nothing of the header's geometry is read again. */
static bool check_header(const ring_header *seen, ring_geometry *at, horus_error *error) {
    uint8_t boot_id[16];
    horus_boot_id(boot_id);
    if (memcmp(seen->magic, RING_MAGIC, sizeof seen->magic) != 0)
        horus_error_set(error, 0, "expected a topic of HORUS, got a file that starts with other bytes");
    else if (seen->version != HORUS_TOPIC_LAYOUT) {
        char release[HORUS_VERSION_MAX];
        horus_release_text(release, seen->release);
        horus_error_set(
            error, EPROTO,
            "expected a topic of HORUS %s (layout version %u), got one of HORUS %s (layout version %u)",
            HORUS_VERSION, HORUS_TOPIC_LAYOUT, release, seen->version);
    } else if (!seen->ready)
        horus_error_set(error, EAGAIN,
                        "expected a finished region, got one whose creator died while it wrote it");
    else if (memcmp(seen->boot_id, boot_id, sizeof boot_id) != 0)
        horus_error_set(error, EAGAIN, "expected a region of this boot, got one of an earlier boot");
    else if (seen->kind < HORUS_TYPED || seen->kind > HORUS_DESCRIPTOR)
        horus_error_set(error, 0, "expected a kind from 1 to 3, got %u", seen->kind);
    else if (seen->capacity < CAPACITY_MIN || seen->capacity > CAPACITY_MAX ||
             (seen->capacity & (seen->capacity - 1)) != 0)
        horus_error_set(error, 0, "expected a capacity that is a power of two from %u to %u, got %u",
                        CAPACITY_MIN, CAPACITY_MAX, seen->capacity);
    else if (seen->payload > PAYLOAD_MAX || seen->meta_length > META_MAX)
        horus_error_set(error, 0, "expected payload <= %u and description <= %u bytes, got %u and %llu",
                        PAYLOAD_MAX, META_MAX, seen->payload, (unsigned long long)seen->meta_length);
    else {
        *at = ring_geometry_of(seen->capacity, seen->payload, seen->meta_length);
        if (seen->size == at->size)
            return true;
        horus_error_set(error, 0, "expected %zu bytes for its geometry, the header says %llu", at->size,
                        (unsigned long long)seen->size);
    }
    return false;
}

static void fill_ring(horus_ring *ring, const ring_header *seen, const ring_geometry *at,
                      horus_member *member) {
    ring->slots = ring->base + at->slots;
    ring->mask = seen->capacity - 1;
    ring->stride = at->stride;
    ring->capacity = seen->capacity;
    ring->payload = seen->payload;
    ring->kind = seen->kind;
    ring->latched = seen->latched != 0;
    ring->large_kept = seen->large_kept == 0 ? seen->capacity : seen->large_kept;
    ring->header = (ring_header *)ring->base;
    ring->member = member;
    ring->users = (uint32_t *)(ring->base + at->users);
    ring->publishers = (publisher_row *)(ring->base + at->publishers);
    ring->subscribers = (subscriber_row *)(ring->base + at->subscribers);
    memcpy(ring->type_hash, seen->type_hash, sizeof ring->type_hash);
}

/* The mark in the region's `users` is the process's, not the mapping's: it stays for as long as any mapping
 * of the region does. Both changes are made under the mutex, so that none of them overtakes the other. */
static void enlist_user(horus_ring *ring) {
    horus_ident self = horus_member_self(ring->member);
    member_mappings *mappings = horus_member_mappings(ring->member);
    if (horus_member_is_forked(ring->member) || horus_member_observes(ring->member))
        return; /* the membership is the parent's; or who only looks keeps no region from being removed */
    pthread_mutex_lock(&mappings->mutex);
    ring->next = mappings->first;
    mappings->first = ring;
    STEP(enlist_user__store);
    horus_store_seq_cst(&ring->users[horus_ident_index(self)], (uint32_t)horus_ident_generation(self));
    pthread_mutex_unlock(&mappings->mutex);
}

/* Takes the mapping off the list; whether it was the last one of its region. */
static bool forget_mapping(member_mappings *mappings, const horus_ring *ring) {
    bool last = true;
    for (horus_ring **at = &mappings->first; *at != NULL;) {
        if (*at == ring) {
            *at = ring->next;
            continue;
        }
        last = last && ((*at)->device != ring->device || (*at)->inode != ring->inode);
        at = &(*at)->next;
    }
    return last;
}

/* The creator's numbers and its description are read through the file and not through the mapping: one copy,
 * that nobody changes while it is checked, and where the file is too short an error, not a SIGBUS. The file
 * got its name when it was whole. */
static bool read_header(int fd, ring_header *seen, horus_error *error) {
    ssize_t got = pread(fd, seen, sizeof *seen, 0);
    if (got == (ssize_t)sizeof *seen)
        return true;
    if (got < 0)
        horus_error_set(error, errno, "it cannot be read: %s", strerror(errno));
    else
        horus_error_set(error, EAGAIN, "expected at least %zu bytes, got %zd", sizeof *seen, got);
    return false;
}

static bool read_meta(int fd, horus_ring *ring, size_t length, size_t offset, horus_error *error) {
    ring->meta_length = length;
    ring->meta = malloc(length + 1);
    if (ring->meta == NULL) {
        horus_error_set(error, ENOMEM, "no memory for the description");
        return false;
    }
    ring->meta[length] = '\0';
    ssize_t got = pread(fd, ring->meta, length, (off_t)offset);
    if (got == (ssize_t)length)
        return true;
    horus_error_set(error, EAGAIN, "expected a description of %zu bytes, got %zd", length, got);
    return false;
}

/* The file's size is looked at once it is mapped: cut short before, it is refused here. */
static bool map_file(int fd, horus_ring *ring, size_t size, int prot, horus_error *error) {
    struct stat status;
    void *base = mmap(NULL, size, prot, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED || fstat(fd, &status) < 0)
        horus_error_set(error, errno, "it cannot be mapped: %s", strerror(errno));
    else if ((uint64_t)status.st_size < size)
        horus_error_set(error, 0, "expected %zu bytes for its geometry, the file has %lld", size,
                        (long long)status.st_size);
    else {
        ring->base = base;
        ring->size = size;
        ring->device = status.st_dev;
        ring->inode = status.st_ino;
        return true;
    }
    if (base != MAP_FAILED)
        munmap(base, size);
    return false;
}

horus_ring *horus_ring_map(int fd, horus_member *member, horus_error *error) {
    ring_header seen;
    ring_geometry at;
    if (!read_header(fd, &seen, error) || !check_header(&seen, &at, error))
        return NULL;
    int prot = horus_member_observes(member) ? PROT_READ : PROT_READ | PROT_WRITE;
    horus_ring *ring = calloc(1, sizeof *ring);
    if (ring == NULL) {
        horus_error_set(error, ENOMEM, "no memory for the mapping's description");
        return NULL;
    }
    if (!read_meta(fd, ring, seen.meta_length, at.meta, error) || !map_file(fd, ring, at.size, prot, error)) {
        free(ring->meta);
        free(ring);
        return NULL;
    }
    fill_ring(ring, &seen, &at, member);
    enlist_user(ring);
    return ring;
}

void horus_ring_unmap(horus_ring *ring) {
    if (!horus_member_is_forked(ring->member) && !horus_member_observes(ring->member)) {
        horus_ident self = horus_member_self(ring->member);
        member_mappings *mappings = horus_member_mappings(ring->member);
        uint32_t mine = (uint32_t)horus_ident_generation(self);
        pthread_mutex_lock(&mappings->mutex);
        if (forget_mapping(mappings, ring)) {
            STEP(horus_ring_unmap__swap);
            horus_cas_seq_cst(&ring->users[horus_ident_index(self)], &mine, 0u);
        }
        pthread_mutex_unlock(&mappings->mutex);
    }
    munmap(ring->base, ring->size);
    free(ring->meta);
    free(ring);
}

bool horus_ring_in_use(const horus_ring *ring, bool others) {
    horus_ident self = horus_member_self(ring->member);
    for (unsigned index = 0; index < HORUS_MAX_PROCESSES; index++) {
        uint32_t user = horus_load_acquire(&ring->users[index]);
        horus_ident who = horus_member_at(ring->member, index);
        if (user == 0 || user != (uint32_t)horus_ident_generation(who) || (others && who == self))
            continue;
        if (horus_member_alive(ring->member, who))
            return true;
    }
    return false;
}

const char *horus_ring_meta(const horus_ring *ring, size_t *length) {
    *length = ring->meta_length;
    return ring->meta;
}
const uint8_t *horus_ring_type_hash(const horus_ring *ring) {
    return ring->type_hash;
}
uint32_t horus_ring_kind(const horus_ring *ring) {
    return ring->kind;
}
uint32_t horus_ring_large_kept(const horus_ring *ring) {
    return ring->large_kept;
}
bool horus_ring_latched(const horus_ring *ring) {
    return ring->latched;
}
uint32_t horus_ring_capacity(const horus_ring *ring) {
    return ring->capacity;
}
uint32_t horus_ring_payload(const horus_ring *ring) {
    return ring->payload;
}
uint64_t horus_ring_bytes(const horus_ring *ring) {
    return ring->size;
}
horus_member *horus_ring_member(const horus_ring *ring) {
    return ring->member;
}
void horus_ring_file(const horus_ring *ring, uint64_t *device, uint64_t *inode) {
    *device = ring->device;
    *inode = ring->inode;
}

uint64_t ring_scan_front(const horus_ring *ring) {
    uint64_t front = 0;
    for (uint64_t i = 0; i < ring->capacity; i++) {
        STEP(ring_scan_front__load_word);
        uint64_t number = word_number(horus_load_acquire(&slot_of(ring, i)->word));
        if (number >= front)
            front = number + 1;
    }
    return front;
}

uint64_t ring_front_from(const horus_ring *ring, uint64_t number) {
    for (uint64_t looks = ring_looks(ring); looks > 0; looks--) {
        STEP(ring_front_from__load_word);
        uint64_t found = word_number(horus_load_acquire(&slot_of(ring, number)->word));
        if (found >= number)
            number = found + 1; /* all numbers up to `found` are claimed */
        else if (HORUS_LIKELY(found + ring->capacity == number))
            return number;
        else
            break; /* the start was not a claimed number: a corrupt hint */
    }
    return ring_scan_front(ring);
}

uint64_t horus_ring_front(const horus_ring *ring) {
    STEP(horus_ring_front__load_hint);
    return ring_front_from(ring, horus_load_acquire(&ring->header->hint));
}

bool horus_ring_gone(const horus_ring *ring, uint64_t number) {
    return word_number(horus_load_acquire(&slot_of(ring, number)->word)) != number;
}

void horus_ring_wake(horus_ring *ring) {
    uint32_t *futex = &ring->header->futex;
    if (horus_member_observes(ring->member))
        return;
    STEP(horus_ring_wake__load_futex);
    uint32_t word = horus_load_seq_cst(futex);
    if (!(word & 1u))
        return;
    STEP(horus_ring_wake__swap);
    if (horus_cas_seq_cst(futex, &word, word + 1u)) {
        STEP(horus_ring_wake__wake);
        horus_futex_wake_all(futex);
    }
}
