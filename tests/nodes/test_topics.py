"""Nodes and their topics: declared or not, by name or class, fresh, from every callback."""

from __future__ import annotations

import threading

import pytest

from horus_core.errors import ConfigError, EncodeError, InvalidNameError, TopicTypeError
from horus_core.messages.fields import f32  # noqa: TC001 - the class reads its annotations
from horus_core.messages.message import Message
from horus_core.nodes.node import Node
from horus_core.nodes.spec import Pub, Sub
from horus_core.scheduler.run import run
from horus_core.scheduler.scheduler import Scheduler
from horus_core.shm import namespace as namespaces
from horus_core.topics.topic import Topic


class Twist(Message, topic="twist"):
    linear: f32 = 0.0
    angular: f32 = 0.0


class Other(Message):
    x: f32 = 0.0


def regions(namespace):
    return {namespaces.topic_of(name) for name in namespaces.regions(namespace)} - {None, "_horus.estop"}


def ticking(*nodes):
    """A scheduler whose nodes have started and are ticked by hand."""
    scheduler = Scheduler()
    for node in nodes:
        scheduler.add(node)
    return scheduler


# spec: A2, A3, A4
def test_dicts_go_from_node_to_node():
    """A dict sent on a declared topic arrives equal; recv gives None when nothing is left."""
    seen = []

    def publish(node):
        assert node.send("sensor.temp", {"celsius": 22.5, "location": "motor_1"}) is True

    def monitor(node):
        assert node.has_msg("sensor.temp")
        seen.append(node.recv("sensor.temp"))
        assert not node.has_msg("sensor.temp")
        seen.append(node.recv("sensor.temp"))

    publisher = Node("temp_pub", pubs=["sensor.temp"], tick=publish, rate=10, order=1)
    run(publisher, Node("temp_mon", subs=["sensor.temp"], tick=monitor, rate=10, order=2), duration=0)
    assert seen == [{"celsius": 22.5, "location": "motor_1"}, None]


# spec: A7, A16, A21, F6
def test_undeclared_topics_and_class_declarations(namespace):
    """A class alone opens no region; its topic comes into being by the first send, with that type."""
    seen = []

    def tick(node):
        if not seen:
            assert regions(namespace) == set()
            assert node.get_publishers() == ["status"]
        node.send("cmd_vel", Twist(linear=1.0, angular=0.5))
        assert node.publishers() == ["status", "cmd_vel"]
        seen.append(node.recv("cmd_vel"))
        if len(seen) == 3:
            node.request_stop()

    run(Node("n", pubs=[Twist, "status"], tick=tick, rate=50))
    assert all(isinstance(message, Twist) for message in seen)
    assert seen[0].linear == 1.0


# spec: F6
@pytest.mark.parametrize(
    ("pubs", "names"),
    [
        ("output", ["output"]),
        (["a", "/b", Twist], ["a", "b"]),
        ({"a": Twist, "b": dict, "c": None}, ["a", "b", "c"]),
        ([Pub("a", Twist, capacity=8), Pub("b", latched=True), "c"], ["a", "b", "c"]),
        (Twist, []),
        (None, []),
        (("a", "b"), ["a", "b"]),
    ],
)
def test_ways_to_declare(pubs, names):
    """Strings, classes, lists that mix them, Pub objects and dicts declare; classes alone name none."""
    node = Node("n", pubs=pubs, tick=lambda: None)
    assert node.publishers() == node.get_publishers() == names


# spec: E24, F6
def test_plain_strings():
    """subs="sensor" and pubs="output" are one topic each."""
    node = Node("n", subs="sensor", pubs="output", tick=lambda: None)
    assert node.subscribers() == node.get_subscribers() == ["sensor"]
    assert node.publishers() == ["output"]


# spec: E23
def test_declared_topics_are_known_in_init():
    """get_publishers() and get_subscribers() tell what was declared, inside init() already."""
    seen = []

    def init(node):
        seen.append((node.get_publishers(), node.get_subscribers()))

    run(Node("n", pubs=["a", Twist], subs=["b", "c"], init=init, tick=lambda: None), duration=0)
    assert seen == [(["a"], ["b", "c"])]


def test_pub_and_sub_check_their_values():
    """Pub and Sub refuse what makes no sense, and each other's place."""
    for bad in (
        lambda: Pub(3),
        lambda: Pub("a", int),
        lambda: Pub("a", capacity=0),
        lambda: Pub("a", latched=1),
        lambda: Pub(Twist, Twist),
        lambda: Sub("a", depth=0),
        lambda: Sub("a", depth="all"),
        lambda: Node("n", tick=lambda: None, pubs=[Sub("a")]),
        lambda: Node("n", tick=lambda: None, subs=Pub("a")),
        lambda: Node("n", tick=lambda: None, pubs={"a": Twist}, subs={"a": Other}),
    ):
        with pytest.raises(ConfigError):
            bad()


def test_classes_as_topics():
    """A message class stands for its default topic, in send and in recv."""
    seen = []

    def tick(node):
        node.send(Twist, Twist(linear=2.0))
        seen.append((node.has_msg(Twist), node.recv("twist").linear, node.recv(Twist)))
        node.send("/twist", Twist(linear=3.0))
        seen.append(node.recv("/twist").linear)

    node = Node("n", tick=tick)
    run(node, duration=0)
    assert seen == [(True, 2.0, None), 3.0]
    assert node.publishers() == ["twist"]


@pytest.mark.parametrize("bad", [3, None, [], {}, int, Other, "a b", ""])
def test_things_that_are_no_topic(bad):
    """Anything else as a topic is an error that says what is one."""
    for use in (lambda node: node.send(bad, {}), lambda node: node.recv(bad), lambda node: node.has_msg(bad)):
        with pytest.raises(InvalidNameError, match="expected"):
            use(Node("n", tick=lambda: None))


def test_wrong_numbers_of_arguments():
    """A send takes two arguments, recv and has_msg one."""
    node = Node("n", tick=lambda: None)
    for bad in (
        lambda: node.send("a"),
        lambda: node.send("a", {}, 3),
        lambda: node.recv(*()),
        lambda: node.recv("a", 1),
    ):
        with pytest.raises(TypeError):
            bad()


# spec: A22, F7
def test_type_mismatch_is_an_error_at_the_start():
    """A node that declares another type than the topic has is refused when it connects: run() raises."""
    with Topic("cmd", Twist) as topic:
        topic.send(Twist())
        with pytest.raises(TopicTypeError, match="Twist"):
            run(Node("n", subs={"cmd": Other}, tick=lambda: None), duration=0)
        with pytest.raises(TopicTypeError):
            run(Node("n", tick=lambda node: node.send("cmd", {"x": 1})), duration=0)


# spec: F26
def test_unencodable_values_name_the_path():
    """A value that cannot travel raises EncodeError in send, and nothing is sent."""
    node = Node("n", tick=lambda: None)
    node.recv("a")
    with pytest.raises(EncodeError, match=r"\$\.pose"):
        node.send("a", {"pose": object()})
    assert node.recv("a") is None


def test_declared_capacity_and_latch():
    """Pub's capacity and latch, and the node's capacity, reach the region."""
    seen = []

    def tick(node):
        for name in ("a", "b"):
            node.send(name, Twist(linear=4.0))
            seen.append(node._horus.wiring.topics[name].capacity)

    node = Node(
        "n", pubs=[Pub("a", Twist, capacity=8, latched=True), Pub("b", Twist)], capacity=64, tick=tick
    )
    with ticking(node) as scheduler:
        scheduler.tick_once()
        assert Topic("a").recv().linear == 4.0
        assert Topic("b").recv() is None
    assert seen == [8, 64]


# spec: F5, E22
def test_recv_all_latest_wait_and_stale():
    """recv_all takes what waits, latest consumes nothing, wait waits, is_stale compares ages."""
    seen = []

    def tick(node):
        assert node.is_stale("a", max_age=1e9)
        assert node.latest("a") is None
        assert node.recv_all("a") == []
        assert node.wait("a", timeout=0.01) is False
        for i in range(3):
            node.send("a", {"i": i})
        assert node.wait("a", timeout=60) is True
        assert node.latest("a") == {"i": 2}
        assert not node.is_stale("a", max_age=60)
        assert node.is_stale("a", max_age=0.0)
        seen.extend(node.get_all("a"))
        assert node.get("a") is None

    run(Node("n", tick=tick), duration=0)
    assert seen == [{"i": 0}, {"i": 1}, {"i": 2}]


def test_wait_ends_when_the_run_is_to_stop(until):
    """A node that waits for a topic does not hold up a stop."""
    waiting = threading.Event()

    def tick(node):
        waiting.set()
        assert node.wait("never", timeout=1000) is False

    scheduler = ticking(Node("n", tick=tick))
    runner = threading.Thread(target=scheduler.run)
    runner.start()
    assert waiting.wait(20)
    scheduler.stop()
    runner.join(20)
    assert not runner.is_alive()


# ---- fresh data (SPEC F6) ----


def freshness(sub, take):
    """What a node that takes `take` messages a tick gets on its second tick, after 10 came before each."""
    ticks = []

    def tick(node):
        ticks.append([node.recv("a") for _ in range(take)])

    with Topic("a", Twist) as topic, ticking(Node("n", subs=sub, tick=tick)) as scheduler:
        for start in (0, 10):
            if start == 0:
                scheduler.tick_once()  # opens the topic; nothing is there yet
                ticks.clear()
            for i in range(10):
                topic.send(Twist(linear=start + i))
            scheduler.tick_once()
        stats = scheduler.get_all_nodes()[0]._horus.wiring.topics["a"].stats()
    return [[None if m is None else m.linear for m in got] for got in ticks], stats


# spec: F6
def test_a_node_that_drains_gets_everything():
    """A node that reads until None is given everything still in the ring."""
    ticks, stats = freshness("a", take=11)
    assert ticks == [[*range(10), None], [*range(10, 20), None]]
    assert stats["skipped"] == 0


# spec: F6
@pytest.mark.parametrize(
    ("sub", "second", "skipped"),
    [
        ("a", [16, 17], 14),
        (Sub("a"), [16, 17], 14),
        (Sub("a", depth=1), [19, None], 17),
        (Sub("a", depth=8), [12, 13], 10),
        (Sub("a", depth=None), [2, 3], 0),
    ],
)
def test_a_node_that_lags_starts_at_the_newest(sub, second, skipped):
    """A node that leaves messages starts its next tick at the newest `depth`; the others count as skipped."""
    ticks, stats = freshness(sub, take=2)
    assert ticks[0] == [0, 1]
    assert ticks[1] == second
    assert stats["skipped"] == skipped


# spec: F6
def test_undeclared_topics_are_fresh_too():
    """The rule holds for topics that were never declared."""
    ticks, stats = freshness(None, take=2)
    assert ticks[1] == [16, 17]
    assert stats["skipped"] == 14


# spec: F6, A57, A58
def test_frames_are_fresh_by_two():
    """Of frames, only the newest two are kept for a node that lags; the others count as skipped."""
    import numpy as np

    from horus_core.messages.image import Image

    seen = []

    def camera(node):
        for i in range(5):
            node.send("camera.rgb", Image.from_numpy(np.full((4, 6, 3), i, dtype=np.uint8)))

    def detect(node):
        image = node.recv("camera.rgb")
        seen.append(None if image is None else int(image.to_numpy()[0, 0, 0]))

    with ticking(
        Node("camera", pubs=[Image], tick=camera, order=1), Node("detector", subs=["camera.rgb"], tick=detect)
    ) as scheduler:
        scheduler.tick_once()
        scheduler.tick_once()
        stats = scheduler.get_all_nodes()[1]._horus.wiring.topics["camera.rgb"].stats()
    assert seen == [0, 3]
    assert stats["skipped"] + stats["missed"] == 7  # the ring holds 8 of 10


# ---- re-entrancy, threads, life ----


# spec: B16
def test_every_callback_may_send_and_receive():
    """init, tick, on_error and shutdown send and receive, and publish to each other, without a deadlock."""
    seen = []

    def use(where):
        def callback(node, *_):
            node.send("log", {"from": where})
            seen.append(node.recv("log"))
            if where == "tick":
                raise ValueError

        return callback

    node = Node(
        "n",
        init=use("init"),
        tick=use("tick"),
        on_error=lambda n, e: use("error")(n),
        shutdown=use("shutdown"),
    )
    run(node, duration=0)
    assert [message["from"] for message in seen] == ["init", "tick", "error", "shutdown"]


def test_topics_work_outside_a_run():
    """A node that does not run can send and receive: topics open when first used."""
    a, b = Node("a", tick=lambda: None), Node("b", tick=lambda: None)
    assert b.recv("x") is None
    a.send("x", {"n": 1})
    assert b.recv("x") == {"n": 1}


def test_topics_close_with_the_run(namespace):
    """After the run nothing of the namespace is left, and the node can run again."""
    node = Node("n", pubs="a", tick=lambda node: node.send("a", {}))
    for _ in range(2):
        run(node, duration=0)
        assert namespaces.regions(namespace) == []
        assert not namespaces.path(namespace).exists()


def test_messages_sent_in_shutdown_reach_others():
    """What a node sends in shutdown() (a last zero velocity) is delivered to who still runs."""
    with Topic("cmd", Twist) as topic:
        run(
            Node("n", tick=lambda: None, shutdown=lambda node: node.send("cmd", Twist(linear=0.25))),
            duration=0,
        )
        assert topic.recv().linear == 0.25


def test_threads_share_a_nodes_topics():
    """Threads of a node's own may send through it while it ticks; nothing is lost, one topic is open."""
    node = Node("n", subs=Sub("a", Twist, depth=None, capacity=4096), tick=lambda: None)
    node.recv("a")

    def work():
        for _ in range(500):
            assert node.send("a", Twist())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(node.recv_all("a")) == 2000
    assert list(node._horus.wiring.topics) == ["a"]


# spec: A41
def test_sensor_controller_actuator_in_one_pass():
    """With `order`, what the sensor sends reaches controller and actuator in the same pass, every time."""
    seen = []
    count = iter(range(1000))
    sensor = Node("sensor", order=1, tick=lambda node: node.send("scan", {"n": next(count)}))
    controller = Node(
        "controller", order=2, subs="scan", tick=lambda node: node.send("cmd", node.recv("scan"))
    )
    actuator = Node("actuator", order=3, subs="cmd", tick=lambda node: seen.append(node.recv("cmd")))
    with ticking(actuator, controller, sensor) as scheduler:
        for _ in range(20):
            scheduler.tick_once()
    assert seen == [{"n": n} for n in range(20)]
