"""When a process that ended is started again, and after how long."""

import pytest

from horus_plugins.launch.file.plan import RestartPolicy
from horus_plugins.launch.session.restarts import Restarts


def waits(restarts, ends, *, failed=True, lived_s=0.0, every_s=1.0):
    return [restarts.after(failed=failed, lived_s=lived_s, now_s=number * every_s) for number in range(ends)]


# spec: C29 C30 C31
@pytest.mark.parametrize(
    ("policy", "failed", "again"),
    [
        ("never", True, False),
        ("never", False, False),
        ("on-failure", True, True),
        ("on-failure", False, False),
        ("always", True, True),
        ("always", False, True),
    ],
)
def test_the_policy_says_which_ends_are_followed_by_a_restart(policy, failed, again):
    """never: none; on-failure: those with an error; always: every one."""
    restarts = Restarts(RestartPolicy(policy=policy))
    assert (restarts.after(failed=failed, lived_s=0, now_s=0) is not None) is again
    assert restarts.wants(failed=failed) is again


# spec: C30
def test_the_wait_doubles_from_100_ms_to_10_s_and_the_eleventh_end_is_final():
    """By default: ten restarts since the last stable run."""
    found = waits(Restarts(RestartPolicy(policy="on-failure")), 11)
    assert found == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0, 10.0, None]


def test_the_numbers_can_be_set():
    """max, backoff and max_backoff."""
    policy = RestartPolicy(policy="always", max=3, backoff_s=0.01, max_backoff_s=0.03)
    assert waits(Restarts(policy), 4) == [0.01, 0.02, 0.03, None]
    assert waits(Restarts(RestartPolicy(policy="always", max=0)), 1) == [None]


def test_a_stable_run_begins_anew():
    """Having lived for stable_s it waits for the first back-off again, and its restarts are not counted on."""
    restarts = Restarts(RestartPolicy(policy="always", max=2, backoff_s=0.1, stable_s=5.0))
    assert waits(restarts, 2) == [0.1, 0.2]
    assert restarts.after(failed=True, lived_s=5.0, now_s=10) == 0.1
    assert restarts.after(failed=True, lived_s=4.9, now_s=15) == 0.2
    assert restarts.after(failed=True, lived_s=4.9, now_s=20) is None
    told = [str(Restarts(RestartPolicy(policy="always", max=most, window_s=5))) for most in (1, 2)]
    assert told == ["1 restart within 5 s", "2 restarts within 5 s"]


def test_a_window_counts_the_restarts_within_it():
    """At most max within window_s: what is older is forgotten; a stable run resets the wait, not the count."""
    policy = RestartPolicy(
        policy="always", max=2, window_s=10.0, backoff_s=0.1, max_backoff_s=0.1, stable_s=3.0
    )
    restarts = Restarts(policy)
    assert [restarts.after(failed=True, lived_s=4.0, now_s=now_s) for now_s in (0, 5, 9, 10.1, 11, 15.1)] == [
        0.1,
        0.1,
        None,
        0.1,
        None,
        0.1,
    ]


def test_a_restart_by_hand_begins_anew():
    """reset() forgets what was."""
    restarts = Restarts(RestartPolicy(policy="always", max=1))
    assert waits(restarts, 2) == [0.1, None]
    restarts.reset()
    assert waits(restarts, 1) == [0.1]
