"""Accounts from the journals alone: each kind of lie, loss and repetition is found."""

from __future__ import annotations

import numpy as np
import pytest
from endurance import accounts
from endurance.journal import ACCEPTED, BEGIN, RECORD, REFUSED


def _sends(count, publisher=1, refused=(), killed_at=None):
    """The journal of a publisher that sends one message a millisecond, each in 10 us."""
    rows = []
    for number in range(1, count + 1):
        rows.append((number * 1_000_000, publisher, number, 0, BEGIN, b""))
        if number == killed_at:
            break
        what = REFUSED if number in refused else ACCEPTED
        rows.append((number * 1_000_000 + 10_000, publisher, number, 0, what, b""))
    return np.array(rows, RECORD)


def _ear(runs, *, joined_ns=0, latched=False, until_ns=10**12, publisher=1, **counts):
    got = sum(last - first + 1 for first, last in runs)
    counts = {"delivered": got, "missed": 0, "skipped": 0, "pending": 0, "void": 0, "got": got, **counts}
    line = {"ear": "ear", "topic": 0, "file": "ear.1"}
    return [
        {**line, "event": "open", "t0": joined_ns, "t1": joined_ns, "latched": latched},
        *({**line, "event": "run", "publisher": publisher, "first": a, "last": b} for a, b in runs),
        {**line, "event": "stats", "t0": until_ns, "t1": until_ns, "final": True, **counts},
    ]


def _close(sends, events):
    return accounts.close(sends, events, ["topic"])


@pytest.mark.parametrize(
    ("runs", "counts"),
    [
        ([(1, 100)], {}),
        ([(1, 40), (61, 100)], {"missed": 20}),
        ([(1, 40), (61, 100)], {"missed": 5, "skipped": 15}),
        ([(1, 90)], {"pending": 10}),
    ],
)
def test_what_adds_up(runs, counts):
    """Accepted = delivered + missed + skipped + pending."""
    found = _close(_sends(100), _ear(runs, **counts))
    assert (found.faults, found.unclosed) == ([], [])
    assert (found.accepted, found.closed, found.exact) == (100, 1, 1)


def test_two_publishers_are_added():
    """Each counts from 1."""
    events = _ear([(1, 100)])
    events[2]["delivered"] = events[2]["got"] = 150
    events.insert(2, {**events[1], "publisher": 2, "last": 50})
    sends = np.concatenate([_sends(100), _sends(50, publisher=2)])
    found = _close(sends, events)
    assert (found.faults, found.unclosed, found.pairs) == ([], [], 2)


@pytest.mark.parametrize(
    ("runs", "counts", "said"),
    [
        ([(1, 99)], {}, "99"),  # one is gone, and nobody counted it
        ([(1, 100)], {"missed": 1}, "101"),
        ([(1, 100)], {"delivered": 99}, "delivered 99"),
        ([(1, 100)], {"got": 99, "delivered": 99}, "100 of them whole"),
        ([(1, 50), (50, 100)], {}, "twice or out of order"),
        ([(1, 101)], {}, "only 100 were sent"),
    ],
)
def test_what_does_not_add_up(runs, counts, said):
    """A loss that nobody counted, a count without a loss, a repetition, a message from nowhere."""
    found = _close(_sends(100), _ear(runs, **counts))
    assert said in " ".join(found.faults + found.unclosed)


def test_a_refused_message_must_not_arrive():
    """What send() returned False for was not sent."""
    sends = _sends(100, refused={50})
    assert _close(sends, _ear([(1, 49), (51, 100)])).unclosed == []
    assert "only 99 were sent" in _close(sends, _ear([(1, 100)])).faults[0]


def test_what_a_killed_publisher_did_last_may_have_been_sent_or_not():
    """Its last send has no outcome in its journal."""
    sends = _sends(100, killed_at=80)
    for last in (79, 80):
        found = _close(sends, _ear([(1, last)]))
        assert (found.faults, found.unclosed, found.unknown, found.exact) == ([], [], 1, 0)
    assert _close(sends, _ear([(1, 78)])).unclosed != []


def test_who_joins_later_gets_what_is_sent_later():
    """Messages of before the join are not missed, and must not come; on a latched topic the last one must."""
    joined_ns = 50_500_000
    assert _close(_sends(100), _ear([(51, 100)], joined_ns=joined_ns)).unclosed == []
    assert "before it joined" in _close(_sends(100), _ear([(50, 100)], joined_ns=joined_ns)).faults[0]
    assert _close(_sends(100), _ear([(50, 100)], joined_ns=joined_ns, latched=True)).faults == []
    assert _close(_sends(100), _ear([(51, 100)], joined_ns=joined_ns, latched=True)).unclosed != []


def test_a_look_in_the_middle_is_held_against_what_was_sent_by_then():
    """A look at 30.005 ms falls into the 30th send: 29 or 30."""
    for told, good in ((28, False), (29, True), (30, True), (31, False)):
        found = _close(_sends(100), _ear([(1, told)], until_ns=30_005_000))
        assert (found.unclosed == []) is good
        assert found.widest == 1


def test_counters_of_a_sender_are_held_against_its_own():
    """`sent` is what send() returned True for."""
    line = {"event": "sends", "file": "base.1", "topic": 0, "sent": 9, "refused": 1, "dropped": 0}
    assert _close(_sends(9), [{**line, "own_sent": 9, "own_refused": 1}]).faults == []
    assert "its own count (8, 1)" in _close(_sends(9), [{**line, "own_sent": 8, "own_refused": 1}]).faults[0]
