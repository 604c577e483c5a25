/* The word of a slot, and identities: part of ring.pml. number 8 bits | tally 3 | state 2 | owner 2 */
#define DONE 0
#define BUSY 1
#define VOID 2
#define HELD 3

#define WORD(n, t, s, o) (((n) << 7) | (((t) & (TALLIES - 1)) << 4) | ((s) << 2) | (o))
#define NUMBER(w) ((w) >> 7)
#define TALLY(w) (((w) >> 4) & 7)
#define STATE(w) (((w) >> 2) & 3)
#define OWNER(w) ((w) & 3)
#define IS_VOID(w) (STATE(w) >= VOID)
#define WRITING(w) (STATE(w) & BUSY) /* BUSY or HELD: somebody may be writing here */

#define IDENTITY(g, p) ((g) << 2 | (p))
#define INDEX(who) ((who) & 3)
#define GENERATION(who) ((who) >> 2)

/* Messages: 1 to MESSAGES of publisher 0, and so on. */
#define MESSAGE(p, seq) ((seq) * PUBS + (p))
#define PUBLISHER(m) ((m) % PUBS)
#define SEQUENCE(m) ((m) / PUBS)

/* From a tally, right modulo TALLIES, to a count that is right but for less than half of that. */
#define AHEAD(t, v) (((((t) - (v)) & (TALLIES - 1)) ^ (TALLIES / 2)) - TALLIES / 2)
