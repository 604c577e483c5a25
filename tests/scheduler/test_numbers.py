"""The numbers that users were promised: at each of them it happens, and one short of it nothing does."""

from __future__ import annotations

import itertools
import threading
import time

import pytest

import horus
from horus_core.control import estop
from horus_core.errors import ConfigError
from horus_core.nodes.node import Node
from horus_core.nodes.policy import Ladder, Restart, Skip
from horus_core.scheduler.scheduler import Scheduler

PERIOD_MS = 10


class BoomError(Exception):
    """What the ticks of these tests raise."""


@pytest.fixture
def told(clock):
    """Runs one node of 100 Hz for some seconds of simulated time; its scheduler."""

    def run(tick, seconds, **options):
        scheduler = Scheduler(clock=clock)
        scheduler.add(Node("n", tick=tick, rate=100, execution="best_effort", **options))
        scheduler.run(seconds)
        return scheduler

    return run


def health(scheduler):
    return scheduler.safety_stats()["nodes"]["n"]["health"]


def failing(times):
    """A tick that raises so many times, and then never."""
    left = iter(range(times))

    def tick():
        if next(left, None) is not None:
            raise BoomError

    return tick


# spec: F12, E11
@pytest.mark.parametrize(("times", "state"), [(10, "running"), (11, "error")])
def test_the_eleventh_failure_in_a_row_is_an_error(told, times, state):
    """Ten are none, and a good tick after the eleventh does not take the ERROR away: the node says when."""
    states = []
    failures = failing(times)

    def tick(node):
        states.append(node.info.state().value)
        failures()

    told(tick, 0.2, on_error=lambda: None)
    assert len(states) == 20, "it ticks on in either case"
    assert states[-1] == state


# spec: F13
@pytest.mark.parametrize(("times", "ticks"), [(4, 6000), (5, 5 + 6000 - 3004)])
def test_the_fifth_failure_in_a_row_is_a_rest_of_thirty_seconds(told, times, ticks):
    """Four are none."""
    scheduler = told(failing(times), 60, failure_policy="skip")
    assert scheduler.get_node_stats("n")["total_ticks"] == ticks


# spec: F13
def test_five_restarts_and_no_sixth(told, clock):
    """A node that fails in five lives and not in the sixth goes on; one that fails in six is fatal."""
    inits = []
    scheduler = told(failing(5), 10, init=lambda: inits.append(clock.ms), failure_policy="restart")
    assert len(inits) == 6
    assert scheduler.get_node_stats("n")["restarts"] == 5
    assert scheduler.get_node_stats("n")["state"] == "stopped"
    inits.clear()
    with pytest.raises(BoomError):
        told(failing(6), 10, init=lambda: inits.append(clock.ms), failure_policy="restart")
    assert len(inits) == 6


# spec: F13
def test_the_pause_doubles_up_to_ten_seconds(told, clock):
    """0.1, 0.2, 0.4 ... 6.4, 10, 10 s: never longer."""
    at = []
    with pytest.raises(BoomError):
        told(failing(100), 100, init=lambda: at.append(clock.ms), failure_policy=Restart(max_retries=9))
    pauses = [round((b - a) / 100) / 10 for a, b in itertools.pairwise(at)]
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]


# spec: F13
def test_the_policies_have_the_promised_numbers():
    """What "restart" and "skip" mean is what horus.Restart() and horus.Skip() say."""
    assert horus.Restart() == Restart(max_retries=5, backoff=0.1)
    assert horus.Skip() == Skip(max_failures=5, cooldown=30.0)
    assert horus.Ladder() == Ladder(warn=3, slow=5, isolate=10)
    for name, policy in (("restart", Restart()), ("skip", Skip())):
        assert Node("n", tick=print, failure_policy=name)._horus.policy == policy


# spec: F9, F14
@pytest.mark.parametrize(("keyword", "most"), [("budget", 1.0), ("deadline", 5.0)])
def test_times_of_seconds_are_taken_for_a_mistake(keyword, most):
    """A budget of 1 s and a deadline of 5 s are the longest; what is a hair longer is refused, later too."""
    Node("n", tick=print, **{keyword: most})
    with pytest.raises(ConfigError, match=rf"up to {most:g}, got {most + 0.001}.*horus\.ms"):
        Node("n", tick=print, **{keyword: most + 0.001})
    scheduler = Scheduler().add(Node("n", tick=print))
    scheduler.set_tick_budget("n", 1.0)
    with pytest.raises(ConfigError, match=r"horus\.us"):
        scheduler.set_tick_budget("n", 1.001)


# spec: F14, F15
@pytest.mark.parametrize(("ms", "missed"), [(80, 0), (80.001, 2)])
def test_the_first_tick_has_exactly_ten_deadlines(told, clock, ms, missed):
    """To the microsecond; one that is later delays the second, which has one."""
    costs = iter([ms])
    scheduler = told(lambda: clock.spend(next(costs, 0) / 1000), 0.5, deadline=0.008)
    assert scheduler.get_node_stats("n")["missed_deadlines"] == missed


# spec: F14
@pytest.mark.parametrize(("ms", "missed"), [(8, 0), (8.001, 1)])
def test_a_miss_is_later_than_the_deadline(told, clock, ms, missed):
    """A tick that ends on its deadline is in time."""
    costs = iter([0, ms])
    scheduler = told(lambda: clock.spend(next(costs, 0) / 1000), 0.5, deadline=0.008)
    assert scheduler.get_node_stats("n")["missed_deadlines"] == missed


# spec: F15
@pytest.mark.parametrize(
    ("misses", "step", "rate", "safe"),
    [
        (2, "healthy", 100, 0),
        (3, "warned", 100, 0),
        (4, "warned", 100, 0),
        (5, "slow", 50, 0),
        (9, "slow", 50, 0),
        (10, "isolated", 1, 1),
    ],
)
def test_each_step_of_the_ladder_comes_at_its_miss(told, clock, misses, step, rate, safe):
    """3 warn, 5 halve the rate, 10 isolate; one less does not."""
    entered = []
    costs = itertools.chain([0], [0.009] * misses)
    scheduler = told(
        lambda: clock.spend(next(costs, 0)), 0.19, deadline=0.008, enter_safe_state=lambda: entered.append(1)
    )
    assert health(scheduler) == step
    assert scheduler.get_node_stats("n")["rate"] == rate
    assert len(entered) == safe


# spec: F15
@pytest.mark.parametrize(("good", "step"), [(99, "warned"), (100, "healthy")])
def test_a_step_back_takes_a_hundred_good_ticks(told, clock, good, step):
    """One less leaves the node where it is."""
    costs = itertools.chain([0], [0.009] * 3)
    assert health(told(lambda: clock.spend(next(costs, 0)), (4 + good) / 100, deadline=0.008)) == step


# spec: F15
def test_a_bad_tick_on_the_way_back_begins_the_count_anew(told, clock):
    """99 good ones, a miss, 99 good ones: still warned."""
    costs = itertools.chain([0], [0.009] * 3, [0] * 99, [0.009])
    assert health(told(lambda: clock.spend(next(costs, 0)), 2.03, deadline=0.008)) == "warned"


# spec: F15
def test_isolation_does_not_enter_a_safe_state_twice(told, clock):
    """A node that on_miss="safe_mode" took there is there when its ladder isolates it."""
    entered = []
    costs = itertools.chain([0], itertools.repeat(0.009))
    scheduler = told(
        lambda: clock.spend(next(costs)),
        3,
        deadline=0.008,
        on_miss="safe_mode",
        enter_safe_state=lambda: entered.append(clock.ms),
    )
    assert health(scheduler) == "isolated"
    assert entered == [19.0], "at its first miss"


# spec: F15
def test_a_probe_is_never_faster_than_the_node_was(clock):
    """A node of 0.5 Hz that is isolated tries at a quarter of a hertz: never once a second."""
    at = []

    def tick():
        at.append(clock.ms / 1000)
        clock.spend(0.2 if len(at) > 1 else 0)

    node = Node("n", tick=tick, rate=0.5, deadline=0.1, ladder=Ladder(1, 1, 1), execution="best_effort")
    Scheduler(clock=clock).add(node).run(13)
    assert at == [0, 2, 4, 8, 12]


# spec: F15
def test_a_node_that_overran_is_never_gone_for_good(told, clock):
    """After a hundred overruns in a row it is tried once a second, and in the end ticks at its rate again."""
    ticks = []

    def tick():
        ticks.append(clock.ms)
        clock.spend(0.009 if 1 < len(ticks) <= 101 else 0)

    scheduler = told(tick, 400, deadline=0.008)
    assert scheduler.get_node_stats("n")["missed_deadlines"] == 100
    assert health(scheduler) == "healthy"
    assert [b - a for a, b in itertools.pairwise(ticks[-100:])] == [PERIOD_MS] * 99


# spec: F15
def test_the_watchdog_gives_the_first_tick_ten_times_the_time(until):
    """One that takes twice what the watchdog allows is no hang; one that takes more than ten times is."""
    ticks = []
    scheduler = Scheduler()
    slow = Node("slow", tick=lambda: ticks.append(1) or time.sleep(0.4 * (len(ticks) == 1)), watchdog=0.2)
    scheduler.add(slow).start()
    until(lambda: len(ticks) > 1)
    assert scheduler.safety_stats()["watchdog"]["hangs"] == 0
    scheduler.stop()
    assert scheduler.join(20)
    done = threading.Event()
    hanging = Scheduler().add(Node("hangs", tick=lambda: done.wait(20), watchdog=0.01))
    hanging.start()
    until(lambda: hanging.get_node_stats("hangs")["state"] == "hung")
    done.set()
    hanging.stop()
    assert hanging.join(20)


# spec: F16
def test_the_order_is_a_typed_message_that_stays(namespace):
    """`_horus.estop` carries EmergencyStop, and its last message is there for whoever opens it later."""
    with estop.open_topic("test") as topic:
        assert topic.send(estop.order_to_stop("by hand", "test"))
    with horus.Topic("_horus.estop", horus.EmergencyStop, latched=True) as late:
        order = late.recv()
    assert (order.engaged, order.reason, order.source) == (True, "by hand", "test")
    assert order.timestamp_ns > 0


@pytest.mark.parametrize(
    ("policy", "state"),
    [("ignore", "running"), ("skip", "running"), (Restart(max_retries=100), "stopped"), (None, "running")],
)
def test_a_failing_node_is_not_called_healthy(clock, policy, state):
    """Whatever its policy, also while it rests or waits for its restart; after one good tick it is healthy."""
    words = []
    ticks = []

    def tick():
        ticks.append(1)
        if len(ticks) <= 5:
            raise BoomError

    options = {"on_error": lambda: None} if policy is None else {"failure_policy": policy}
    scheduler = Scheduler(clock=clock).add(Node("n", tick=tick, rate=10, **options))
    scheduler.add(Node("other", tick=lambda: words.append(health(scheduler)), rate=10, order=200))
    scheduler.run(40)
    bad = words.index("healthy")
    assert bad >= 5
    assert set(words[:bad]) == {"failing"}
    assert set(words[bad:]) == {"healthy"}


def test_failures_in_a_row_do_not_reach_into_the_next_run(told, clock):
    """What failed at the end of one run is not counted when the same nodes run again."""
    scheduler = told(failing(100), 0.1, on_error=lambda: None)
    assert scheduler.get_node_stats("n")["state"] == "stopped"
    assert scheduler.get_node_stats("n")["failed_ticks"] == 10
    states = []
    scheduler.add(
        Node("look", tick=lambda: states.append(scheduler.get_node_stats("n")["state"]), rate=100, order=200)
    )
    scheduler.run(0.1)
    assert set(states) == {"running"}, "ten more failures are ten"
