/* A subscriber of the ring (docs/protocol.md, sections 1.3 and 3): part of ring.pml.
 *
 * It receives until nothing moves any more, and then says what it knows: nothing is left unread, and with
 * -DACCOUNTS its counters are the truth. Where C returns "empty" it waits for a change of what it saw: to look
 * again before that changes nothing. How often a call may be lapped is not modelled: it gives up, and is called
 * again. */

#ifdef ACCOUNTS
/* Accounts for the number at the cursor, of a slot that has had `count` void numbers. */
inline settle(word_at, count) {
    add = count - known[c % N] - IS_VOID(word_at);
    if
    :: add > missed -> add = missed
    :: add < 0 -> add = 0
    :: else
    fi;
    missed = missed - add;
    known[c % N] = count;
    add = 0
}

/* The same for slot `i`, when nothing moves any more (horus_subscriber_settle_all). */
inline settle_slot() {
    STEP(settle_slot__load_word);
    w = word[i];
    if
    :: NUMBER(w) < c + N ->
        add = voids[i] + AHEAD(TALLY(w), voids[i]) - known[i] - (NUMBER(w) >= c && IS_VOID(w));
        if
        :: add > 0 && add <= missed -> missed = missed - add; known[i] = known[i] + add
        :: else
        fi
    :: else
    fi
}

/* How many void numbers slot `i` had before the cursor came to it, from a word that stands still. */
inline learn_tally() {
    lost = 2; /* looks; 8 in C */
    do
    :: lost > 0 ->
        atomic { STEP(learn_tallies__load_word); w = word[i] }
        atomic { STEP(slot_voids__load); count = voids[i] + AHEAD(TALLY(w), voids[i]) }
        atomic {
            STEP(slot_voids__look_again);
            if
            :: word[i] == w -> break
            :: else -> lost--
            fi
        }
    :: else -> break
    od;
    atomic {
        known[i] = count - (NUMBER(w) >= c && IS_VOID(w));
        /* The two cases of section 3 in which a join may be off. */
        blurred = blurred + (lost == 0 || (NUMBER(w) < c && STATE(w) == BUSY) || NUMBER(w) >= c + N);
        lost = 0; count = 0; w = 0
    }
}
#endif

proctype subscriber(byte s) {
    byte c = N, n, a, b, i;
    byte last[PUBS]; /* the sequence number delivered last */
    short w;
#ifdef ACCOUNTS
    byte first = N, known[N], delivered, missed, skipped, count, lost, blurred, seen;
    short add;
    bit later;
#endif

#ifdef LATE
    if
    :: s == SUBS - 1 ->
        atomic { STEP(horus_ring_front__load_hint); n = hint }
        ring_front_from();
        atomic {
            c = n; n = 0;
#ifdef ACCOUNTS
            first = c;
#endif
        }
#ifdef LATCHED
        atomic { n = c; a = (c > 2 * N -> c - N : N) }
        do
        :: atomic {
               if
               :: n <= a -> break
               :: else
               fi;
               STEP(last_below__load_word);
               if
               :: NUMBER(word[(n - 1) % N]) == n - 1 && STATE(word[(n - 1) % N]) == DONE -> c = n - 1; break
               :: else -> n--
               fi
           }
        od;
        atomic {
            n = 0; a = 0;
#ifdef ACCOUNTS
            first = c;
#endif
        }
#endif
#ifdef ACCOUNTS
        for (i : 0 .. N - 1) { learn_tally() }
        i = 0
#endif
    :: else
    fi;
#endif

walk:
    atomic {
        STEP(walk__load_word);
        w = word[c % N];
        if
        :: NUMBER(w) < c -> w = 0; goto nothing
        :: NUMBER(w) > c -> goto lapped
        :: NUMBER(w) == c && STATE(w) == DONE -> goto copy
        :: NUMBER(w) == c && STATE(w) == BUSY -> goto busy
        :: else -> assert(NUMBER(w) == c)
        fi;
#ifndef ACCOUNTS
        w = 0; c++; goto walk
#endif
    }
#ifdef ACCOUNTS
    atomic { STEP(slot_voids__load); count = voids[c % N] + AHEAD(TALLY(w), voids[c % N]) }
    atomic {
        STEP(slot_voids__look_again);
        if
        :: word[c % N] == w -> settle(w, count); c++
        :: else
        fi;
        count = 0; w = 0; goto walk
    }
#endif

copy: /* DONE: delivered, if the word is still the same after the copy */
#ifdef SKIP
    if
    :: goto skip_it
    :: true
    fi;
#endif
#ifdef ACCOUNTS
    atomic { STEP(horus_subscriber_recv__load_voids); count = voids[c % N] + AHEAD(TALLY(w), voids[c % N]) }
#endif
    atomic { STEP(ring_read_slot__copy); a = half[2 * (c % N)] }
    atomic { STEP(ring_copy_out__middle); b = half[2 * (c % N) + 1] }
    atomic {
        STEP(ring_read_slot__look_again);
#ifndef MUT_second_look_dropped
        if
        :: word[c % N] != w -> w = 0; a = 0; b = 0; goto walk
        :: else
        fi;
#endif
        assert(a == b);                         /* not torn */
        assert(word[c % N] != w || a == truth[c % N]); /* and what its publisher sent under this number */
        assert(SEQUENCE(a) > last[PUBLISHER(a)]); /* in order, and no duplicate */
        last[PUBLISHER(a)] = SEQUENCE(a);
#ifdef ACCOUNTS
        settle(w, count);
        count = 0; delivered++;
#endif
        c++; w = 0; a = 0; b = 0; goto walk
    }

#ifdef SKIP
skip_it: /* horus_subscriber_skip */
#ifdef ACCOUNTS
    atomic { STEP(slot_voids__load); count = voids[c % N] + AHEAD(TALLY(w), voids[c % N]) }
    atomic {
        STEP(slot_voids__look_again);
        if
        :: word[c % N] == w -> settle(w, count); c++; skipped++
        :: else
        fi;
        count = 0; w = 0; goto walk
    }
#else
    atomic { w = 0; c++; goto walk }
#endif
#endif

lapped: /* catch_up */
    atomic { STEP(catch_up__load_hint); n = (hint > NUMBER(w) -> hint : NUMBER(w) + 1); w = 0 }
    ring_front_from();
    atomic {
        if
        :: n > c + N -> n = n - N
        :: else -> n = c + 1
        fi;
#ifdef MUT_lapped_jump_too_far
        n++;
#endif
        assert(NUMBER(word[(n - 1) % N]) >= n - 1 + N); /* what is jumped over is gone */
#ifdef JUMP
        if
        :: n = n + N / 2 /* this call was lapped often */
        :: true
        fi;
#endif
#ifdef ACCOUNTS
        missed = missed + n - c;
#endif
        c = n; n = 0; goto walk
    }

busy: /* lose_patience */
    atomic {
        STEP(lose_patience__look_behind);
        if
        :: NUMBER(word[(c + 1) % N]) < c + 1 -> goto alone
        :: else
        fi
    }
    atomic {
#ifdef NO_REVOKING
        if
        :: word[c % N] != w -> w = 0; goto walk
        :: timeout -> assert(false) /* nobody will ever come past */
        fi;
#endif
        STEP(lose_patience__swap);
        if
        :: word[c % N] == w -> w = WORD(c, TALLY(w) + PLUS_VOID, REVOKED, OWNER(w)); word[c % N] = w
        :: else -> w = 0; goto walk
        fi
    }
    slot_count_void(lose_patience__count_void, c % N, TALLY(w));
    atomic { w = 0; goto walk }

nothing:
    if
    :: NUMBER(word[c % N]) >= c -> goto walk
    :: timeout -> goto rest
    fi;
alone: /* somebody is writing the number at the cursor, and nothing waits behind it */
    if
    :: atomic { word[c % N] != w || NUMBER(word[(c + 1) % N]) > c -> w = 0; goto walk }
    :: timeout -> goto rest
    fi;

rest: /* nothing moves any more */
    atomic {
        for (i : 0 .. N - 1) { assert(NUMBER(word[i]) < c || STATE(word[i]) != DONE) } /* nothing is left unread */
#ifdef ACCOUNTS
        for (i : 0 .. N - 1) { settle_slot() }
        count = 0;
        for (i : first .. c - 1) { count = count + ((accepted >> (i - N)) & 1) }
#ifdef BLURRED
        assert(delivered + missed + skipped <= count + blurred && count <= delivered + missed + skipped + blurred);
#else
        assert(count == delivered + missed + skipped);
#endif
        assert(delivered + missed + skipped <= c - first);
#endif
        goto gone
    }

killed:
stopped:
gone:
    atomic {
        c = 0; n = 0; a = 0; b = 0; w = 0; i = 0;
        for (n : 0 .. PUBS - 1) { last[n] = 0 }
        n = 0;
#ifdef ACCOUNTS
        for (n : 0 .. N - 1) { known[n] = 0 }
        n = 0; first = 0; delivered = 0; missed = 0; skipped = 0; count = 0; lost = 0; blurred = 0; add = 0
#endif
    }
}
