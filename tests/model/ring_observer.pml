/* Who looks without consuming (docs/protocol.md, section 1.3): part of ring.pml, with -DOBSERVER.
 *
 * One call of horus_ring_latest, or of horus_ring_peek for any number, at any time. What it returns is whole and what
 * was sent. `latest` says that there is nothing only if there was such a moment during the call, or if it was
 * overtaken at each of its LOOKS. horus_ring_sight is horus_ring_peek with fewer bytes copied; its word and its two
 * looks are the same, so it is in no model of its own. */
#ifndef LOOKS
#define LOOKS 4
#endif

proctype observer() {
    byte n, oldest, looks = LOOKS, a, b;
    short w;
    bit peek;

    atomic { observed = 1; SEE_NOTHING_DONE }
    if
    :: peek = 1
    :: true
    fi;
look:
    atomic { STEP(horus_ring_front__load_hint); n = hint }
    ring_front_from();
    oldest = (n > 2 * N -> n - N : N);
    if
    :: peek ->
        do
        :: n > oldest -> n--
        :: n > oldest -> n--; break
        :: n == oldest -> goto gone
        od;
        atomic {
            STEP(horus_ring_peek__load_word);
            w = word[n % N];
            if
            :: NUMBER(w) == n && STATE(w) == DONE
            :: else -> goto gone
            fi
        }
    :: else ->
        do
        :: atomic {
               if
               :: n == oldest -> goto nothing
               :: else
               fi;
               n--;
               STEP(newest__load_word);
               w = word[n % N];
               if
               :: NUMBER(w) == n && STATE(w) == DONE -> break
               :: NUMBER(w) > n -> goto overtaken
               :: else
               fi
           }
        od
    fi;
    atomic { STEP(ring_read_slot__copy); a = half[2 * (n % N)] }
    atomic { STEP(ring_copy_out__middle); b = half[2 * (n % N) + 1] }
    atomic {
        STEP(ring_read_slot__look_again);
#ifndef MUT_second_look_dropped
        if
        :: word[n % N] != w -> goto overtaken
        :: else
        fi;
#endif
        assert(a == b && a == truth[n % N]); /* whole, and what was sent under this number */
        goto gone
    }
overtaken:
    atomic {
        looks--; w = 0; a = 0; b = 0;
        if
        :: looks > 0 && !peek -> goto look
        :: else -> goto gone
        fi
    }
nothing:
    assert(nothing_done); /* else there was a message all the time, and `latest` did not find one */
killed:
stopped:
gone:
    atomic { n = 0; oldest = 0; looks = 0; a = 0; b = 0; w = 0; peek = 0; observed = 0; nothing_done = 0 }
}
