"""Images between processes: shared, held, given back by the dead, never hoarded at the camera's cost."""

from __future__ import annotations

import gc
import os
import signal
from pathlib import Path

import numpy as np
import pytest

import horus
from horus_core.errors import PoolExhaustedError
from horus_core.messages.image import Image
from horus_core.shm import pool
from horus_core.topics import Topic

SIZE = 300  # 270 kB an image


def frame(value):
    return np.full((SIZE, SIZE, 3), value, np.uint8)


HOARDER = """
topic = Topic("cam", Image)
topic.recv()
say("ready")
kept = []
while (command := hear()):
    kept.append(next_of(topic))
    say(len(kept), kept[-1].pixel(5, 5)[0], kept[-1].in_pool)
"""


def start_hoarder(peer, **env):
    hoarder = peer(HOARDER, **env)
    assert hoarder.hear() == "ready"
    return hoarder


def feed(topic, hoarder, value):
    image = Image.from_numpy(frame(value))
    stored = topic.send(image)
    if not stored:
        return stored, None, None
    hoarder.say("take")
    _, pixel, in_pool = hoarder.hear().split()
    return stored, int(pixel), in_pool == "True"


# spec: A1, A23, A24, A25, A26, A36
def test_another_process_sees_the_very_block(peer):
    """A second process gets a view of the sender's block, with all that describes the image, and no copy."""
    other = peer("""
topic = Topic("cam", Image)
topic.recv()
say("ready")
image = next_of(topic)
array = image.to_numpy()
address = array.__array_interface__["data"][0]
lines = [line for line in open("/proc/self/maps")
         if int(line.split("-")[0], 16) <= address < int(line.split()[0].split("-")[1], 16)]
say(image.height, image.width, image.encoding, image.frame_id, image.timestamp_ns, array.sum(), ".pool." in lines[0])
del image
gc.collect()
say(array.flags.writeable, pools.pool().usage()["holding"])
del array
say(pools.pool().usage()["holding"])
""")
    topic = Topic("cam", Image)
    assert other.hear() == "ready"
    pixels = np.random.default_rng(3).integers(0, 255, (1080, 1920, 3), np.uint8)
    image = Image.from_numpy(pixels)
    image.frame_id, image.timestamp_ns = "front", 99
    assert topic.send(image)
    assert other.hear() == f"1080 1920 rgb8 front 99 {pixels.sum()} True"
    assert other.hear() == "False 1"
    assert other.hear() == "0"
    assert other.end() == 0


# spec: A44, A45
def test_a_killed_subscriber_returns_its_blocks(peer, monkeypatch, until):
    """What a process held when it was killed is handed out again."""
    monkeypatch.setenv("HORUS_POOL_BUDGET", "3")
    topic = Topic("cam", Image)
    hoarder = start_hoarder(peer)
    for value in range(4):
        feed(topic, hoarder, value)
    assert pool.pool().usage()["held"] == 4
    hoarder.kill()
    for value in range(30):
        assert topic.send(Image.from_numpy(frame(value)))
    assert pool.pool().usage()["held"] == 0


def mapped_chunks(namespace):
    with Path("/proc/self/maps").open() as lines:
        return sum(f"/horus_{namespace}.pool." in line for line in lines)


CAMERA = """
topic = Topic("cam", Image)
hear()
topic.send(Image.from_numpy(np.full((300, 300, 3), 7, np.uint8)))
say("sent")
hear()
"""


def killed_camera(peer):
    """Has one image from a camera that is then killed; the image."""
    topic, camera = Topic("cam", Image), peer(CAMERA)
    camera.say("send")
    assert camera.hear() == "sent"
    image = topic.recv()
    camera.kill()
    return image


def test_who_waits_lets_go_of_a_dead_cameras_memory(peer, namespace, until):
    """Once nothing of it is held, the memory of a writer that was killed is unmapped while we wait for others."""
    image, other = killed_camera(peer), Topic("other", dict)
    assert other.wait(1.2) is False
    assert mapped_chunks(namespace) == 1
    assert image.pixel(5, 5) == (7, 7, 7)
    del image
    gc.collect()
    until(lambda: other.wait(1.2) is False and mapped_chunks(namespace) == 0)


def test_who_runs_nodes_lets_go_of_a_dead_cameras_memory(peer, namespace):
    """The same while nodes run."""
    killed_camera(peer)
    gc.collect()
    assert mapped_chunks(namespace) == 1

    def tick(node):
        if mapped_chunks(namespace) == 0:
            node.request_stop()

    horus.run(horus.Node(name="other", rate=50, tick=tick), duration=20)
    assert mapped_chunks(namespace) == 0


def test_a_hoarder_pays_with_its_own_memory(peer, monkeypatch):
    """Beyond its quota, half of the writer's budget, a process gets copies: the camera never stops."""
    monkeypatch.setenv("HORUS_POOL_BUDGET", "6")
    topic = Topic("cam", Image)
    hoarder = start_hoarder(peer)
    results = [feed(topic, hoarder, value) for value in range(60)]
    assert [pixel for _, pixel, _ in results] == list(range(60))
    in_pool = [in_pool for _, _, in_pool in results]
    assert in_pool[0]
    assert not in_pool[-1]
    assert sum(in_pool) < 20
    assert topic.dropped == 0


def test_exhaustion_drops_and_tells_but_never_stops_the_camera(peer, monkeypatch):
    """With every block held from_numpy works, send returns False and counts; Image(...) raises and names them."""
    monkeypatch.setenv("HORUS_POOL_BUDGET", "2")
    topic = Topic("cam", Image)
    hoarders, stored = [], True
    while stored:
        assert len(hoarders) < 10
        hoarders.append(start_hoarder(peer))
        held = True
        while held:  # each holds what its quota lets it, frames that the others do not hold
            stored, _, held = feed(topic, hoarders[-1], 1)
    assert not Image.from_numpy(frame(1)).in_pool
    dropped = topic.dropped
    held = pool.pool().usage()["held"]
    assert held >= 1
    for _ in range(3):
        assert topic.send(Image.from_numpy(frame(1))) is False
    assert topic.dropped == dropped + 3
    holders = "|".join(str(hoarder.process.pid) for hoarder in hoarders)
    with pytest.raises(PoolExhaustedError, match=rf"pid ({holders}) holds \d+"):
        Image(SIZE, SIZE)
    refusal = pool.pool().refusal()
    assert "HORUS_POOL_BUDGET" in refusal
    for hoarder in hoarders:
        hoarder.kill()
    assert Image(SIZE, SIZE).in_pool
    private = Image.from_numpy(frame(4))
    assert topic.send(private)


def test_a_private_image_is_copied_when_it_is_sent(monkeypatch):
    """An image that found no block when it was made is sent if there is one when it is sent."""
    monkeypatch.setenv("HORUS_POOL_BUDGET", "1")
    topic = Topic("cam", Image)
    kept = []
    while (image := Image.from_numpy(frame(len(kept)))).in_pool:
        kept.append(image)
    assert topic.send(image) is False
    assert not image.readonly
    count = len(kept)
    kept.clear()
    assert topic.send(image) is True
    assert topic.recv().pixel(0, 0)[0] == count
    assert image.readonly


# spec: A44
def test_the_last_image_of_a_dead_camera_can_be_read(peer):
    """What was sent before the sender was killed arrives."""
    camera = peer("""
topic = Topic("cam", Image)
say("ready")
hear()
topic.send(Image.from_numpy(np.full((50, 50), 42, np.uint8)))
say("sent")
hear()
""")
    assert camera.hear() == "ready"
    topic = Topic("cam", Image)
    assert topic.recv() is None
    camera.say("go")
    assert camera.hear() == "sent"
    camera.kill()
    assert topic.recv().pixel(0, 0) == 42


# spec: A46
def test_cameras_that_restart_leave_no_mapping_behind(peer):
    """A subscriber unmaps the memory of dead cameras once it holds nothing of it."""
    topic = Topic("cam", Image)
    topic.recv()
    for value in range(4):
        camera = peer(f"""
Topic("cam", Image).send(Image.from_numpy(np.full((100, 100), {value}, np.uint8)))
say("sent")
hear()
""")
        assert camera.hear() == "sent"
        assert topic.recv().pixel(0, 0) == value
        camera.kill()
    assert pool.pool().usage()["foreign_arenas"] <= 2


def test_a_fork_shares_nothing_but_what_it_may_read():
    """A forked child reads its parent's image, cannot write or free it, and sends with a pool of its own."""
    topic = Topic("cam", Image)
    image = Image.from_numpy(frame(11))
    used = pool.pool().usage()["in_use"]
    child = os.fork()
    if child == 0:
        code = 1
        try:
            good = image.readonly and image.pixel(1, 1) == (11, 11, 11)
            own = Image.from_numpy(frame(12))
            good = good and own.in_pool and Topic("cam", Image).send(own)
            good = good and Topic("cam", Image).send(image)  # as a copy in a block of the child
            image = None
            code = 0 if good else 2
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert not image.readonly
    assert pool.pool().usage()["in_use"] == used
    assert [topic.recv().pixel(0, 0)[0] for _ in range(2)] == [12, 11]
    image.to_numpy()[:] = 13
    assert topic.send(image)
    assert topic.recv().pixel(0, 0) == (13, 13, 13)


def test_a_stopped_subscriber_stops_nobody(peer):
    """A subscriber that was stopped in the middle holds what it holds; frames go on."""
    topic = Topic("cam", Image)
    hoarder = start_hoarder(peer)
    feed(topic, hoarder, 1)
    os.kill(hoarder.process.pid, signal.SIGSTOP)
    for value in range(50):
        assert topic.send(Image.from_numpy(frame(value)))
    os.kill(hoarder.process.pid, signal.SIGCONT)
    feed(topic, hoarder, 77)


def test_images_of_another_namespace_are_copied(monkeypatch, namespace):
    """An image made in one namespace can be sent in another: its block means nothing there, so it is copied."""
    image = Image.from_numpy(frame(5))
    monkeypatch.setenv("HORUS_NAMESPACE", namespace + "b")
    topic = Topic("cam", Image)
    assert topic.send(image)
    received = topic.recv()
    assert received == image
    assert not np.shares_memory(received.to_numpy(), image.to_numpy())
