"""Every test of the pool runs in a namespace of its own, of which nothing is left."""

from __future__ import annotations

import gc
import itertools
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

SHM = Path("/dev/shm")
_count = itertools.count()


@pytest.fixture(autouse=True)
def namespace(monkeypatch):
    """A fresh namespace, current for this process and those it starts."""
    name = f"pooltest{os.getpid()}x{next(_count)}"
    monkeypatch.setenv("HORUS_NAMESPACE", name)
    monkeypatch.delenv("HORUS_POOL_BUDGET", raising=False)
    yield name
    gc.collect()
    for path in SHM.glob(f"horus_{name}*"):
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


class Peer:
    """A Python process in the same namespace. It runs `body` with `say` and `hear`, which talk to us by lines."""

    PRELUDE = """
import sys, os, gc, time
import numpy as np
from horus_core.messages.image import Image
from horus_core.topics import Topic
from horus_core.shm import pool as pools
def say(*words): print(*words, flush=True)
def hear(): return sys.stdin.readline().strip()
def next_of(topic):
    until = time.monotonic() + 20
    while time.monotonic() < until:
        message = topic.recv()
        if message is not None: return message
        time.sleep(0.0005)
    raise SystemExit("nothing came")
"""

    def __init__(self, body: str, **env: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", self.PRELUDE + body],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **env},
        )

    def say(self, *words: object) -> None:
        print(*words, file=self.process.stdin, flush=True)

    def hear(self) -> str:
        return self.process.stdout.readline().strip()

    def end(self) -> int:
        self.process.stdin.close()
        code = self.process.wait(20)
        self.process.stdout.close()
        return code

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(20)
        self.process.stdin.close()
        self.process.stdout.close()


@pytest.fixture
def peer():
    """Starts peers; those still running at the end are killed."""
    started = []

    def start(body: str, **env: str) -> Peer:
        started.append(Peer(body, **env))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.kill()


@pytest.fixture
def until():
    """Waits for a condition."""

    def wait(condition, timeout=20.0):
        end = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < end, "the state was not reached in time"
            time.sleep(0.001)

    return wait
