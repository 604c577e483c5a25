/* Sleeping and waking (docs/protocol.md, section 4), for Spin: is a wake ever lost?
 *
 * As in ring.pml one atomic block is one access to shared memory or one system call, and STEP(name) names it as
 * step.h does. The ring is only what the waiting sees of it: numbers that are claimed, committed or made void, none
 * twice. A sleeper wakes by FUTEX_WAKE, by PATIENCE when it sleeps before a number that is being written, and after
 * its slice with -DSLICE. Where nothing else moves any more, a sleeper that has something to see has lost its wake.
 *
 * Settings: PUBS publishers that send MESSAGES each, SUBS sleepers, KILLS and STOPS in a run. */
#include "common.h"

#define DONE 1 /* 0: not claimed */
#define BUSY 2
#define VOID 3
#define NUMBERS (PUBS * MESSAGES + 1)
#define ASLEEP 1

byte word[NUMBERS + 1];
byte front;
byte futex;     /* bit 0 somebody sleeps, the rest an epoch */
bit sleeps[SUBS]; /* the kernel's queue of those who sleep on the futex */
byte kills = KILLS, stops = STOPS;

inline futex_wake() {
    for (i : 0 .. SUBS - 1) {
#ifdef MUT_wake_one
        if
        :: sleeps[i] -> sleeps[i] = 0; break
        :: else
        fi
#else
        sleeps[i] = 0
#endif
    }
    i = 0
}

proctype publisher() {
    byte n, sent, seen, i;

send:
    atomic {
        if
        :: sent == MESSAGES -> goto gone
        :: else -> sent++
        fi
    }
    atomic { STEP(claim__swap); n = front; front++; word[n] = BUSY }
#ifdef MUT_futex_looked_at_before_commit
    atomic { STEP(wake_sleepers__load_futex); seen = futex }
#endif
    atomic {
        STEP(horus_publisher_send__commit);
        if
        :: word[n] == BUSY -> word[n] = DONE
        :: else -> seen = 0; goto send /* made void, and let go; sending it again would be the next message */
        fi
    }
#ifndef MUT_futex_looked_at_before_commit
    atomic { STEP(wake_sleepers__load_futex); seen = futex }
#endif
    atomic {
        if
        :: !(seen & 1) -> seen = 0; goto send
        :: else
        fi;
        STEP(horus_ring_wake__load_futex);
        seen = futex
    }
#ifdef MUT_wake_before_word
    atomic { STEP(horus_ring_wake__wake); futex_wake() }
#endif
    atomic {
        if
        :: !(seen & 1) -> seen = 0; goto send
        :: else
        fi;
        STEP(horus_ring_wake__swap);
        if
        :: futex == seen -> futex++; seen = 0
        :: else -> seen = 0; goto send
        fi
    }
#ifndef MUT_wake_before_word
    atomic { STEP(horus_ring_wake__wake); futex_wake() }
#endif
    goto send;

killed:
stopped:
gone:
    atomic { n = 0; sent = 0; seen = 0; i = 0 }
}

/* horus_subscriber_has_msg, into `found`: passes void numbers; before a BUSY one with others behind it, PATIENCE may
 * be over or not. */
inline has_msg() {
    found = 0;
    do
    :: atomic {
           STEP(walk__load_word);
           w = word[c];
           if
           :: w == DONE -> found = 1; w = 0; break
           :: w == VOID -> c++; impatient = 0
           :: w == 0 -> break
           :: w == BUSY
           fi
       }
       if
       :: w == BUSY ->
          atomic {
              STEP(lose_patience__look_behind);
              if
              :: word[c + 1] == 0 || !impatient -> w = 0; break
              :: else
              fi
          }
          atomic {
              STEP(lose_patience__swap);
              w = 0;
              if
              :: word[c] == BUSY -> word[c] = VOID
              :: else
              fi
          }
       :: else -> w = 0
       fi
    od
}

proctype subscriber(byte s) {
    byte c, w, expected;
    bit found, stuck, impatient; /* impatient: stood before this number for PATIENCE */

receive:
    has_msg();
    atomic {
        if
        :: found -> c++; found = 0; impatient = 0; goto receive
        :: else
        fi;
        STEP(raise_sleep_bit__load_futex);
        expected = futex
    }
    do /* raise_sleep_bit */
    :: atomic {
           if
           :: expected & 1 -> break
           :: else
           fi;
           STEP(raise_sleep_bit__swap);
           if
           :: futex == expected -> expected = expected | 1; futex = expected; break
           :: else -> expected = futex
           fi
       }
    od;
#ifndef MUT_look_before_bit
    atomic { STEP(horus_subscriber_wait_begin__look) }
    has_msg();
#endif
    atomic {
        if
        :: found -> c++; found = 0; impatient = 0; expected = 0; goto receive
        :: else
        fi;
        STEP(horus_subscriber_wait_begin__look_stuck);
        stuck = word[c] == BUSY
    }
    atomic {
        STEP(horus_wait_sleep__sleep);
        if
        :: futex == expected -> sleeps[s] = 1
        :: else
        fi;
        expected = 0
    }
asleep: /* what another one's look at the same word changes nothing is not told here */
    if
    :: atomic { !sleeps[s] -> stuck = 0; goto receive }
    :: atomic { stuck && (word[c] != BUSY || word[c + 1] != 0) -> /* PATIENCE is over */
           impatient = 1; stuck = 0; sleeps[s] = 0; goto receive }
    :: atomic {
           timeout ->
           if
#ifdef SLICE
           :: word[c] == DONE || word[c] == VOID || (word[c] == BUSY && word[c + 1] != 0) ->
               stuck = 0; sleeps[s] = 0; goto receive
           :: else
#else
           :: true -> assert(word[c] != DONE);                              /* no lost wake */
               assert(word[c] != BUSY || word[c + 1] == 0)
#endif
           fi
       }
    fi;

killed: /* the bit in the futex word stays, which costs one system call */
stopped:
gone:
    atomic { sleeps[s] = 0; c = 0; w = 0; expected = 0; found = 0; stuck = 0; impatient = 0 }
}

init {
    byte i;
    atomic {
        for (i : 0 .. PUBS - 1) { run publisher() }
        for (i : 0 .. SUBS - 1) { run subscriber(i) }
        i = 0
    }
}
