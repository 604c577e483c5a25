/* The ring (docs/protocol.md, sections 1 to 3), for Spin.
 *
 * One atomic block is one access to shared memory, or one system call, together with what its process computes
 * from it alone. STEP(name) stands in each and names the same step of horus_core/native/src/step.h; there, a
 * process may also be killed or stopped for ever. Time is not modelled: what a process may do after a while it
 * may do at once, so "at most every 100 ms" is "perhaps", and PATIENCE is over whenever that matters.
 *
 * Settings: N slots, PUBS publishers that send MESSAGES each with TRIES tries, SUBS subscribers of which the last
 * joins late with -DLATE, KILLS and STOPS in a run, of which RETURNS dead publishers are followed by a newcomer.
 * -DACCOUNTS adds the counters, -DSKIP a subscriber that skips. MUT_*: mutations. */
#include "common.h"

#include "ring_word.h"

/* ---- what lies in shared memory ---- */
short word[N];
byte voids[N];       /* counted after the swap: see slot_count_void */
byte half[2 * N];    /* the payload, in two pieces, so that it can be torn */
byte hint = N;
byte who[PUBS + 1];  /* by row: the identity of the publisher, 0 free */
byte generation[PUBS];
bit locked[PUBS];    /* the kernel's lock on the process's byte of the index: it lives */

/* ---- what no process can see: the truth, and the faults that are left ---- */
byte truth[N];       /* which message the claim of the slot's number was for */
int accepted;        /* bit n - N: number n was committed */
byte kills = KILLS, stops = STOPS, returns = RETURNS;

#ifdef OBSERVER
bit observed, nothing_done; /* since `observed` there was a moment without any message in the ring */
#if N == 2
#define NONE_DONE (STATE(word[0]) != DONE && STATE(word[1]) != DONE)
#else
#define NONE_DONE (STATE(word[0]) != DONE && STATE(word[1]) != DONE && STATE(word[2]) != DONE && STATE(word[3]) != DONE)
#endif
#define SEE_NOTHING_DONE nothing_done = nothing_done || (observed && NONE_DONE)
#else
#define SEE_NOTHING_DONE skip
#endif

#ifdef MUT_void_not_counted
#define PLUS_VOID 0
#else
#define PLUS_VOID 1
#endif
#ifdef MUT_revoked_slot_free_at_once
#define REVOKED VOID
#else
#define REVOKED HELD
#endif

/* After the swap that gave slot `s` its tally `t`. Uses the caller's `seen`. */
#ifdef ACCOUNTS
#define slot_count_void(caller, s, t)                                          \
    atomic { STEP(caller); seen = voids[s] }                                   \
    atomic { STEP(slot_count_void__load_word); later = TALLY(word[s]) != (t) } \
    atomic {                                                                   \
        if                                                                     \
        :: later                                                               \
        :: else ->                                                             \
            STEP(slot_count_void__swap);                                       \
            if                                                                 \
            :: voids[s] == seen -> voids[s] = seen + AHEAD(t, seen)            \
            :: else                                                            \
            fi                                                                 \
        fi;                                                                    \
        later = 0; seen = 0                                                    \
    }
#else
#define slot_count_void(caller, s, t) skip
#endif

/* Whether the process of that identity is dead, into the caller's `dead`. */
inline member_dead(identity) {
    atomic {
        STEP(horus_member_alive__generation);
        dead = generation[INDEX(identity)] != GENERATION(identity)
    }
    if
    :: dead
    :: else -> atomic { STEP(horus_member_alive__lock); dead = !locked[INDEX(identity)] }
    fi
}

/* The front, from the caller's `n`, which is one past a claimed number. That the words never say otherwise is
 * why ring_scan_front is for corrupt regions only. */
inline ring_front_from() {
    do
    :: atomic {
           STEP(ring_front_from__load_word);
           if
           :: NUMBER(word[n % N]) >= n -> n = NUMBER(word[n % N]) + 1
           :: else -> assert(NUMBER(word[n % N]) + N == n); break
           fi
       }
    od
}

proctype publisher(byte p) {
    byte row = p + 1, next = N, n, tries, skips, seq, i, identity;
    short w;
    bit dead;
#ifdef ACCOUNTS
    byte seen;
    bit later;
#endif

send: /* the next message; the last one was stored, or refused */
    atomic {
        n = 0; w = 0; skips = 0;
        if
        :: seq == MESSAGES -> goto leave
        :: else -> seq++; tries = TRIES
        fi
    }
attempt:
    atomic {
        STEP(claim__load_hint);
        n = (hint > next -> hint : next);
        skips = 0
    }
claim:
    atomic {
        STEP(claim__load_word);
        w = word[n % N];
        if
        :: NUMBER(w) >= n -> n = NUMBER(w) + 1; w = 0; goto claim
        :: else
        fi;
        assert(NUMBER(w) + N == n);
        BOUND(n);
        if
        :: !WRITING(w) -> goto take
        :: WRITING(w) -> skip
        :: STATE(w) == HELD -> goto pass /* looked up less than 100 ms ago */
        fi
    }
    atomic {
        STEP(may_reclaim__look);
        identity = who[OWNER(w)];
        dead = identity == 0;
#ifdef MUT_living_writer_overtaken
        dead = 1;
#endif
        if
        :: dead -> identity = 0; goto take
        :: identity == IDENTITY(generation[p], p) -> identity = 0; goto pass
        :: else
        fi
    }
    member_dead(identity);
    atomic {
        identity = 0;
        if
        :: dead -> dead = 0; goto take
        :: else -> goto pass
        fi
    }

pass: /* its writer lives, a whole lap behind: his number is taken, not his memory */
    atomic {
        if
        :: skips == N -> REFUSED; goto send
        :: else
        fi;
        STEP(pass_writer__swap);
        if
        :: word[n % N] == w ->
            w = WORD(n, TALLY(w) + (STATE(w) == BUSY) + PLUS_VOID, REVOKED, OWNER(w));
            word[n % N] = w
        :: else -> goto claim
        fi
    }
    slot_count_void(pass_writer__count_void, n % N, TALLY(w));
    atomic { n++; skips++; goto claim }

take:
    atomic {
        STEP(claim__swap);
        if
#ifdef MUT_claim_without_number
        :: STATE(word[n % N]) == STATE(w) ->
#else
        :: word[n % N] == w ->
#endif
            assert(NUMBER(word[n % N]) < n); /* numbers in a slot only grow */
            dead = STATE(w) == BUSY;
            w = WORD(n, TALLY(w) + dead * PLUS_VOID, BUSY, row);
            word[n % N] = w;
            truth[n % N] = MESSAGE(p, seq);
            SEE_NOTHING_DONE
        :: else -> goto claim
        fi
    }
    if
    :: dead -> slot_count_void(claim__count_void, n % N, TALLY(w)); dead = 0
    :: else
    fi;
    atomic { STEP(horus_publisher_send__store_hint); next = n + 1; hint = next }
    atomic { STEP(horus_publisher_send__write); half[2 * (n % N)] = MESSAGE(p, seq) }
    atomic { STEP(ring_copy_in__middle); half[2 * (n % N) + 1] = MESSAGE(p, seq) }
    atomic {
        STEP(horus_publisher_send__commit);
#ifdef MUT_commit_by_store
        assert(NUMBER(word[n % N]) == n); /* numbers in a slot only grow */
        word[n % N] = w;
#endif
        if
        :: word[n % N] == w ->
            word[n % N] = WORD(n, TALLY(w), DONE, row);
#ifdef ACCOUNTS
            accepted = accepted | (1 << (n - N));
#endif
            goto send
        :: else -> w = word[n % N]
        fi
    }
    do /* let_go */
    :: STATE(w) == HELD && OWNER(w) == row -> atomic {
           STEP(let_go__swap);
           if
           :: word[n % N] == w -> word[n % N] = WORD(NUMBER(w), TALLY(w), VOID, row); break
           :: else -> w = word[n % N]
           fi
       }
    :: else -> break
    od;
    atomic {
        w = 0; tries--;
        if
        :: tries > 0 -> goto attempt
        :: else -> goto send
        fi
    }

leave:
    atomic { STEP(horus_publisher_leave__free); who[row] = 0; goto gone }

killed:
    atomic { /* the kernel drops the lock; a newcomer may come, at the same row of the index */
        locked[p] = 0;
        n = 0; w = 0; dead = 0; skips = 0; tries = 0; identity = 0; i = 0; next = 0;
        if
        :: returns > 0 -> returns--
        :: true -> goto gone
        fi
    }
    atomic { STEP(take_row__lock); locked[p] = 1 }
    atomic { STEP(take_row__raise); generation[p]++; row = 1 }
join: /* horus_publisher_join */
    atomic {
        if
        :: row > PUBS -> goto gone
        :: else
        fi;
        STEP(claim_row__load_who);
        identity = who[row]
    }
    if
    :: identity != 0 -> member_dead(identity)
    :: else -> dead = 1
    fi;
    atomic {
        if
        :: !dead -> identity = 0; row++; goto join
        :: else -> dead = 0
        fi
    }
    atomic {
        STEP(claim_row__swap);
        if
        :: who[row] == identity -> who[row] = IDENTITY(generation[p], p); identity = 0
        :: else -> identity = 0; row++; goto join
        fi
    }
    do /* sweep */
    :: i < N ->
        atomic { STEP(sweep__load_word); w = word[i] }
        do
        :: OWNER(w) == row && WRITING(w) ->
            atomic {
                STEP(sweep__swap);
                if
                :: word[i] == w ->
                    dead = STATE(w) == BUSY;
                    w = WORD(NUMBER(w), TALLY(w) + dead * PLUS_VOID, VOID, row);
                    word[i] = w
                :: else -> w = word[i]
                fi
            }
            if
            :: dead -> slot_count_void(sweep__count_void, i, TALLY(w)); dead = 0
            :: else
            fi
        :: else -> break
        od;
        i++
    :: else -> break
    od;
    atomic { i = 0; w = 0; STEP(horus_ring_front__load_hint); n = hint }
    ring_front_from();
    atomic { next = n; goto send }

stopped:
gone:
    atomic { row = 0; next = 0; seq = 0; n = 0; w = 0; identity = 0; tries = 0; skips = 0; i = 0 }
}

#include "ring_subscriber.pml"
#ifdef OBSERVER
#include "ring_observer.pml"
#endif

init {
    byte i;
    atomic {
        for (i : 0 .. N - 1) { word[i] = WORD(i, 0, VOID, 0) }
        for (i : 0 .. PUBS - 1) {
            generation[i] = 1; locked[i] = 1;
            who[i + 1] = IDENTITY(1, i);
            if
#ifdef HELD_ONE /* the first publisher was stopped while it wrote its first message */
            :: i == 0 -> word[0] = WORD(N, 0, BUSY, 1); hint = N + 1
            :: i != 0 -> run publisher(i)
#else
            :: run publisher(i)
#endif
            fi
        }
#if SUBS > 0
        for (i : 0 .. SUBS - 1) { run subscriber(i) }
#endif
#ifdef OBSERVER
        run observer();
#endif
        i = 0
    }
}
