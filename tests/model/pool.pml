/* The pool's holds (docs/protocol.md, section 5), for Spin: may a block be written while somebody holds it, and is
 * each block usable again once nobody does?
 *
 * As in ring.pml one atomic block is one access to shared memory, and STEP(name) names it as step.h does. The
 * application's own reads and writes of a payload have no name there: PAYLOAD. The ring between writer and readers
 * is the last REFS references sent; a reader takes any of them at any time, which is more than a real one does. The
 * writer takes any block whatever its age: the order of recycling decides what is missed, not what is safe.
 *
 * Settings: BLOCKS, SENDS, READERS that hold USES times each, KILLS and STOPS in a run; RETURNS dead readers are
 * followed by a newcomer at the same index, which reads or not. SWEEP_AT_MAPPING: as it was once, see there. */
#include "common.h"
#ifndef BLOCKS
#define BLOCKS 2
#endif
#ifndef SENDS
#define SENDS 3
#endif
#ifndef READERS
#define READERS 2
#endif
#ifndef USES
#define USES 2
#endif
#define REFS 2
#define PAYLOAD STEP(none)
#define WRITER (READERS + 1)    /* who holds the lock of an index, while the writer reaps it */

/* ---- what lies in shared memory ---- */
byte generation[BLOCKS];
byte holds[BLOCKS];             /* one bit for each index */
byte length[BLOCKS];
byte payload[2 * BLOCKS];       /* in two pieces */
byte ref_block[REFS], ref_generation[REFS]; /* generation 0: none */
byte locked[READERS];           /* the kernel's lock on an index: 0, the process's index + 1, or WRITER */

byte kills = KILLS, stops = STOPS, returns = RETURNS;
byte holding[READERS];          /* what no process can see: block + 1 */
#define STOPPED 255
bit closed;                     /* the writer sends no more */

#define BIT(q) (1 << (q))

proctype writer() {
    byte b, sent, oldest, tried, q;
    byte raised;                /* blocks whose generation was raised when a bit came in between */
    bit reaped;

take:
    atomic {
        b = 0; tried = 0; reaped = 0;
        if
        :: sent == SENDS -> goto done
        :: else -> sent++
        fi
    }
candidate:
    atomic {
        if
        :: tried == (1 << BLOCKS) - 1 && !reaped -> reaped = 1; tried = 0; q = 0; goto reap
        :: tried == (1 << BLOCKS) - 1 && reaped -> goto exhausted
        :: !(tried & 1) -> b = 0
#if BLOCKS > 1
        :: !(tried & 2) -> b = 1
#endif
#if BLOCKS > 2
        :: !(tried & 4) -> b = 2
#endif
        fi;
        tried = tried | BIT(b)
    }
    atomic {
        STEP(claim_block__look);
        if
        :: holds[b] != 0 -> goto candidate
        :: else
        fi
    }
    if
    :: !(raised & BIT(b)) ->
        atomic { STEP(claim_block__raise); generation[b]++; raised = raised | BIT(b) }
    :: else
    fi;
    atomic {
        STEP(claim_block__look_again);
#ifndef MUT_second_look_at_holds_dropped
        if
        :: holds[b] != 0 -> goto candidate
        :: else
        fi;
#endif
        raised = raised & ~BIT(b)
    }
    atomic { STEP(hand_out__length); length[b] = generation[b] }
    atomic { PAYLOAD; payload[2 * b] = generation[b] }
    atomic { PAYLOAD; payload[2 * b + 1] = generation[b] }
    atomic {
        STEP(horus_publisher_send__commit);
        ref_block[oldest] = b; ref_generation[oldest] = generation[b];
        oldest = (oldest + 1) % REFS;
        goto take
    }

reap:
    atomic {
        if
        :: q == READERS -> q = 0; goto candidate
        :: else
        fi
    }
#ifdef MUT_reap_without_owning
    atomic {
        STEP(horus_member_alive__lock);
        if
        :: locked[q] == 0
        :: else -> q++; goto reap
        fi
    }
#else
    atomic {
        STEP(horus_member_lock_index__lock);
        if
        :: locked[q] == 0 -> locked[q] = WRITER
        :: else -> q++; goto reap
        fi
    }
#endif
    b = 0;
    do
    :: atomic { b < BLOCKS -> STEP(clear_holds__clear); holds[b] = holds[b] & ~BIT(q); b++ }
    :: b == BLOCKS -> break
    od;
    atomic {
        b = 0;
#ifndef MUT_reap_without_owning
        STEP(horus_member_unlock_index__unlock);
        locked[q] = 0;
#endif
        q++; goto reap
    }

exhausted: /* PoolExhaustedError: only if every block is, or was a moment ago, in the hands of a living process */
    atomic { EXHAUSTED; goto take }

killed: /* the kernel drops its locks; nothing is to be mended */
    atomic { closed = 1; for (q : 0 .. READERS - 1) { locked[q] = (locked[q] == WRITER -> 0 : locked[q]) } goto gone }

done: /* when nothing moves any more, each block that nobody holds can be had, after reaping */
    closed = 1;
    atomic {
        timeout;
        for (q : 0 .. READERS - 1) {
            if
            :: locked[q] == 0 -> for (b : 0 .. BLOCKS - 1) { holds[b] = holds[b] & ~BIT(q) }
            :: else ->
                for (b : 0 .. BLOCKS - 1) {
                    assert(!(holds[b] & BIT(q)) || holding[q] == b + 1 || holding[q] == STOPPED)
                }
            fi
        }
    }
stopped:
    closed = 1;
gone:
    atomic { b = 0; q = 0; tried = 0; raised = 0; sent = 0; oldest = 0; reaped = 0 }
}

proctype reader(byte q) {
    byte b, g, uses, i;
    bit mapped, looks = 1;      /* looks: this one reads; a newcomer may be there for something else */

idle:
    atomic {
        if
        :: uses == USES || !looks -> goto waits
        :: uses < USES && looks && closed -> goto waits
        :: uses < USES && looks && ref_generation[0] ->
            STEP(ring_read_slot__look_again); b = ref_block[0]; g = ref_generation[0]
        :: uses < USES && looks && ref_generation[1] ->
            STEP(ring_read_slot__look_again); b = ref_block[1]; g = ref_generation[1]
        fi;
        uses++
    }
#if defined(SWEEP_AT_MAPPING) && !defined(MUT_newcomer_keeps_bits)
    if
    :: !mapped -> /* what the dead one before me held must not stay held as long as I live */
        atomic { STEP(pool_chunk_map__open); i = 0 }
        do
        :: atomic { i < BLOCKS -> STEP(clear_my_bits__clear); holds[i] = holds[i] & ~BIT(q); i++ }
        :: i == BLOCKS -> break
        od;
        mapped = 1; i = 0
    :: else
    fi;
#endif
    atomic {
        STEP(take_bit__filter);
        if
        :: generation[b] != g -> b = 0; g = 0; goto idle
        :: else
        fi
    }
    atomic { STEP(take_bit__set); holds[b] = holds[b] | BIT(q) }
    atomic {
        STEP(take_bit__look_again);
#ifndef MUT_second_look_at_generation_dropped
        if
        :: generation[b] != g -> goto undo
        :: else
        fi;
#endif
        holding[q] = b + 1
    }
    atomic { STEP(hold_foreign__load_length); assert(length[b] == g) }
    atomic { PAYLOAD; assert(payload[2 * b] == g) }
    atomic { PAYLOAD; assert(payload[2 * b + 1] == g) }
    atomic { STEP(drop_bit__clear); holding[q] = 0; holds[b] = holds[b] & ~BIT(q); b = 0; g = 0; goto idle }
undo:
#ifndef MUT_bit_left_after_failed_look
    atomic { STEP(take_bit__undo); holds[b] = holds[b] & ~BIT(q) }
#endif
    atomic { b = 0; g = 0; goto idle }

killed:
    atomic {
        locked[q] = (locked[q] == q + 1 -> 0 : locked[q]); /* who dies before he has the lock leaves the writer's */
        holding[q] = 0;
        b = 0; g = 0; mapped = 0; i = 0;
        if
        :: returns > 0 -> returns--
        :: true -> goto gone
        fi
    }
    /* Not there while the writer reaps: then a newcomer takes another row. */
    atomic {
        if
        :: locked[q] == 0
        :: locked[q] == WRITER -> goto gone
        fi;
        STEP(take_row__lock);
        locked[q] = q + 1
    }
    atomic {
        STEP(take_row__raise);
        if
        :: looks = 1
        :: looks = 0 /* a process of the namespace that never reads from this arena */
        fi
    }
#if !defined(SWEEP_AT_MAPPING) && !defined(MUT_newcomer_keeps_bits)
    i = 0;
    do
    :: atomic { i < BLOCKS -> STEP(clear_my_bits__clear); holds[i] = holds[i] & ~BIT(q); i++ }
    :: i == BLOCKS -> break
    od;
    i = 0;
#endif
    goto idle;

stopped: /* in the middle of something: what it has set stays */
    holding[q] = STOPPED;
waits:
gone:
    atomic { b = 0; g = 0; uses = 0; mapped = 0; i = 0; looks = 0 }
}

init {
    byte i;
    atomic {
        for (i : 0 .. READERS - 1) { locked[i] = i + 1; run reader(i) }
        run writer();
        i = 0
    }
}
