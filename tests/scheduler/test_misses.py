"""Misses and the ladder: what follows when ticks end too late, and when they end in time again."""

from __future__ import annotations

import pytest

import horus
from horus_core import _native
from horus_core.control import estop, flights
from horus_core.errors import ConfigError
from horus_core.nodes.node import Node
from horus_core.nodes.policy import Ladder, Restart, Skip
from horus_core.scheduler.scheduler import Scheduler

PERIOD_MS = 10


@pytest.fixture
def worked(clock):
    """A node of 100 Hz whose ticks take what a list says, in ms, and the last of it for ever; and what it did."""

    def work(costs, *, duration, **options):
        seen = {"at": [], "safe": []}

        def tick():
            seen["at"].append(round(clock.ms))
            clock.spend(costs[min(len(seen["at"]), len(costs)) - 1] / 1000)

        node = Node(
            "n",
            tick=tick,
            rate=100,
            enter_safe_state=lambda: seen["safe"].append(round(clock.ms)),
            execution="best_effort",
            **options,
        )
        scheduler = Scheduler(clock=clock, name="robot").add(node)
        scheduler.run(duration)
        seen["stats"] = scheduler.get_node_stats("n")
        seen["safety"] = scheduler.safety_stats()
        return seen

    return work


@pytest.fixture
def events(namespace):
    """What the record of the last run tells, as (kind, text)."""
    from horus_core import _native

    def read():
        found = _native.FlightReader(flights.folder(namespace) / "robot.flight").events()
        return [(event["kind"], event["text"]) for event in found]

    return read


# spec: F14, B10
@pytest.mark.parametrize("limit", [{"deadline": 0.008}, {"budget": 0.008}])
def test_a_tick_that_ends_after_its_deadline_is_a_miss(worked, limit, capfd):
    """9 ms with a deadline of 8 (a budget alone is the deadline) misses and is told; 7 ms does not."""
    seen = worked([1, 9, 7, 9, 7], duration=0.1, ladder=None, **limit)
    assert seen["stats"]["missed_deadlines"] == 2
    assert seen["safety"]["deadline_misses"] == 2
    assert "WARNING n: missed its deadline of 8 ms" in capfd.readouterr().err


# spec: F14
def test_a_line_a_second_at_most(worked, events, capfd):
    """Also for misses with good ticks between them: a line takes time from the next tick. The record has all."""
    seen = worked([1] + [9, 7] * 20, duration=0.3, ladder=None, deadline=0.008)
    assert seen["stats"]["missed_deadlines"] == 15
    assert capfd.readouterr().err.count("missed its deadline") == 1
    assert [text for kind, text in events() if kind == "miss"] == ["1 in a row"] * 15


# spec: F14
def test_lateness_of_the_start_counts(clock):
    """A quick tick that was let in late, by another node, has missed: it counts from the release."""
    first = Node("slow", tick=lambda: clock.spend(0.006), rate=100, order=1)
    second = Node(
        "quick",
        tick=lambda: clock.spend(0.001),
        rate=100,
        order=2,
        deadline=0.005,
        ladder=None,
        execution="best_effort",
    )
    scheduler = Scheduler(clock=clock).add(first).add(second)
    scheduler.run(0.1)
    assert scheduler.get_node_stats("quick")["missed_deadlines"] == 9  # but not the first
    assert scheduler.get_node_stats("slow")["missed_deadlines"] == 0


def kept_waiting(clock, periods, **options):
    """A node of 100 Hz, and another on its thread that takes so many periods, once; the first one's stats."""
    scheduler = Scheduler(clock=clock, name="robot")
    quick = Node("quick", tick=lambda: None, rate=100, deadline=0.01, execution="best_effort", **options)
    hog = Node("hog", tick=lambda: clock.spend(periods / 100 * (horus.tick() == 1)), rate=2, order=101)
    scheduler.add(quick).add(hog).run(2)
    return scheduler.get_node_stats("quick")


# spec: F14
@pytest.mark.parametrize("periods", [2.5, 10, 50])
def test_a_start_that_is_late_by_more_than_a_period_is_a_miss(clock, periods):
    """The tick is as late as the oldest release that nobody served, though the node skips all but one."""
    safe = []
    stats = kept_waiting(
        clock, periods, on_miss="safe_mode", enter_safe_state=lambda: safe.append(1), ladder=None
    )
    assert (stats["missed_deadlines"], len(safe)) == (1, 1)
    assert stats["skipped_releases"] == int(periods) - 1


# spec: F14
def test_skip_leaves_out_the_next_tick_after_however_long(clock):
    """With on_miss="skip" one long wait is one miss: the node ticks again at the next release that is to come."""
    stats = kept_waiting(clock, 10.5, on_miss="skip", ladder=None)
    assert stats["missed_deadlines"] == 1


# spec: F14
def test_lateness_of_more_than_a_period_stands_in_the_record(clock, namespace):
    """So `horus blackbox` shows it."""
    kept_waiting(clock, 10)
    ticks = _native.FlightReader(flights.folder(namespace) / "robot.flight").ticks()
    assert max(late_ns for *_, late_ns, _ in ticks) == 90_000_000


def punctual(**options):
    """A node of 100 Hz that may be late by 1 ms."""
    return Node("n", rate=100, deadline=0.001, execution="best_effort", ladder=None, **options)


# spec: F14
def test_what_goes_by_in_a_restart_is_no_miss(clock):
    """However long init() takes, the tick that follows is in time."""
    fails = [3, 9]

    def tick():
        if fails and horus.tick() == fails[0]:
            raise OSError(fails.pop(0))

    node = punctual(tick=tick, init=lambda: clock.spend(0.5), failure_policy=Restart(backoff=0.015))
    scheduler = Scheduler(clock=clock).add(node)
    scheduler.run(2)
    assert fails == []
    assert scheduler.get_node_stats("n")["missed_deadlines"] == 0


# spec: F14
def test_a_rest_is_no_miss(clock):
    """Of a node that its failure policy lets rest."""
    node = punctual(tick=lambda: 1 / 0, failure_policy=Skip(max_failures=2, cooldown=0.355))
    scheduler = Scheduler(clock=clock).add(node)
    scheduler.run(2)
    stats = scheduler.get_node_stats("n")
    assert (stats["failed_ticks"], stats["missed_deadlines"]) == (12, 0)


# spec: F14
def test_pauses_other_rates_and_time_between_steps_are_no_misses(clock):
    """What was meant, or happened while nobody was to tick, makes no tick late."""
    scheduler = Scheduler(clock=clock)
    with scheduler.add(punctual(tick=lambda: None)):
        scheduler.tick_for(0.05)
        clock.spend(3)
        scheduler.tick_for(0.05)
        scheduler.pause("n")
        scheduler.tick_for(5)
        clock.spend(0.033)
        scheduler.resume("n")
        scheduler.tick_for(0.05)
        scheduler.set_node_rate("n", 77)
        scheduler.tick_for(0.5)
        clock.spend(0.5)
        scheduler.tick_once()
        stats = scheduler.get_node_stats("n")
    assert stats["total_ticks"] > 50
    assert stats["missed_deadlines"] == 0


# spec: F14, F16
def test_an_emergency_stop_is_no_miss(clock, until):
    """After its release the node ticks on in time."""
    scheduler = Scheduler(clock=clock)
    with scheduler.add(punctual(tick=lambda: None)):
        scheduler.tick_for(0.05)
        scheduler.emergency_stop("a test")
        scheduler.tick_for(2)
        before = scheduler.get_node_stats("n")["total_ticks"]
        with estop.open_topic("test") as topic:
            topic.send(estop.order_to_release("test"))
        until(lambda: not scheduler.safety_stats()["estop"]["engaged"])
        scheduler.tick_for(0.5)
        stats = scheduler.get_node_stats("n")
    assert stats["total_ticks"] > before + 40
    assert stats["missed_deadlines"] == 0


# spec: F14, F15
def test_the_first_tick_has_ten_times_the_time(worked):
    """A first tick of nearly ten deadlines is none, and makes none of the next: those releases are skipped."""
    seen = worked([79, 1], duration=0.12, deadline=0.008)
    assert seen["stats"]["missed_deadlines"] == 0
    assert seen["at"] == [0, 80, 90, 100, 110]
    assert seen["stats"]["skipped_releases"] == 7


def test_the_first_tick_may_miss(worked):
    """Ten times the time is not for ever; then the tick that it delayed was late, too."""
    assert worked([81, 1], duration=0.2, deadline=0.008)["stats"]["missed_deadlines"] == 2


# spec: F14
def test_a_node_with_neither_never_misses(worked):
    """Without budget and deadline nothing is a miss, and there is no ladder."""
    seen = worked([50], duration=2)
    assert seen["stats"]["missed_deadlines"] == 0
    assert seen["safety"]["nodes"]["n"]["health"] == "healthy"
    assert seen["safe"] == []


# spec: F14
def test_on_miss_skip_leaves_out_the_next_release(worked):
    """After a miss one release goes by; after a good tick none does."""
    seen = worked([1, 9, 1], duration=0.06, deadline=0.008, on_miss="skip", ladder=None)
    assert seen["at"] == [0, 10, 30, 40, 50]
    assert seen["stats"]["skipped_releases"] == 1


# spec: F14
def test_on_miss_safe_mode_enters_once_until_it_recovers(worked):
    """The safe state is entered once, whatever it misses; after 100 good ticks in a row the next miss does again."""
    seen = worked(
        [1, 9, 9, 1, 9, *[1] * 100, 9, 1], duration=1.3, deadline=0.008, on_miss="safe_mode", ladder=None
    )
    assert len(seen["safe"]) == 2
    assert seen["safe"] == [19, 1059]
    assert len(seen["at"]) == 130, "it ticks on"


def test_99_good_ticks_are_no_recovery(worked):
    """One tick less, and the safe mode is still the same."""
    seen = worked([1, 9, *[1] * 99, 9, 1], duration=1.3, deadline=0.008, on_miss="safe_mode", ladder=None)
    assert len(seen["safe"]) == 1


def test_on_miss_warn_does_nothing_else(worked):
    """The default enters nothing, skips nothing."""
    seen = worked([1, 9, 9, 1], duration=0.1, deadline=0.008)
    assert seen["safe"] == []
    assert len(seen["at"]) == 10


# spec: F15, B11
def test_the_ladder_warns_slows_and_isolates(worked, events):
    """3 misses in a row warn, 5 halve the rate, 10 isolate: safe state, and one tick a second to try."""
    seen = worked([1, 9], duration=3.5, deadline=0.008)
    at = seen["at"]
    assert at[:6] == [0, 10, 20, 30, 40, 50]
    assert at[6:11] == [60, 80, 100, 120, 140], "at half its rate"
    assert at[11:] == [1000, 2000, 3000], "and then one a second"
    assert seen["safe"] == [149]
    assert seen["safety"]["nodes"]["n"]["health"] == "isolated"
    assert seen["safety"]["nodes"]["n"]["safe_state"] is False, "it has ticked since"
    steps = [text.partition(":")[0] for kind, text in events() if kind == "ladder"]
    assert steps == ["warned", "slow", "isolated"]


# spec: F15, B15
def test_others_go_on_beside_an_isolated_node(clock):
    """A node on its ladder costs the others nothing but what it takes itself."""
    bad = Node(
        "bad", tick=lambda: clock.spend(0.009), rate=100, deadline=0.005, order=2, execution="best_effort"
    )
    good = Node("good", tick=lambda: None, rate=100, order=1)
    scheduler = Scheduler(clock=clock).add(bad).add(good)
    scheduler.run(5)
    assert scheduler.get_node_stats("good")["total_ticks"] == 500
    assert scheduler.safety_stats()["nodes"]["bad"]["health"] == "isolated"
    assert scheduler.safety_stats()["nodes"]["good"]["health"] == "healthy"


def test_misses_that_good_ticks_interrupt_climb_nothing(worked):
    """Two misses, one good tick, for ever: never three in a row."""
    seen = worked([1, *[9, 9, 1] * 100], duration=2, deadline=0.008)
    assert len(seen["at"]) == 200
    assert seen["safety"]["nodes"]["n"]["health"] == "healthy"


# spec: F15
def test_recovery_goes_step_by_step(worked, events):
    """After isolation each 100 good ticks lead one step back: half the rate, the whole rate, healthy."""
    seen = worked([1, *[9] * 10, 1], duration=110, deadline=0.008)
    told = [text for kind, text in events() if kind == "recovery"]
    assert told == [
        "has recovered: slow now, at 50 Hz",
        "has recovered: warned now, at 100 Hz",
        "has recovered: healthy now, at 100 Hz",
    ]
    assert seen["safety"]["nodes"]["n"] == {
        "health": "healthy", "state": "stopped", "critical": False, "missed": 10, "missed_in_row": 0, "hangs": 0,
        "safe_state": False,
    }  # fmt: skip
    probes = [at for at in seen["at"] if 1000 <= at <= 100_000]
    assert len(probes) == 100, "its probes, one a second"


# spec: F15
def test_the_ladders_thresholds_are_settable_and_it_can_be_taken_away(worked):
    """Ladder(1, 2, 3) isolates at the third miss, ladder=None never."""
    assert worked([1, 9], duration=0.5, deadline=0.008, ladder=Ladder(1, 2, 3))["safe"] == [49]


def test_without_a_ladder_nothing_is_climbed(worked):
    """ladder=None: a node may miss as often as it likes."""
    seen = worked([1, 9], duration=2, deadline=0.008, ladder=None)
    assert seen["stats"]["missed_deadlines"] == 199
    assert len(seen["at"]) == 200
    assert seen["safe"] == []


# spec: F28
def test_the_schedulers_ladder_is_for_nodes_without_one(clock):
    """Scheduler(ladder=None) takes the default from its nodes, but not what a node has of its own."""
    late = {"tick": lambda: clock.spend(0.002), "rate": 100, "deadline": 0.001, "execution": "best_effort"}
    scheduler = Scheduler(clock=clock, ladder=None)
    scheduler.add(Node("plain", **late)).add(Node("own", **late, ladder=Ladder()))
    scheduler.run(1)
    health = {name: node["health"] for name, node in scheduler.safety_stats()["nodes"].items()}
    assert health == {"plain": "healthy", "own": "isolated"}


def test_what_can_never_happen_is_said(clock):
    """on_miss= without a deadline and critical= without anything that watches are listed as degradations."""
    seen = []
    scheduler = Scheduler(clock=clock)
    node = Node(
        "n", tick=lambda: seen.extend(scheduler.degradations()), on_miss="stop", critical=True, rate=1
    )
    scheduler.add(node).run(0)
    assert [one["asked"] for one in seen] == ["on_miss='stop'", "a stop when it hangs (critical=True)"]
    assert "only its crash stops the robot" in seen[1]["why"]


@pytest.mark.parametrize(
    "bad", [{"on_miss": "explode"}, {"ladder": 3}, {"watchdog": 0}, {"watchdog": "1 s"}, {"critical": "yes"}]
)
def test_bad_values_are_refused(bad):
    """Values that mean nothing are refused at construction."""
    with pytest.raises(ConfigError):
        Node("n", tick=lambda: None, **bad)


# spec: D21
def test_before_the_first_run_there_are_no_figures():
    """safety_stats() is None until then."""
    assert Scheduler().safety_stats() is None


# spec: F15
@pytest.mark.parametrize("given", [{"deadline": 0.5}, {"deadline": 0.5, "ladder": None}, {"watchdog": 0.5}])
def test_what_stops_the_robot_for_a_critical_node_is_said(given):
    """Without a watchdog its hang does not; its crash does, and its isolation where there is a ladder to it."""
    seen = []
    given = {"critical": True, "execution": "best_effort", **given}
    node = Node("n", tick=lambda: seen.extend(scheduler.degradations()), **given)
    scheduler = Scheduler().add(node)
    scheduler.run(0)
    if "watchdog" in given:
        assert seen == []
        return
    assert seen[0]["asked"] == "a stop when it hangs (critical=True)"
    stops = "its crash stops" if "ladder" in given else "its crash and its isolation stop"
    assert seen[0]["why"] == f"it has no watchdog, and only {stops} the robot"
