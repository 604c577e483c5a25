"""Following a topic from outside: counts are exact, intervals are the publishers' own, and nobody notices."""

from __future__ import annotations

import os
import time

import numpy as np
import pytest

import horus
from horus_core.shm import cleaner, namespace, process, region
from horus_plugins.monitor import topic_delay, topic_find, topic_lines, topic_meter, topics
from horus_plugins.monitor.topic_meter import Meter
from horus_plugins.monitor.topic_watch import SEEN_MOST, Watch


class Scene:
    """Looks at one topic when told to, and not by time."""

    def __init__(self, where, name, window_s=60.0):
        self.meter = Meter(where, name, window_s)
        self.look()

    def look(self):
        self.meter._take(self.meter._watch.look())

    def report(self):
        self.look()
        return self.meter.report()


# spec: A51 F23
def test_counts_are_exact_however_fast_messages_come(horus_namespace):
    """Far more than the ring holds between two looks: all are counted, the newest are looked at, which is said."""
    topic = horus.Topic("fast", horus.CmdVel)
    topic.send(horus.CmdVel())  # before the first look: not counted
    scene = Scene(horus_namespace, "fast")
    (publisher,) = scene.report().publishers  # a publisher that is silent, or stopped, lives
    assert (publisher.pid, publisher.rate_hz) == (os.getpid(), 0.0)
    message = horus.CmdVel()
    begun = time.monotonic_ns()
    for _ in range(3):
        for _ in range(20_000):
            topic.send(message)
        scene.look()
    took_s = (time.monotonic_ns() - begun) / 1e9
    report = scene.report()
    assert (report.messages, report.total) == (60_000, 60_000)
    assert report.sampled
    assert report.interval_ms.seen <= 3 * SEEN_MOST
    assert report.bytes == 60_000 * 16
    assert report.rate_hz >= 40_000 / took_s  # from the first look's newest on
    assert "of them looked at" in next(topic_lines.hz(report))
    topic.close()


# spec: A51 A52
def test_intervals_and_sizes_are_of_what_was_sent(horus_namespace):
    """Publish times as recv_info tells them; sizes of dicts as encoded, of images their pixels."""
    topic, reader = horus.Topic("t", dict), horus.Topic("t")
    assert reader.recv() is None
    scene = Scene(horus_namespace, "t")
    for number in range(40):
        topic.send({"text": "x" * number})
        if number % 7 == 0:
            scene.look()
    times = []
    while (got := reader.recv_info()) is not None:
        times.append(got[1].publish_ns)
    report = scene.report()
    gaps_ms = np.diff(times) / 1e6
    assert (report.messages, report.sampled, report.interval_ms.seen) == (40, False, 39)
    assert report.interval_ms.min == pytest.approx(gaps_ms.min())
    assert report.interval_ms.max == pytest.approx(gaps_ms.max())
    assert report.interval_ms.mean == pytest.approx(gaps_ms.mean())
    assert report.interval_ms.std == pytest.approx(gaps_ms.std(), rel=1e-3, abs=1e-6)
    assert report.rate_hz == pytest.approx(39e9 / (times[-1] - times[0]))
    assert sum(report.history) == 40
    assert (report.message_bytes.min, report.message_bytes.max) == (7, 39 + 8)

    camera = horus.Topic("cam", horus.Image)
    seen = Scene(horus_namespace, "cam")
    for _ in range(3):
        camera.send(horus.Image.from_numpy(np.zeros((48, 64, 3), np.uint8)))
    report = seen.report()
    assert report.bytes == 3 * 48 * 64 * 3
    assert report.message_bytes.std == 0
    for one in (topic, reader, camera):
        one.close()


def test_several_publishers_are_told_apart(horus_namespace):
    """The counts are of the topic, the rates of each publisher its own."""
    left, right = (horus.Topic("t", dict, _node=name) for name in ("left", "right"))
    left.send({})
    right.send({})
    scene = Scene(horus_namespace, "t")
    scene.report()
    for number in range(30):
        (left if number % 3 else right).send({})
    report = scene.report()
    rates = {one.node: one.rate_hz for one in report.publishers}
    assert report.messages == 30
    assert rates["left"] == pytest.approx(2 * rates["right"])
    assert "left" in "".join(topic_lines.hz(report))
    left.close()
    right.close()


def test_it_waits_for_a_topic_and_finds_it_again_when_it_is_made_anew(horus_namespace):
    """Missing, there, gone, made anew with another type: each is told, and each message counted once."""
    scene = Scene(horus_namespace, "late")
    assert scene.report().state == topic_meter.MISSING
    assert not namespace.path(horus_namespace).exists(), "looking makes nothing"
    first = horus.Topic("late", dict)
    for number in range(3):
        first.send({"n": number})
    report = scene.report()
    assert (report.state, report.anew, report.total) == (topic_meter.PUBLISHING, True, 3)
    assert not scene.report().anew
    first.close()
    del first
    assert [name for name in cleaner.clean([horus_namespace]) if name.endswith("late")], (
        "who looks holds nothing"
    )
    assert scene.report().state == topic_meter.MISSING
    second = horus.Topic("late", horus.CmdVel)
    second.send(horus.CmdVel())
    report = scene.report()
    assert (report.anew, report.total, report.messages) == (True, 4, 1)
    second.close()


def test_silence_is_told(horus_namespace, monkeypatch):
    """A topic that stops has no rate that goes on: it is called silent, with how long."""
    topic = horus.Topic("t", dict)
    scene = Scene(horus_namespace, "t")
    topic.send({})
    topic.send({})
    assert scene.report().state == topic_meter.PUBLISHING
    later = scene.meter._watch.ring.latest_ns + 5_000_000_000
    monkeypatch.setattr(topic_meter._native, "now_ns", lambda: later)
    report = scene.report()
    assert (report.state, report.silent_s) == (topic_meter.SILENT, 5.0)
    assert "no messages for 5" in list(topic_lines.hz(report))[-1]
    topic.close()


# spec: F23
def test_who_looks_leaves_no_trace(horus_namespace):
    """No row, no mark of use, no sleeper's bit: all bytes of index and region stay as they are."""
    topic = horus.Topic("t", dict)
    topic.send({})
    files = [
        namespace.SHM / namespace.region(horus_namespace, process.INDEX),
        namespace.SHM / namespace.topic_region(horus_namespace, "t"),
    ]
    before = [file.read_bytes() for file in files]
    scene = Scene(horus_namespace, "t")
    scene.report()
    topics.topics(horus_namespace)
    assert [file.read_bytes() for file in files] == before
    topic.close()


# spec: F24
def test_delay_is_from_the_message_s_own_timestamp(horus_namespace):
    """Of both clocks; where a type has no timestamp, or it is unset, that is said. Who lags is shown with its age."""
    topic, reader = horus.Topic("t", horus.CmdVel), horus.Topic("t", _node="slow")
    assert reader.recv() is None
    delays = topic_delay.Delays(horus_namespace, "t", 60.0)
    delays._take(delays._watch.look())
    for _ in range(5):
        topic.send(horus.CmdVel(timestamp_ns=time.monotonic_ns() - 3_000_000))
    delays._take(delays._watch.look())
    report = delays.report()
    assert report.clock == topic_delay.MONOTONIC
    assert report.own_ms.seen == 5
    assert report.own_ms.min >= 3.0
    (behind,) = report.subscribers
    assert (behind.node, behind.messages) == ("slow", 5)
    assert behind.age_ms.max > 0
    for _ in range(9):
        topic.send(horus.CmdVel(timestamp_ns=time.time_ns() - 7_000_000))
    topic.send(horus.CmdVel())
    delays._take(delays._watch.look())
    report = delays.report()
    assert (report.clock, report.own_ms.seen, report.unset) == (topic_delay.CALENDAR, 9, 1)
    assert report.own_ms.mean == pytest.approx(7.0, abs=50)

    plain = horus.Topic("d", dict)
    delays = topic_delay.Delays(horus_namespace, "d", 60.0)
    delays._take(delays._watch.look())
    plain.send({"timestamp_ns": 1})
    delays._take(delays._watch.look())
    assert "a dict" in delays.report().why_not
    for one in (topic, reader, plain):
        one.close()


def test_a_topic_of_another_type_is_never_read_as_the_one_before(horus_namespace):
    """Its first messages, too: where a typed message has its timestamp, a dict has anything."""
    delays = topic_delay.Delays(horus_namespace, "t", 60.0)
    delays._take(delays._watch.look())
    with horus.Topic("t", horus.CmdVel) as typed:
        typed.send(horus.CmdVel(timestamp_ns=time.monotonic_ns()))
        delays._take(delays._watch.look())
        report = delays.report()
        assert (report.anew, report.own_ms.seen) == (True, 1), (
            "what came before the topic was found is looked at"
        )
    cleaner.clean([horus_namespace])
    with horus.Topic("t", dict) as plain:
        plain.send({"linear": 2})
        delays._take(delays._watch.look())
        report = delays.report()
    assert (report.anew, report.own_ms, report.messages) == (True, None, 1)
    assert "a dict" in report.why_not


def test_numbers_that_were_given_up_are_no_messages(horus_namespace):
    """A writer that was overtaken loses its number; what is counted is what was accepted."""
    topic, other = horus.Topic("t", dict, capacity=4), horus.Topic("t", dict)
    topic.send({})
    other.send({})
    scene = Scene(horus_namespace, "t")
    ring = scene.meter._watch.ring
    file = region.open_existing(namespace.topic_region(horus_namespace, "t"))
    slots, stride = ring.size - 4 * 256, 256
    front = ring.front
    try:  # as if a publisher stood between claim and commit, and was overtaken: BUSY in the next slot
        word = front << 16 | 1 << 8 | 2
        os.pwrite(file, word.to_bytes(8, "little"), slots + front % 4 * stride)
        os.pwrite(file, (front + 1).to_bytes(8, "little"), 128)
        for _ in range(9):
            topic.send({})
    finally:
        os.close(file)
    scene.meter._watch._troubles = ()  # a real one would have counted it as revoked
    report = scene.report()
    assert (report.messages, report.total) == (9, 9)
    topic.close()
    other.close()


def test_finding_by_type_and_by_name(horus_namespace):
    """Exact, or a pattern of the shell; HORUS's own only when asked for; what is missing gets its nearest name."""
    kept = [
        horus.Topic("front/left", horus.CmdVel),
        horus.Topic("front/right", dict),
        horus.Topic("horus.ctl.me", dict),
    ]

    def names(wanted, **options):
        return [one.name for one in topic_find.find(horus_namespace, wanted, **options).topics]

    assert names("CmdVel") == names("typed") == ["front/left"]
    assert names("front/*") == ["front/left", "front/right"]
    assert names("dict") == ["front/right"]
    assert names("dict", reserved=True) == ["front/right", "horus.ctl.me"]
    assert names("nothing") == []
    assert "Did you mean 'front/left'?" in topic_find.missing(horus_namespace, "front/lefd")
    for one in kept:
        one.close()


def test_a_region_that_cannot_be_read_is_told_as_such(horus_namespace):
    """Neither a crash nor a topic that is missing."""
    topic = horus.Topic("t", dict)
    (namespace.SHM / namespace.topic_region(horus_namespace, "broken")).write_bytes(os.urandom(8192))
    watch = Watch(horus_namespace, "broken")
    look = watch.look()
    assert not look.there
    assert "starts with other bytes" in look.error
    topic.close()
    (namespace.SHM / namespace.region(horus_namespace, process.INDEX)).unlink()
    assert "nobody lives in the namespace" in Watch(horus_namespace, "t").look().error
