/* A topic's region: broadcast, keep-last-N, many publishers, many subscribers. docs/protocol.md is the
 * algorithm; the names of steps there are the names of functions here. */
#ifndef HORUS_RING_H
#define HORUS_RING_H

#include "horus/base.h"
#include "horus/layouts.h"
#include "horus/member.h"

#ifdef __cplusplus
extern "C" {
#endif

#define HORUS_MAX_PUBLISHERS 255u
#define HORUS_MAX_SUBSCRIBER_ROWS 56u
#define HORUS_NAME_MAX 128u
#define HORUS_SLOT_HEADER 24u
#define HORUS_PATIENCE_NS 1000000u

enum horus_kind { HORUS_TYPED = 1, HORUS_MSGPACK = 2, HORUS_DESCRIPTOR = 3 };

/* What the payload of a slot is. */
enum horus_payload {
    HORUS_INLINE = 0,
    HORUS_SPILLED = 1 /* a horus_block_ref: the message lies in a pool */
};

typedef struct {
    uint32_t kind; /* enum horus_kind */
    bool latched;
    uint32_t capacity;   /* slots, a power of two, at least 4 */
    uint32_t payload;    /* largest inline payload in bytes */
    uint32_t large_kept; /* of messages in blocks of 64 KiB or more; 0: as many as the ring has slots */
    uint8_t type_hash[16];
    const char *meta; /* JSON: topic, type, layout, creator; any length below 1 MiB */
    size_t meta_length;
} horus_ring_params;

/* The mapping of a topic's region in this process. Opaque. */
typedef struct horus_ring horus_ring;

size_t horus_ring_size(const horus_ring_params *params);

/* Writes an empty ring into zeroed memory of horus_ring_size() bytes. */
void horus_ring_format(void *memory, const horus_ring_params *params);

/* Maps and checks the region behind `fd`, which the caller may close afterwards. NULL with the error set. The
 * process stands among the region's users until the last of its mappings under this membership is gone. */
horus_ring *horus_ring_map(int fd, horus_member *member, horus_error *error);
void horus_ring_unmap(horus_ring *ring);

/* The 16-byte hash, kind and JSON that the creator wrote; copies taken when the region was mapped. */
const char *horus_ring_meta(const horus_ring *ring, size_t *length);
const uint8_t *horus_ring_type_hash(const horus_ring *ring);
uint32_t horus_ring_kind(const horus_ring *ring);
bool horus_ring_latched(const horus_ring *ring);
uint32_t horus_ring_capacity(const horus_ring *ring);
uint32_t horus_ring_payload(const horus_ring *ring);
uint32_t horus_ring_large_kept(const horus_ring *ring);
uint64_t horus_ring_bytes(const horus_ring *ring); /* of shared memory */
void horus_ring_file(const horus_ring *ring, uint64_t *device, uint64_t *inode);
horus_member *horus_ring_member(const horus_ring *ring);

/* Whether a living process (other than this one, if `others`) has the region mapped. */
bool horus_ring_in_use(const horus_ring *ring, bool others);

/* Whether `number` has left the ring: its slot was claimed again. */
bool horus_ring_gone(const horus_ring *ring, uint64_t number);

/* The first number not claimed yet. The first number of a ring is its capacity. */
uint64_t horus_ring_front(const horus_ring *ring);

/* Who stands in the tables, for tools. */
typedef struct {
    horus_ident who;
    uint64_t sent, refused, revoked;             /* publishers */
    uint64_t cursor, delivered, missed, skipped; /* subscribers */
    char node[HORUS_NAME_MAX + 1];
} horus_endpoint;

/* Row `row` of the publishers (1..255) or of the subscribers (0..55): false when nobody living is there. */
bool horus_ring_publisher_at(const horus_ring *ring, unsigned row, horus_endpoint *out);
bool horus_ring_subscriber_at(const horus_ring *ring, unsigned row, horus_endpoint *out);

/* ---- publishing: one thread at a time for each publisher ---- */

typedef struct {
    horus_ring *ring;
    uint64_t next;         /* one past the last number claimed by this publisher */
    uint64_t held_look_ns; /* when a HELD word was last looked up */
    uint64_t sent, refused, revoked;
    void *row; /* in the region */
    uint32_t owner;
} horus_publisher;

/* Takes a row of the table of publishers and sweeps what a dead predecessor left under it. 0, or -1 with the
 * error set when all 255 are taken. `node` is shown by tools (at most HORUS_NAME_MAX bytes). */
int horus_publisher_join(horus_publisher *pub, horus_ring *ring, const char *node, horus_error *error);
void horus_publisher_leave(horus_publisher *pub);

enum horus_send_result {
    HORUS_STORED = 1,
    HORUS_REFUSED = 0,  /* every slot is in the hands of a living writer, or somebody scribbles; counted */
    HORUS_WORN_OUT = -1 /* the region's numbers are used up (8.9 years at 1 MHz) */
};

/* Sends `length` <= payload bytes. `number` (may be NULL) receives the message's number. */
int horus_publisher_send(horus_publisher *pub, const void *data, uint32_t length, uint32_t payload_kind,
                         uint64_t *number);

/* ---- subscribing: one thread at a time for each subscriber ---- */

typedef struct {
    uint64_t publish_ns; /* CLOCK_MONOTONIC of the publisher */
    uint64_t number;
    uint32_t length;
    uint32_t payload_kind;
    uint32_t owner; /* row of the publisher */
} horus_info;

typedef struct {
    horus_ring *ring;
    uint64_t cursor;
    uint64_t delivered, missed, voids, skipped;
    uint64_t busy_number, busy_since_ns; /* the BUSY number that this reader stands before, and since when */
    uint32_t *known; /* the void numbers of each slot that this reader has accounted for */
    void *row;       /* in the region; NULL when the table was full */
} horus_subscriber;

enum horus_join { HORUS_FROM_NEXT, HORUS_FROM_LAST, HORUS_FROM_FIRST };

/* Starts at the next message, at the last one (latched), or at the ring's very first number (a subscriber
 * that waited before the topic was there). 0, or -1 without memory, or as a member that only observes. */
int horus_subscriber_join(horus_subscriber *sub, horus_ring *ring, enum horus_join from);
void horus_subscriber_leave(horus_subscriber *sub);

/* Shows the subscriber in the region's table, for tools; a full table is no error. */
void horus_subscriber_announce(horus_subscriber *sub, const char *node);

/* Copies the next message to `to` (at least horus_ring_payload() bytes, rounded up to 8). True when there was
 * one. Never waits. */
bool horus_subscriber_recv(horus_subscriber *sub, void *to, horus_info *info);

/* Whether recv would deliver now; passes void and overwritten numbers, counting them. */
bool horus_subscriber_has_msg(horus_subscriber *sub);

/* A cheap first look: false means that recv would return false. */
bool horus_subscriber_maybe(const horus_subscriber *sub);

uint64_t horus_subscriber_pending(const horus_subscriber *sub);

/* Brings `missed` up to date over void numbers that were overwritten unseen (reads all words). */
void horus_subscriber_settle_all(horus_subscriber *sub);

/* Passes all but the newest `keep` messages and counts them as skipped. */
void horus_subscriber_skip(horus_subscriber *sub, uint64_t keep);

/* The message of that number, without consuming: true when it is still whole. */
bool horus_ring_peek(const horus_ring *ring, uint64_t number, void *to, horus_info *info);

/* The newest whole message, without consuming. */
bool horus_ring_latest(const horus_ring *ring, void *to, horus_info *info);

/* Its publish time without copying the payload; false when nothing was published yet. */
bool horus_ring_latest_time(const horus_ring *ring, uint64_t *publish_ns);

/* What can be seen of a message without its payload. */
typedef struct {
    uint64_t number;
    uint64_t publish_ns; /* CLOCK_MONOTONIC of the publisher */
    uint64_t bytes;      /* of the message: in the slot, or in the pool's block that it refers to */
    uint64_t word;       /* eight bytes of what lies in the slot, where asked for */
    uint32_t owner;      /* row of the publisher */
    bool has_word;
    bool refers; /* what lies in the slot is a reference to a block of a pool, or begins with one */
} horus_sighting;

enum horus_sight {
    HORUS_SIGHT_MESSAGE = 1,
    HORUS_SIGHT_NONE = 0,    /* void, or overwritten: no message, or none any more */
    HORUS_SIGHT_PENDING = -1 /* not claimed yet, or being written */
};

#define HORUS_NO_WORD UINT32_MAX

/* Looks at that number: for tools, which are no subscribers and copy no payload. `at`: the offset, a multiple
 * of 8, of eight bytes of the slot's payload that are wanted besides, or HORUS_NO_WORD. */
enum horus_sight horus_ring_sight(const horus_ring *ring, uint64_t number, uint32_t at, horus_sighting *out);

/* How many of the numbers below `front` will never be delivered, of all that the ring ever gave out: the
 * rest, less the ring's first number, are the messages that were accepted. Reads all words. Off by those that
 * are made void while it reads. */
uint64_t horus_ring_voids(const horus_ring *ring, uint64_t front);

/* Waiting in two steps, so that a caller may drop a lock of its own for the sleep. `begin` returns 1 when a
 * message is there, else 0 and a ticket; the ticket's until_ns is 0 when the deadline (CLOCK_MONOTONIC, ns)
 * has passed. `sleep` sleeps at most 50 ms (a wake can die with its publisher): 0, or EINTR after a signal.
 */
typedef struct {
    const uint32_t *word;
    uint32_t expected;
    uint64_t until_ns;
} horus_wait;

int horus_subscriber_wait_begin(horus_subscriber *sub, uint64_t deadline_ns, horus_wait *ticket);
int horus_wait_sleep(const horus_wait *ticket);

/* The number of the newest whole message, 0 for none; and waiting, as above, for another than `seen`: for
 * those who leave messages unread. */
uint64_t horus_ring_newest(const horus_ring *ring);
int horus_ring_wait_begin(horus_ring *ring, uint64_t seen, horus_wait *ticket);

/* Both steps until a message is there (1), time is up (0) or a signal came (-1). */
int horus_subscriber_wait(horus_subscriber *sub, uint64_t deadline_ns);

/* Wakes all sleepers of the ring although nothing was published (a close in another thread). */
void horus_ring_wake(horus_ring *ring);

#ifdef __cplusplus
}
#endif
#endif
