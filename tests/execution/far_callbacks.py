"""Callbacks that a worker process imports: the tests' other side."""

from __future__ import annotations

import ctypes
import os
import signal
import threading
import time

import horus

state = {"inits": 0}


def pid_tick(node):
    """Tell where it runs, and what it is told of time."""
    node.send("pids", {"pid": os.getpid(), "tick": horus.tick(), "dt": horus.dt(), "inits": state["inits"],
                       "name": node.info.name, "elapsed": horus.elapsed()})  # fmt: skip


def count_init(node):
    state["inits"] += 1
    node.send("lives", {"what": "init", "pid": os.getpid()})


def tell_shutdown(node):
    node.send("lives", {"what": "shutdown", "pid": os.getpid()})


def double(node):
    """What a planner does: an answer for each question."""
    for message in node.recv_all("questions"):
        node.send("answers", {"n": 2 * message["n"]})


def spin(node):
    """Never let go of this process's interpreter."""
    while True:
        pass


def hold_gil(node):
    """A second of C code that holds the GIL, told before and after."""
    node.send("gil", {"what": "before"})
    ctypes.PyDLL(None).usleep(900_000)
    node.send("gil", {"what": "after"})


def fail(node):
    raise OSError(5, "no GPU")


def fail_oddly(node):
    class OddError(Exception):
        def __init__(self):
            super().__init__("odd")
            self.lock = threading.Lock()

    raise OddError


def told(node, error):
    node.send("told", {"type": type(error).__name__, "text": str(error)})


def crash(node):
    os.kill(os.getpid(), signal.SIGSEGV)


def crash_once(node):
    node.send("pids", {"pid": os.getpid()})
    if horus.tick() == 2:
        os._exit(7)


def stop(node):
    node.request_stop()


def stop_and_sleep(node):
    node.send("lives", {"what": "tick", "pid": os.getpid()})
    time.sleep(3600)


def ignore_all(node):
    """Hang, and heed no request to end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    stop_and_sleep(node)


class Planner:
    """Callbacks that belong together, without an object."""

    @classmethod
    def class_tick(cls, node):
        node.send("lives", {"what": cls.__name__, "pid": os.getpid()})

    @staticmethod
    def static_tick(node):
        node.send("lives", {"what": "static", "pid": os.getpid()})


def stop_the_robot(node):
    """Engage the emergency stop, and go on ticking for a while."""
    node.emergency_stop("from afar")
    node.send("lives", {"what": "told", "pid": os.getpid()})


def safe(node):
    node.send("lives", {"what": "safe", "pid": os.getpid()})


def unsafe(node):
    raise OSError("no brake")


def tell_itself(node):
    """What it knows of itself, before it calls itself ill and well again."""
    node.send(
        "selves",
        {"left": horus.budget_remaining(), "state": node.info.state().name, "random": horus.rng_float()},
    )
    if horus.tick() == 1:
        node.info.transition_to_error("ill")
    if horus.tick() == 3:
        node.info.clear_error()
