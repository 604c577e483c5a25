"""A deterministic run is the same in every process: all messages of all topics, and all that callbacks are told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from horus_core.testing.namespaces import new_namespace, remove_namespace

PROGRAM = """
import hashlib, sys, time
import numpy as np
import horus

seed, awake = int(sys.argv[1]), float(sys.argv[2])
digest = hashlib.sha256()


class Heading(horus.Message, topic="heading"):
    radians: horus.f64 = 0.0
    stamp_ns: horus.u64 = 0


def sense(node):
    node.send("imu", {"n": horus.tick(), "at": horus.now(), "noise": horus.rng_float(), "tags": ["x", "y"]})


def look(node):
    pixels = np.full((48, 64, 3), int(horus.rng_float() * 256), np.uint8)
    node.send("camera", horus.Image.from_numpy(pixels))


def steer(node):
    time.sleep(awake)  # a slow computer
    readings = node.recv_all("imu")
    frame = node.latest("camera")
    light = 0 if frame is None else int(frame.to_numpy()[0, 0, 0])
    turn = sum(reading["noise"] for reading in readings) + light + horus.dt() + horus.elapsed()
    node.send("heading", Heading(radians=turn, stamp_ns=horus.now_ns()))


def map_(node):  # on the frame: in the instant in which it was sent
    frame = node.recv("camera")
    node.send("map", {"cells": frame.to_numpy()[:4, :4, 0] * horus.rng_float(), "at": horus.now_ns()})


def plan(node):
    cells = node.latest("map")
    node.send("plan", {"goal": 0.0 if cells is None else float(cells["cells"].sum()), "dice": horus.rng_float()})


def init_again(node):
    node.send("lives", {"born": horus.now(), "luck": horus.rng_float()})


def die_now_and_then():
    if horus.rng_float() < 0.05:
        raise OSError("a short circuit")


def fail_now_and_then(node):
    if horus.rng_float() < 0.2:
        raise OSError("now and then")
    node.send("luck", {"tick": horus.tick(), "stale": node.is_stale("imu", 0.004)})


inlets = {name: horus.Topic(name, capacity=1024, **{} if kind is None else {"type": kind})
          for name, kind in (("imu", dict), ("heading", Heading), ("camera", horus.Image), ("luck", dict),
                             ("map", dict), ("plan", dict), ("lives", dict))}


def contents(message):
    if isinstance(message, horus.Image):
        return message.tobytes()
    return message.to_wire() if isinstance(message, horus.Message) else repr(message).encode()


def listen():
    for name, inlet in inlets.items():
        while (got := inlet.recv_info()) is not None:
            message, info = got
            digest.update(f"{name} {info.sequence} {info.publish_ns} {info.publisher} {inlet.age()} ".encode())
            digest.update(contents(message))


horus.run(
    horus.Node("imu_driver", tick=sense, rate=100, order=1),
    horus.Node("camera_driver", tick=look, rate=30, order=1, rt=True),
    horus.Node("steering", tick=steer, rate=50, order=2, subs=horus.Sub("imu", depth=None), budget=0.001),
    horus.Node("lucky", tick=fail_now_and_then, rate=45, order=2, failure_policy=horus.Skip(3, 0.5)),
    horus.Node("mapper", tick=map_, on="camera"),
    horus.Node("planner", tick=plan, rate=20, order=2, compute=True),
    horus.Node("fragile", tick=die_now_and_then, init=init_again, rate=50, failure_policy=horus.Restart(1000, 0.05)),
    horus.Node("listener", tick=listen, rate=10, order=3),
    duration=3.0, deterministic=True, seed=seed,
)
heard = {name: inlet.stats()["delivered"] for name, inlet in inlets.items()}
assert min(heard.values()) > 3, heard
print(digest.hexdigest(), sum(heard.values()))
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    path = tmp_path_factory.mktemp("same") / "robot.py"
    path.write_text(PROGRAM, encoding="utf-8")
    return path


def outcome(program, namespace, *, seed=0, awake_s=0.0, **environment):
    """(hash of all that was sent and told, how many messages)."""
    done = subprocess.run(
        [sys.executable, "-W", "error", str(program), str(seed), str(awake_s)],
        env={**os.environ, "HORUS_NAMESPACE": namespace, "HORUS_LOG": "error", **environment},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    digest, count = done.stdout.split()
    return digest, int(count)


@pytest.fixture(scope="module")
def first(program):
    namespace = new_namespace()
    try:
        found = outcome(program, namespace)
    finally:
        remove_namespace(namespace)
    assert found[1] > 3 * (100 + 30 + 50), "the listener heard all"
    return found


# spec: F28, C3
@pytest.mark.parametrize(
    "environment",
    [{}, {"PYTHONHASHSEED": "0"}, {"PYTHONHASHSEED": "4242"}, {"HORUS_NAMESPACE_OF_ANOTHER": "1"}],
    ids=["again", "hash seed 0", "hash seed 4242", "another environment"],
)
def test_two_processes_send_the_same(program, first, other_namespace, environment):
    """Payloads, numbers, times and order of all topics, whatever the hash seed of the interpreter is."""
    assert outcome(program, other_namespace, **environment) == first


def test_a_slow_and_busy_computer_changes_nothing(program, first, other_namespace):
    """Every core is kept busy by another process, and a tick takes longer than its period."""
    hogs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        assert outcome(program, other_namespace, awake_s=0.003) == first
    finally:
        for hog in hogs:
            hog.send_signal(signal.SIGKILL)
            hog.wait()


def test_another_seed_is_another_run(program, first, other_namespace):
    """The hash has teeth: it sees the random numbers in the messages."""
    assert outcome(program, other_namespace, seed=1)[0] != first[0]
