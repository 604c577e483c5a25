"""What one handle on a topic does, in one process."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest

import horus


# spec: F24, A7
def test_what_is_sent_is_received_once_and_in_order():
    """The cursor starts at open: a handle receives what it sends itself, each message once."""
    topic = horus.Topic("t")
    assert topic.recv() is None
    assert [topic.send({"n": n}) for n in range(5)] == [True] * 5
    assert [topic.recv()["n"] for _ in range(5)] == [0, 1, 2, 3, 4]
    assert topic.recv() is None


# spec: F24
def test_every_handle_has_a_cursor_of_its_own():
    """Two subscribers each get every message."""
    publisher = horus.Topic("t", dict)
    first, second = horus.Topic("t"), horus.Topic("t")
    publisher.send({"n": 1})
    assert first.recv() == second.recv() == {"n": 1}


# spec: F24, A10
def test_a_subscriber_that_was_first_gets_the_first_message():
    """Who waits for a topic that nobody has opened misses nothing of it."""
    early = horus.Topic("t")
    assert early.recv() is None
    assert not early.has_msg()
    publisher = horus.Topic("t", horus.CmdVel)
    publisher.send(horus.CmdVel(linear=1.0))
    assert early.recv() == horus.CmdVel(linear=1.0)


# spec: F24
def test_a_late_subscriber_starts_at_the_next_message():
    """What was sent before the handle was opened is not received, but can be looked at."""
    publisher = horus.Topic("t")
    publisher.send(1)
    late = horus.Topic("t")
    assert late.recv() is None
    assert late.latest() == 1
    publisher.send(2)
    assert late.recv() == 2


# spec: F24
def test_a_latched_topic_gives_the_last_message_to_late_joiners():
    """Latched: the last message, once, and then the rest without a gap."""
    publisher = horus.Topic("t", latched=True)
    for n in range(3):
        publisher.send(n)
    late = horus.Topic("t")
    publisher.send(3)
    assert late.recv_all() == [2, 3]


# spec: F24, B19, A65
def test_a_full_ring_drops_the_oldest_and_counts_exactly():
    """Keep-last-N: a lapped subscriber continues at the oldest whole message, and `missed` is exact."""
    topic = horus.Topic("t", capacity=16)
    for n in range(100):
        topic.send(n)
    assert topic.has_msg()
    assert (topic.missed, topic.pending) == (84, 16)
    assert topic.recv_all() == list(range(84, 100))
    assert topic.stats()["delivered"] == 16


# spec: F24
def test_capacity_is_rounded_up_and_an_existing_one_wins(caplog):
    """The creator settles the capacity; whoever wants another is told so, and works."""
    first = horus.Topic("t", dict, capacity=20)
    second = horus.Topic("t", dict, capacity=64)
    assert (first.capacity, second.capacity) == (32, 32)
    assert "keeps 32 messages" in caplog.text


# spec: F24
def test_latest_and_history_consume_nothing():
    """Looking back leaves the cursor where it is."""
    topic = horus.Topic("t", capacity=8)
    for n in range(20):
        topic.send(n)
    assert topic.latest() == 19
    assert topic.history(3) == [17, 18, 19]
    assert topic.history(100) == list(range(12, 20))
    assert topic.history(0) == []
    assert topic.recv() == 12


# spec: F24
def test_recv_info_tells_time_number_and_publisher():
    """Info: when it was published, its number from 0, and the node that sent it."""
    topic = horus.Topic("t", _node="arm")
    before = horus.now_ns()
    topic.send("a")
    topic.send("b")
    assert topic.recv_info()[1].sequence == 0
    message, info = topic.recv_info()
    assert (message, info.sequence, info.publisher) == ("b", 1, "arm")
    assert before <= info.publish_ns <= horus.now_ns()
    assert topic.recv_info() is None
    assert topic.age() >= 0


# spec: F24, E22
def test_stale_means_older_than_or_never():
    """is_stale looks at the newest message in the ring and consumes nothing."""
    topic = horus.Topic("t")
    assert topic.is_stale(1e9)
    topic.send(1)
    assert not topic.is_stale(1e9)
    assert topic.is_stale(0.0)
    assert topic.recv() == 1


# spec: F24
def test_wait_ends_with_a_message_or_with_the_time():
    """wait() returns True when a message is there, False when time is up, also on a topic that nobody opened."""
    topic = horus.Topic("t")
    assert not topic.wait(0.01)
    waiting = threading.Thread(target=lambda: horus.Topic("t").send(1))
    waiting.start()
    assert topic.wait(20)
    assert topic.recv() == 1
    waiting.join()
    assert not topic.wait(0.0)


# spec: F24
def test_close_ends_a_wait_in_another_thread():
    """A thread that sleeps in wait() goes on when the handle is closed."""
    topic = horus.Topic("t", dict)
    results = []
    thread = threading.Thread(target=lambda: results.append(topic.wait(20)))
    thread.start()
    topic.close()
    thread.join(20)
    assert results == [False]
    with pytest.raises(horus.HorusError, match="is closed"):
        topic.send(1)
    with pytest.raises(horus.HorusError, match="is closed"):
        topic.recv()


# spec: F24
def test_awaiting_lets_the_loop_run_on():
    """recv_async and `async for` wait without stopping other tasks."""

    async def scenario():
        topic, publisher = horus.Topic("t"), horus.Topic("t", dict)
        ticks = 0

        async def count():
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0)

        counter = asyncio.create_task(count())
        first = asyncio.create_task(topic.recv_async())
        while ticks < 10:
            await asyncio.sleep(0)
        publisher.send({"n": 0})
        assert await asyncio.wait_for(first, 20) == {"n": 0}
        for n in range(1, 4):
            publisher.send({"n": n})
        got = []
        async for message in topic:
            got.append(message["n"])
            if len(got) == 3:
                break
        counter.cancel()
        return got

    assert asyncio.run(scenario()) == [1, 2, 3]


# spec: B5, B7, F24
def test_the_backend_is_what_the_topology_is():
    """Nothing needs choosing; what connects the participants can be seen, and other names are refused."""
    topic = horus.Topic("t", dict)
    topic.send(1)
    assert topic.backend == "same-thread"
    made = []

    def other():
        made.append(horus.Topic("t"))
        made[0].recv()

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert topic.backend == "same-process"
    with pytest.raises(horus.PluginError, match="a backend named 'pigeon', got 'local'"):
        horus.Topic("u", backend="pigeon")
    with pytest.raises(horus.ConfigError, match="the name of one"):
        horus.Topic("u", backend=7)


# spec: F24
def test_a_class_stands_for_its_default_topic():
    """Topic(CmdVel) is the topic cmd_vel of that type; a class without a default needs a name."""
    with horus.Topic(horus.CmdVel) as topic:
        assert (topic.name, topic.type) == ("cmd_vel", horus.CmdVel)
    with pytest.raises(horus.ConfigError, match="Vector3"):
        horus.Topic(horus.Vector3)


# spec: F4
@pytest.mark.parametrize("name", ["", "a b", "ä", "a//b", "a/../b", "../x", "a" * 129, "a\n", 7])
def test_bad_names_are_refused(name):
    """One rule for all names, and the error says it."""
    with pytest.raises((horus.InvalidNameError, horus.ConfigError)):
        horus.Topic(name)


# spec: F4
@pytest.mark.parametrize("name", ["horus.stats", "_horus.anything", "_horus.estop2", "horus.ctl."])
def test_reserved_names_are_read_by_all_and_written_by_the_framework(name):
    """Nobody but HORUS itself publishes on a name of its own; subscribing is free, a node learns it when made."""
    topic = horus.Topic(name)
    with pytest.raises(horus.InvalidNameError, match=f"{name!r}.*reserved"):
        topic.send({"a": 1})
    with pytest.raises(horus.InvalidNameError, match="reserved"):
        horus.Node("n", pubs=name, tick=lambda: None)
    framework = horus.Topic(name, dict, _framework=True)
    assert framework.send({"a": 1})
    assert topic.recv() == {"a": 1}
    node = horus.Node("n", subs=name, tick=lambda: None)
    with pytest.raises(horus.InvalidNameError, match="reserved"):
        node.send(name, {"a": 1})


# spec: F4 F16
@pytest.mark.parametrize(
    "name", ["_horus.estop", "horus.ctl.camera", "horus.ctl.camera.reply", "horus.launch.ctl.one"]
)
def test_control_topics_take_orders_from_everybody(name):
    """Tools and nodes send to schedulers and launchers: these reserved names are open."""
    horus.Node("n", pubs=name, tick=lambda: None)
    topic = horus.Topic(name, dict)
    assert topic.send({"cmd": "StopNode"})
    assert topic.recv() == {"cmd": "StopNode"}


# spec: F4
def test_a_leading_slash_is_the_same_topic():
    """/arm/cmd and arm/cmd are one topic."""
    absolute, relative = horus.Topic("/arm/cmd", dict), horus.Topic("arm/cmd")
    absolute.send(1)
    assert relative.recv() == 1


# spec: F24
@pytest.mark.parametrize("capacity", [0, -1, 2**21, "8", 1.5])
def test_bad_capacities_are_refused(capacity):
    """Capacity: expected, got."""
    with pytest.raises(horus.ConfigError, match="capacity"):
        horus.Topic("t", capacity=capacity)


# spec: F24
def test_stats_are_json():
    """Every figure of a handle can be written as JSON."""
    topic = horus.Topic("t")
    topic.send(1)
    figures = json.loads(json.dumps(topic.stats()))
    assert (figures["sent"], figures["pending"], figures["type"]) == (1, 1, "dict")


# spec: F24
def test_threads_share_a_handle():
    """Sends of several threads through one handle all arrive, and each thread's stay in order."""
    topic = horus.Topic("t", capacity=4096)

    def send(thread):
        for n in range(1000):
            assert topic.send((thread, n))

    threads = [threading.Thread(target=send, args=(k,)) for k in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    got = topic.recv_all()
    assert len(got) == 3000
    for k in range(3):
        assert [n for thread, n in got if thread == k] == list(range(1000))


# spec: A22, F7, A63
def test_sending_another_type_is_an_error_and_logged(caplog):
    """A typed topic refuses dicts and other classes, naming both; nothing is sent."""
    topic = horus.Topic("t", horus.CmdVel)
    for wrong in ({"linear": 1.0}, horus.Twist(), horus.Image(4, 4)):
        with pytest.raises(horus.TopicTypeError, match="Type mismatch on topic 't'.*CmdVel"):
            topic.send(wrong)
    assert "Type mismatch" in caplog.text
    assert topic.recv() is None


# spec: A22, F7
@pytest.mark.parametrize("make", [horus.CmdVel, lambda: horus.Image(2, 2)], ids=["typed", "image"])
def test_a_dict_topic_refuses_messages(make):
    """The mismatch is named as such also once the handle has published."""
    topic = horus.Topic("t")
    topic.send({"a": 1})
    with pytest.raises(horus.TopicTypeError, match="expected dict"):
        topic.send(make())


# spec: F7
def test_a_mismatch_at_opening_names_fields_and_creator():
    """Same name with another layout: both types, the differing field, and who created the topic."""
    mine = type("State", (horus.Message,), {"__annotations__": {"width": horus.f64}})
    keep = horus.Topic("t", mine, _node="maker")
    other = type("State", (horus.Message,), {"__annotations__": {"width": horus.f32}})
    with pytest.raises(
        horus.TopicTypeError, match=r"width: f64 in the topic, f32 in yours.*created by node 'maker'"
    ):
        horus.Topic("t", other)
    keep.close()


# spec: F7
def test_a_region_that_nobody_uses_is_replaced():
    """What a dead process left is never a mismatch."""
    horus.Topic("t", horus.CmdVel).close()
    topic = horus.Topic("t", dict)
    topic.send({"a": 1})
    assert topic.recv() == {"a": 1}


# spec: E3
def test_a_class_defined_again_is_the_same_type():
    """A notebook cell run twice gives another class of the same layout: both sides go on."""

    def define():
        class Grip(horus.Message):
            width: horus.f64 = 0.0

        return Grip

    first, second = define(), define()
    topic = horus.Topic("t", first)
    assert topic.send(second(width=2.0))
    assert topic.recv().width == 2.0
    assert horus.Topic("t", second).latest().width == 2.0


# spec: F7
def test_the_type_that_a_dead_process_left_binds_nobody():
    """A handle without a type that finds a left-over region gives it the type of its first send."""
    horus.Topic("t", horus.CmdVel).close()
    topic = horus.Topic("t")
    assert topic.recv() is None
    assert topic.send({"a": 1})
    assert topic.type is dict
    assert topic.recv() == {"a": 1}


# spec: F7
def test_the_type_of_another_handle_binds():
    """Left over is only what no other handle uses."""
    keep = horus.Topic("t", horus.CmdVel)
    topic = horus.Topic("t")
    with pytest.raises(horus.TopicTypeError, match="expected CmdVel"):
        topic.send({"a": 1})
    assert keep.type is horus.CmdVel


# spec: F24
def test_a_handle_that_came_first_sees_who_is_there():
    """What a handle tells of its topic is true also before its first send or recv."""
    early = horus.Topic("t")
    assert (early.type, early.capacity, early.publishers, early.subscribers) == (None, None, [], [])
    reader = horus.Topic("t", dict, capacity=8, _node="reader")
    assert reader.recv() is None
    assert early.subscribers == ["reader"]
    assert (early.type, early.capacity, early.publishers) == (dict, 8, [])
    assert reader.send({"a": 1})
    assert early.recv() == {"a": 1}, "looking moved no cursor"


# spec: F24
@pytest.mark.parametrize("read", [lambda topic: topic.latest(), lambda topic: topic.history(3)])
def test_who_only_looks_is_a_subscriber_too(read):
    """Also on a topic that was there before its first look."""
    publisher = horus.Topic("t", dict)
    reader = horus.Topic("t", _node="reader")
    read(reader)
    assert publisher.subscribers == ["reader"]
