"""Scheduler(deterministic=True): simulated time, one thread, the same in every run."""

from __future__ import annotations

import threading
import time
from fractions import Fraction

import pytest

from horus_core.errors import ConfigError, NodeError, TopicTypeError
from horus_core.messages import fields  # noqa: TC001 - the definition of a message looks it up
from horus_core.messages.message import Message
from horus_core.nodes import config
from horus_core.nodes.node import Node
from horus_core.nodes.policy import Restart, Skip
from horus_core.nodes.spec import Pub, Sub
from horus_core.scheduler import clock as clocks
from horus_core.scheduler.run import run
from horus_core.scheduler.scheduler import Scheduler
from horus_core.scheduler.simulated import START_NS, Moments
from horus_core.topics.topic import Topic

SECOND = 1_000_000_000


def ms(now_ns):
    return (now_ns - START_NS) / 1e6


@pytest.fixture
def seen():
    return []


@pytest.fixture
def noting(seen):
    """Nodes that note their name and the simulated milliseconds at each tick."""

    def make(name, **keywords):
        return Node(name, tick=lambda: seen.append((name, ms(clocks.now_ns()))), **keywords)

    return make


# spec: B4, F28
def test_nodes_tick_at_their_exact_releases(noting, seen):
    """Over a simulated minute a 30 Hz and a 100 Hz node tick at every release, none early, late or skipped."""
    scheduler = Scheduler(deterministic=True).add(noting("thirty", rate=30)).add(noting("hundred", rate=100))
    scheduler.run(60)
    for name, rate in (("thirty", 30), ("hundred", 100)):
        times = [round(at * 1e6) for other, at in seen if other == name]
        assert times == [round(Fraction(k * SECOND, rate)) for k in range(60 * rate)]
    assert scheduler.get_node_stats("thirty")["skipped_releases"] == 0


def test_a_simulated_hour_takes_no_hour(noting, seen):
    """Nothing sleeps: the machine's clock has hardly moved."""
    before = time.monotonic()
    run(noting("slow", rate=0.1), duration=3600, deterministic=True)
    assert [at for _, at in seen] == [10_000 * k for k in range(360)]
    assert time.monotonic() - before < 3600


# spec: A41
def test_those_of_one_instant_tick_by_order_then_as_added(noting, seen):
    """Sensor, controller, actuator: the order decides, and after it who was added first."""
    scheduler = Scheduler(deterministic=True)
    for name, order in (("actuator", 3), ("sensor", 1), ("b", 2), ("a", 2)):
        scheduler.add(noting(name, order=order, rate=10))
    scheduler.run(0.15)
    assert [name for name, _ in seen] == ["sensor", "b", "a", "actuator"] * 2


def test_all_classes_share_one_thread_and_say_so():
    """A node that would have a thread of its own ticks on the caller's, and its class shows that."""
    threads = set()
    scheduler = Scheduler(deterministic=True)
    scheduler.add(Node("rt", tick=lambda: threads.add(threading.get_ident()), budget=0.001, rt="require"))
    scheduler.add(Node("plain", tick=lambda: threads.add(threading.get_ident())))
    scheduler.run(0.1)
    assert threads == {threading.get_ident()}
    assert scheduler.get_node_stats("rt")["class"] == "deterministic"
    assert scheduler.capabilities() == {}


# spec: F29
def test_time_stands_still_inside_a_tick():
    """However long a tick takes, now() and the budget stay; no deadline is missed; dt() is the period."""
    told = []

    def tick():
        before = clocks.now_ns(), clocks.budget_remaining()
        time.sleep(0.003)
        told.append((clocks.now_ns(), clocks.budget_remaining()) == before)
        told.append((clocks.dt(), clocks.elapsed()))

    scheduler = Scheduler(deterministic=True).add(Node("slow", tick=tick, rate=100, budget=0.001))
    scheduler.run(0.03)
    assert told == [True, (0.01, 0.0), True, (0.01, 0.01), True, (0.01, 0.02)]
    assert scheduler.get_node_stats("slow")["missed_deadlines"] == 0
    assert scheduler.get_node_stats("slow")["uptime"] == 0.03


# spec: C3
def test_tick_once_ticks_every_node_once_and_goes_on_by_the_fastest_period(noting, seen):
    """Twice by hand, then tick_for(): all nodes are back on their own grids."""
    with Scheduler(deterministic=True) as scheduler:
        scheduler.add(noting("hundred", rate=100)).add(noting("thirty", rate=30))
        scheduler.tick_once()
        scheduler.tick_once()
        assert seen == [("hundred", 0), ("thirty", 0), ("hundred", 10), ("thirty", 10)]
        seen.clear()
        scheduler.tick_for(0.03)
        assert seen == [("hundred", 20), ("hundred", 30), ("thirty", pytest.approx(100 / 3)), ("hundred", 40)]


# spec: C3
def test_tick_for_in_pieces_is_tick_for_at_once(noting, seen):
    """Pieces of 25 ms leave out no release and repeat none."""
    with Scheduler(deterministic=True) as scheduler:
        scheduler.add(noting("a", rate=30))
        for _ in range(40):
            scheduler.tick_for(0.025)
    assert [at for _, at in seen] == [pytest.approx(k * 1000 / 30) for k in range(30)]


def test_a_paused_node_is_left_out_by_tick_once(noting, seen):
    """pause() holds for every way to tick."""
    with Scheduler(deterministic=True) as scheduler:
        scheduler.add(noting("a", rate=10)).add(noting("b", rate=10))
        scheduler.tick_once()
        scheduler.pause("a")
        scheduler.tick_once()
        scheduler.resume("a")
        scheduler.tick_once()
    assert seen == [("a", 0), ("b", 0), ("b", 100), ("a", 200), ("b", 200)]


def test_failure_policies_follow_simulated_time(seen):
    """A rest of 30 s and a back-off of 0.2 s are of simulated time."""

    def tick():
        seen.append(ms(clocks.now_ns()))
        raise OSError

    skipping = Node("skipping", tick=tick, rate=1, failure_policy=Skip(max_failures=2, cooldown=30.0))
    run(skipping, duration=35, deterministic=True)
    assert seen == [0, 1000, 31000, 32000]
    seen.clear()
    restarting = Node("restarting", tick=tick, rate=10, failure_policy=Restart(max_retries=2, backoff=0.2))
    with pytest.raises(OSError):
        run(restarting, duration=10, deterministic=True)
    assert seen == [0, 300, 800]


def test_a_second_run_of_one_scheduler_is_the_first_again(seen):
    """Time and random numbers begin anew with each run."""
    node = Node("a", tick=lambda: seen.append((clocks.now_ns(), clocks.rng_float())), rate=10)
    scheduler = Scheduler(deterministic=True).add(node)
    scheduler.run(0.3)
    first = list(seen)
    seen.clear()
    scheduler.run(0.3)
    assert seen == first
    assert first[0][0] == START_NS


def _level():
    class Level(Message):
        percent: fields.f64 = 0.0

    return Level


def draws(seed, *names, deterministic=True):
    found = {name: [] for name in names}
    nodes = [
        Node(name, tick=lambda name=name: found[name].append(clocks.rng_float()), rate=10) for name in names
    ]
    scheduler = Scheduler(deterministic=deterministic, seed=seed)
    for node in nodes:
        scheduler.add(node)
    with scheduler:
        for _ in range(3):
            scheduler.tick_once()
    return found


# spec: F29
def test_random_numbers_depend_on_seed_and_node_alone():
    """Other nodes change nothing; another seed or name does; None is different each time."""
    assert draws(1, "a")["a"] == draws(1, "b", "a")["a"] == draws(1, "a", deterministic=False)["a"]
    assert len({tuple(draws(seed, name)[name]) for seed in (1, 2) for name in "ab"}) == 4
    assert draws(None, "a") != draws(None, "a")
    assert all(0 <= number < 1 for number in draws(3, "a")["a"])
    for wrong in (1.5, "1", True):
        with pytest.raises(ConfigError, match="Bad seed"):
            Scheduler(seed=wrong)


# spec: F24
def test_messages_have_simulated_ages():
    """recv_info(), age() and is_stale() tell simulated time in callbacks, of every node that looks."""
    told = []
    inlet = Topic("reading", dict)

    def watch(node):
        got = inlet.recv_info()
        if got is not None:
            told.append((ms(got[1].publish_ns), got[1].sequence, inlet.age()))
        told.append(node.is_stale("reading", 0.015))

    source = Node("source", tick=lambda node: node.send("reading", {"n": clocks.tick()}), rate=20, order=1)
    run(source, Node("watch", tick=watch, rate=100, order=2), duration=0.06, deterministic=True)
    first = [(0, 0, 0.0), False, False, True, True, True]
    assert told == [*first, (50, 1, 0.0), False]
    inlet.close()


def test_a_message_is_as_old_as_the_simulated_time_since():
    """age() of what was received grows with simulated time."""
    ages = []
    inlet = Topic("reading", dict)

    def watch():
        inlet.recv()
        ages.append(inlet.age())

    source = Node("source", tick=lambda node: node.send("reading", {}), rate=1, order=1)
    run(source, Node("watch", tick=watch, rate=4, order=2), duration=1, deterministic=True)
    assert ages == [0.0, 0.25, 0.5, 0.75]
    inlet.close()


def test_moments_are_exact_for_what_is_recent(monkeypatch):
    """Millions of moves keep bounded memory; the newest 65,536 are exact, older ones never later than they were."""
    machine = iter(range(1_000_000))
    monkeypatch.setattr(time, "monotonic_ns", lambda: next(machine))
    moments = Moments(0)
    for now in range(10, 3_000_000, 10):
        moments.note(now)
    last = 299_999
    assert len(moments._machine) <= 1 << 17
    assert all(moments.when(at) == at * 10 for at in range(last - 60_000, last))
    assert all(0 <= moments.when(at) <= at * 10 for at in range(0, last, 1000))
    assert moments.when(-5) == 0


def test_wait_does_not_wait():
    """Nothing can come while a tick runs: node.wait() says at once whether a message is there."""
    told = []

    def tick(node):
        told.append(node.wait("echo", 1000.0))
        node.send("echo", {})
        told.append(node.wait("echo", 1000.0))

    run(Node("n", tick=tick), duration=0, deterministic=True)
    assert told == [False, True]


@pytest.fixture
def events(monkeypatch):
    """Nodes with on=, also where no execution class of this process offers it."""
    monkeypatch.setattr(config, "_UNAVAILABLE", (), raising=False)


@pytest.mark.usefixtures("events")
def test_nodes_that_wait_for_topics_tick_in_the_instant_of_the_publish(noting, seen):
    """After those that were due, whatever their order; once for each instant; chains go on in the same."""
    chain = Node("first", tick=lambda node: (seen.append("first"), node.send("b", {})), on="a", order=0)
    last = Node("last", tick=lambda: seen.append("last"), on=["b", "never"], order=0)
    source = Node("source", tick=lambda node: (node.send("a", {}), node.send("a", {})), rate=10)
    run(last, chain, source, noting("plain", rate=10), duration=0.15, deterministic=True)
    assert seen == [("plain", 0), "first", "last", ("plain", 100), "first", "last"]


@pytest.mark.usefixtures("events")
def test_each_message_wakes_a_node_that_reads_one_at_a_time():
    """What is left to read wakes it again in the same instant; what it never reads wakes it once."""
    read, unread = [], []
    source = Node("source", tick=lambda node: [node.send("a", {"n": n}) for n in range(3)], rate=10)
    reads = Node("reads", tick=lambda node: read.append((ms(clocks.now_ns()), node.recv("a")["n"])), on="a")
    leaves = Node("leaves", tick=lambda: unread.append(ms(clocks.now_ns())), on="a")
    run(source, reads, leaves, duration=0.15, deterministic=True)
    assert read == [(0, 0), (0, 1), (0, 2), (100, 0), (100, 1), (100, 2)]
    assert unread == [0, 100]


@pytest.mark.usefixtures("events")
def test_a_topic_that_cannot_be_read_fails_the_node():
    """Another type than was declared: the run raises it, as it would from a tick's recv()."""
    source = Node("source", tick=lambda node: node.send("a", {}))
    sink = Node("sink", tick=lambda: None, on="a", subs=Sub("a", _level()))
    with pytest.raises(TopicTypeError):
        run(source, sink, duration=1, deterministic=True)


def test_async_ticks_are_refused():
    """Their awaits end when the machine likes."""

    async def tick():
        pass

    with pytest.raises(ConfigError, match="async|coroutine"):
        run(Node("n", tick=tick), duration=1, deterministic=True)


@pytest.mark.usefixtures("events")
def test_a_node_that_waits_for_a_topic_ticks_for_what_was_there_before():
    """The last message of a latched topic is an event for who joins later."""
    told = []
    source = Node(
        "source", pubs=Pub("a", latched=True), init=lambda node: node.send("a", {"n": 1}), tick=lambda: None
    )
    run(
        source,
        Node("sink", tick=lambda node: told.append(node.recv("a")), on="a"),
        duration=1,
        deterministic=True,
    )
    assert told == [{"n": 1}]


@pytest.mark.usefixtures("events")
def test_a_node_that_waits_for_a_topic_rests_after_failures(seen):
    """Its failure policy holds, and after the rest it wakes again."""

    def tick():
        seen.append(ms(clocks.now_ns()))
        raise OSError

    source = Node("source", tick=lambda node: node.send("a", {}), rate=1, order=1)
    sink = Node("sink", tick=tick, on="a", failure_policy=Skip(max_failures=2, cooldown=10.0))
    run(source, sink, duration=13.5, deterministic=True)
    assert seen == [0, 1000, 11000, 12000]
    seen.clear()
    sink = Node("sink", tick=tick, on="a", failure_policy=Restart(max_retries=2, backoff=3.0))
    with pytest.raises(OSError):
        run(source, sink, duration=100, deterministic=True)
    assert seen == [0, 3000, 9000]


@pytest.mark.usefixtures("events")
def test_nodes_that_wake_each_other_for_ever_are_an_error():
    """Time would never go on: the error names them."""
    kick = Node("kick", tick=lambda node: node.send("a", {}))
    ping = Node("ping", tick=lambda node: node.send("a", {}), on="b")
    pong = Node("pong", tick=lambda node: node.send("b", {}), on="a")
    with pytest.raises(NodeError, match=r"wake each other to come to rest, got '(ping|pong)' 1000 times"):
        run(kick, ping, pong, duration=1, deterministic=True)


@pytest.mark.usefixtures("events")
def test_no_watchdog_looks_at_the_wall_clock():
    """A tick that takes longer than its watchdog allows is not hung: simulated time stands still."""
    scheduler = Scheduler(deterministic=True)
    armed = []
    scheduler.add(Node("n", tick=lambda: armed.append(scheduler.watchdog), watchdog=0.001))
    scheduler.run(0)
    assert armed == [None]


def test_a_clock_of_ones_own_is_refused_beside_it(clock):
    """deterministic=True has a clock."""
    with pytest.raises(ConfigError, match="Bad clock"):
        Scheduler(deterministic=True, clock=clock)


def test_it_runs_in_the_background_and_stops():
    """start(), request_stop() from a callback, join()."""
    ticks = []

    def tick(node):
        ticks.append(clocks.tick())
        if len(ticks) == 1000:
            node.request_stop()

    scheduler = Scheduler(deterministic=True).add(Node("n", tick=tick))
    scheduler.start()
    assert scheduler.join(20)
    assert len(ticks) == 1000
