"""How much memory: budgets, a full /dev/shm, and nothing that leaks."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from horus_core.errors import ConfigError, PoolExhaustedError
from horus_core.messages.image import Image
from horus_core.messages.tensor import Tensor
from horus_core.shm import pool
from horus_core.topics import Topic


@pytest.mark.parametrize("value", ["", "0", "-5", "much", "nan", "inf", "1e99"])
def test_a_bad_budget_is_refused(monkeypatch, value):
    """HORUS_POOL_BUDGET takes a number of MiB above zero; anything else raises ConfigError that quotes it."""
    monkeypatch.setenv("HORUS_POOL_BUDGET", value)
    with pytest.raises(ConfigError, match="HORUS_POOL_BUDGET"):
        Image(2, 2)


def test_the_budget_is_kept(monkeypatch, namespace):
    """The pool's files never exceed the budget, and a payload that cannot fit says so."""
    monkeypatch.setenv("HORUS_POOL_BUDGET", "4")
    kept = []
    with pytest.raises(PoolExhaustedError, match=f"pid {os.getpid()} holds"):
        kept.extend(Image(500, 500) for _ in range(100))
    assert sum(path.stat().st_size for path in Path("/dev/shm").glob(f"horus_{namespace}.pool.*")) <= 4 << 20
    assert pool.pool().usage()["used_bytes"] <= 4 << 20
    with pytest.raises(PoolExhaustedError, match=r"budget of 4\.0 MiB, got 11\.4 MiB .* Enlarge /dev/shm"):
        Image(2000, 2000)


def test_a_camera_that_changes_its_resolution_gets_its_memory_back(monkeypatch):
    """Chunks of a size that is no longer used make room for those that are."""
    monkeypatch.setenv("HORUS_POOL_BUDGET", "8")
    topic = Topic("cam", Image)
    for height in (480, 600, 240, 700):
        for _ in range(100):
            assert topic.send(Image(height, 640))
    usage = pool.pool().usage()
    assert usage["used_bytes"] <= usage["budget_bytes"] == 8 << 20


def test_messages_that_grow_do_not_break_the_pool_into_pieces(monkeypatch, namespace):
    """A pool at its budget whose messages change their size all the time goes on with some dozens of chunks, and
    makes few new ones: each is a file here and a mapping in every reader, and their numbers come once.
    """
    monkeypatch.setenv("HORUS_POOL_BUDGET", "16")
    topic = Topic("map", dict)
    most = 0
    for size in range(4000):
        assert topic.send({"cells": np.zeros(512 + size % 2048)})
        most = max(most, size % 100 == 0 and len(list(Path("/dev/shm").glob(f"horus_{namespace}.pool.*"))))
    names = [path.name for path in Path("/dev/shm").glob(f"horus_{namespace}.pool.*")]
    assert most < 100
    assert max(int(name.rpartition(".")[2]) for name in names) < 300
    assert pool.pool().usage()["used_bytes"] <= 16 << 20


def test_small_payloads_take_little():
    """One small tensor costs one chunk of 64 KiB."""
    tensor = Tensor(100)
    usage = pool.pool().usage()
    assert tensor.in_pool
    assert usage["used_bytes"] <= 64 << 10


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
@pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare is not installed")
def test_a_full_dev_shm_is_an_error_with_numbers_and_no_crash():
    """In a /dev/shm of 1 MB a large image raises with need, free and what to do; small ones go on (LESSONS 12)."""
    script = """
import numpy as np
from horus_core.errors import PoolExhaustedError
from horus_core.messages.image import Image
from horus_core.topics import Topic
topic = Topic("cam", Image)
for value in range(100):
    assert topic.send(Image.from_numpy(np.full((100, 100), value, np.uint8)))
    assert topic.recv().pixel(9, 9) == value
try:
    Image(1080, 1920)
except PoolExhaustedError as error:
    print("default:", error)
import os
os.environ["HORUS_NAMESPACE"] += "b"
os.environ["HORUS_POOL_BUDGET"] = "64"
try:
    Image(1080, 1920)
except PoolExhaustedError as error:
    print("budget:", error)
image = Image.from_numpy(np.zeros((1080, 1920, 3), np.uint8))
assert not image.in_pool and image.pixel(1919, 1079) == (0, 0, 0)
"""
    command = 'mount -t tmpfs -o size=1m tmpfs /dev/shm && exec "$0" -c "$1"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", command, sys.executable, script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    default, budget = done.stdout.splitlines()
    assert "budget of 0.5 MiB" in default
    assert "--shm-size" in default
    assert "expected 5.9" in budget or "expected 6.0" in budget
    assert "--shm-size" in budget
    assert "No space left" in budget


def resident():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def everything_once(topic, image_pixels):
    image = Image.from_numpy(image_pixels)
    view = image.to_numpy()
    memoryview(image).release()
    topic.send(image)
    received = topic.recv()
    np.from_dlpack(received)
    received.roi(0, 0, 2, 2).copy().tobytes()
    received.pixel(0, 0)
    del view
    return image == received


def test_nothing_leaks():
    """A thousand frames through every public call leave no block in use and no memory behind (LESSONS 7)."""
    topic = Topic("cam", Image)
    pixels = np.zeros((64, 64, 3), np.uint8)
    for _ in range(300):
        everything_once(topic, pixels)
    gc.collect()
    before, usage = resident(), pool.pool().usage()
    for _ in range(3000):
        assert everything_once(topic, pixels)
    gc.collect()
    after = pool.pool().usage()
    assert after["in_use"] == usage["in_use"]
    assert after["used_bytes"] == usage["used_bytes"]
    assert resident() - before < 2 << 20


def test_failures_leak_nothing():
    """Errors on the way give back what was taken."""
    gc.collect()
    in_use = pool.pool().usage()["in_use"]
    image = Image(4, 4)
    for _ in range(200):
        with pytest.raises(ValueError, match="Bad payload"):
            Tensor(10)._fill(b"12")
        with pytest.raises(BufferError):
            image.__dlpack__(dl_device=(2, 0))
        with pytest.raises(ConfigError):
            Image.from_bytes(b"1", 4, 4, "mono8")
    del image
    gc.collect()
    assert pool.pool().usage()["in_use"] == in_use
