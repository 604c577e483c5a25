"""Every run of the models: which, with which defines, and what must come of it."""

from typing import NamedTuple


class Setting(NamedTuple):
    """One run. `search` is how pan goes through the states: exhaustive; bitstate, which misses some; or cycles, which
    looks for a run that goes on for ever without anybody getting anything done. `caught`: an error must be found.
    """

    model: str
    says: str
    defines: str
    search: str = "exhaustive"
    caught: bool = False
    full: bool = False
    megabytes: int = 3000


def _mutation(model: str, name: str, defines: str) -> Setting:
    return Setting(model, f"mutation {name}", f"{defines} MUT_{name}", caught=True)


ACCOUNTS, LATE = "ACCOUNTS", "LATE BLURRED"
HELD = "ACCOUNTS HELD_ONE TRIES=1 LAST=31"

# Without a fault of ours: nothing is found; or what is found is the reason for something in the protocol.
RUNS = [
    Setting("ring", "no fault", "MESSAGES=2"),
    Setting("ring", "one kill, a newcomer or none", "KILLS=1"),
    Setting("ring", "one stop", "STOPS=1"),
    Setting("ring", "two subscribers, one late", "SUBS=2 LATE"),
    Setting("ring", "two subscribers, one late; one stop", "SUBS=2 LATE STOPS=1"),
    Setting("ring", "two subscribers, one late; one kill", "SUBS=2 LATE KILLS=1"),
    Setting("ring", "two kills, one while the other is mended", "KILLS=2", full=True),
    Setting("ring", "one kill and one stop", "KILLS=1 STOPS=1"),
    Setting("ring", "4 slots, one kill", "N=4 KILLS=1"),
    Setting("ring", "4 slots, a lapped reader that jumps further", "N=4 MESSAGES=2 JUMP"),
    Setting("ring", "late join at the newest message", "MESSAGES=2 TRIES=1 LATE LATCHED"),
    Setting("ring", "3 publishers, 2 stopped in both slots: sends return", "PUBS=3 STOPS=2 TRIES=1 SUBS=0"),
    Setting("ring", "the same: a send is refused", "PUBS=3 STOPS=2 TRIES=1 SUBS=0 WITNESS_refused", caught=True),
    Setting("ring", "3 publishers, 2 stops, a subscriber", "PUBS=3 STOPS=2 TRIES=1", full=True),
    Setting("ring", "latest, peek", "OBSERVER SUBS=0 MESSAGES=2"),
    Setting("ring", "latest, peek; 4 slots", "OBSERVER SUBS=0 N=4 MESSAGES=3 TRIES=1"),
    Setting("ring", "latest, peek; one kill", "OBSERVER SUBS=0 KILLS=1"),
    Setting("ring", "nobody goes round for ever, one kill", "KILLS=1", search="cycles"),
    Setting("ring", "nobody goes round for ever, one stop", "STOPS=1", search="cycles"),
    Setting("ring", "no number is ever taken: readers wait for the stopped", "STOPS=1 NO_REVOKING", caught=True),
    Setting("ring", "two messages each, one kill", "MESSAGES=2 KILLS=1", "bitstate", full=True),
    Setting("ring", "two subscribers, one late; two messages each, one stop",
            "SUBS=2 LATE MESSAGES=2 STOPS=1", "bitstate", full=True),
    Setting("ring", "accounts, no fault", f"{ACCOUNTS} MESSAGES=2 TRIES=1"),
    Setting("ring", "accounts, no fault, a second try", f"{ACCOUNTS} MESSAGES=2", full=True),
    Setting("ring", "accounts, one kill", f"{ACCOUNTS} KILLS=1"),
    Setting("ring", "accounts, one stop", f"{ACCOUNTS} STOPS=1"),
    Setting("ring", "accounts, one kill and one stop", f"{ACCOUNTS} KILLS=1 STOPS=1", full=True),
    Setting("ring", "accounts, two kills", f"{ACCOUNTS} KILLS=2", full=True),
    Setting("ring", "accounts, late join", f"{ACCOUNTS} {LATE} MESSAGES=2 TRIES=1"),
    Setting("ring", "accounts, late join, one kill", f"{ACCOUNTS} {LATE} KILLS=1"),
    Setting("ring", "accounts, some skipped", f"{ACCOUNTS} SKIP MESSAGES=2 TRIES=1"),
    Setting("ring", "accounts, the tally wraps (10 numbers of one slot, modulo 8)", f"{HELD} MESSAGES=10"),
    Setting("ring", "accounts, half of the tally's modulus uncounted", f"{HELD} MESSAGES=5 TALLIES=4", caught=True),
    Setting("wake", "no fault, no slice", "SUBS=2"),
    Setting("wake", "one kill, no slice: the wake dies with its publisher", "SUBS=2 KILLS=1", caught=True),
    Setting("wake", "one kill", "SUBS=2 KILLS=1 SLICE"),
    Setting("wake", "one stop", "SUBS=2 STOPS=1 SLICE"),
    Setting("wake", "one kill and one stop", "SUBS=2 KILLS=1 STOPS=1 SLICE", full=True),
    Setting("wake", "two messages each, no fault, no slice", "SUBS=2 MESSAGES=2", "bitstate", full=True),
    Setting("pool", "no fault", ""),
    Setting("pool", "no block is left: the take says so", "WITNESS_exhausted", caught=True),
    Setting("pool", "one kill, a newcomer or none", "KILLS=1"),
    Setting("pool", "one stop", "STOPS=1"),
    Setting("pool", "one kill and one stop", "KILLS=1 STOPS=1 USES=1"),
    Setting("pool", "two kills", "KILLS=2", full=True),
    Setting("pool", "3 blocks, one kill", "BLOCKS=3 KILLS=1", full=True),
    Setting("pool", "a newcomer clears its bits only where it reads", "KILLS=1 SWEEP_AT_MAPPING", caught=True),
]  # fmt: skip

# The base of each stands above, in the same setting, clean.
MUTATIONS = [
    _mutation("ring", "second_look_dropped", "MESSAGES=2"),
    _mutation("ring", "living_writer_overtaken", "MESSAGES=2"),
    _mutation("ring", "revoked_slot_free_at_once", "MESSAGES=2"),
    _mutation("ring", "commit_by_store", "MESSAGES=2"),
    _mutation("ring", "claim_without_number", "MESSAGES=2"),
    _mutation("ring", "lapped_jump_too_far", "MESSAGES=2"),
    _mutation("ring", "void_not_counted", f"{ACCOUNTS} MESSAGES=2 TRIES=1"),
    _mutation("wake", "look_before_bit", "SUBS=2"),
    _mutation("wake", "futex_looked_at_before_commit", "SUBS=2"),
    _mutation("wake", "wake_before_word", "SUBS=2"),
    _mutation("wake", "wake_one", "SUBS=2"),
    _mutation("pool", "second_look_at_generation_dropped", ""),
    _mutation("pool", "second_look_at_holds_dropped", ""),
    _mutation("pool", "bit_left_after_failed_look", ""),
    _mutation("pool", "reap_without_owning", "KILLS=1"),
    _mutation("pool", "newcomer_keeps_bits", "KILLS=1"),
]
