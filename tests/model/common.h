/* Defaults of the settings, and the step at which a process can be killed or stopped. */
#ifndef N
#define N 2
#endif
#ifndef PUBS
#define PUBS 2
#endif
#ifndef SUBS
#define SUBS 1
#endif
#ifndef MESSAGES
#define MESSAGES 1
#endif
#ifndef TRIES
#define TRIES 2
#endif
#ifndef KILLS
#define KILLS 0
#endif
#ifndef STOPS
#define STOPS 0
#endif
#ifndef RETURNS
#define RETURNS KILLS
#endif
#ifndef TALLIES /* the tally's modulus, 64 in C */
#define TALLIES 8
#endif
#ifndef LAST /* no number above it: a process that would claim one stops there */
#define LAST (N + 2 * MESSAGES * PUBS + 4)
#endif

#define BOUND(n) if :: (n) > LAST -> goto gone :: else fi

#if KILLS && STOPS
#define STEP(name) if :: true :: kills > 0 -> kills--; goto killed :: stops > 0 -> stops--; goto stopped fi
#elif KILLS
#define STEP(name) if :: true :: kills > 0 -> kills--; goto killed fi
#elif STOPS
#define STEP(name) if :: true :: stops > 0 -> stops--; goto stopped fi
#else
#define STEP(name) skip
#endif

/* -DWITNESS_x: that x can happen is shown by an error. */
#ifdef WITNESS_refused
#define REFUSED assert(false)
#else
#define REFUSED skip
#endif
#ifdef WITNESS_exhausted
#define EXHAUSTED assert(false)
#else
#define EXHAUSTED skip
#endif
