"""pause() holds whenever it is called: before the run, in init(), in a restart's back-off; in every class."""

from __future__ import annotations

import threading
import time

import pytest

from horus_core.nodes.node import Node
from horus_core.nodes.policy import Restart
from horus_core.scheduler.scheduler import Scheduler

BACKOFF_S = 0.3
CLASSES = pytest.mark.parametrize("options", [{}, {"rt": True}, {"compute": True}, {"on": "go"}])


class Life:
    """Of one node, which is driven by another."""

    def __init__(self, **options):
        self.log = []
        self.fails = False
        self.in_init, self.proceed = threading.Event(), threading.Event()
        self.proceed.set()
        self.other = 0
        node = Node(
            "n",
            init=self._init,
            tick=self._tick,
            shutdown=lambda: self.log.append("shutdown"),
            failure_policy=Restart(backoff=BACKOFF_S),
            **{"rate": 200} if "on" not in options else {},
            **options,
        )
        self.scheduler = Scheduler().add(node).add(Node("other", tick=self._drive, rate=200, rt=True))

    def _init(self):
        self.log.append("init")
        self.in_init.set()
        self.proceed.wait(20)

    def _tick(self, node):
        node.recv_all("go")
        self.log.append("tick")
        if self.fails:
            self.fails = False
            raise OSError

    def _drive(self, node):
        self.other += 1
        node.send("go", {})

    @property
    def state(self):
        return self.scheduler.get_node_stats("n")["state"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.proceed.set()
        self.scheduler.stop()
        assert self.scheduler.join(20)


def goes_by(life, until):
    """Time in which a node that is not held would tick."""
    before = life.other
    until(lambda: life.other > before + 20)


# spec: B12, F27
@CLASSES
def test_before_the_run(until, options):
    """The node is initialised and does not tick until resume(); the next run begins without the pause."""
    with Life(**options) as life:
        life.scheduler.pause("n")
        life.scheduler.start()
        until(lambda: life.state == "paused")
        goes_by(life, until)
        assert life.log == ["init"]
        life.scheduler.resume("n")
        until(lambda: "tick" in life.log)
        assert life.state == "running"
        life.scheduler.pause("n")
        life.scheduler.stop()
        assert life.scheduler.join(20)
        life.log.clear()
        life.scheduler.start()
        until(lambda: "tick" in life.log)


@CLASSES
def test_in_its_init(until, options):
    """The node that is being initialised is paused when that has ended."""
    with Life(**options) as life:
        life.proceed.clear()
        life.scheduler.start()
        assert life.in_init.wait(20)
        life.scheduler.pause("n")
        life.proceed.set()
        until(lambda: life.state == "paused")
        goes_by(life, until)
        assert life.log == ["init"]
        life.scheduler.resume("n")
        until(lambda: "tick" in life.log)


@CLASSES
def test_in_the_back_off_of_a_restart(until, options):
    """The restart waits for resume(); then the node is initialised, and ticks."""
    with Life(**options) as life:
        life.fails = True
        life.scheduler.start()
        until(lambda: life.state == "stopped")
        life.scheduler.pause("n")
        before = list(life.log)
        time.sleep(BACKOFF_S)
        goes_by(life, until)
        assert life.log == before == ["init", "tick", "shutdown"]
        life.scheduler.resume("n")
        until(lambda: len(life.log) > 4)
        assert life.log[3:5] == ["init", "tick"]
        assert life.state == "running"


def test_resumed_in_its_init(until):
    """A pause that was taken back before the first tick is none."""
    with Life() as life:
        life.proceed.clear()
        life.scheduler.start()
        assert life.in_init.wait(20)
        life.scheduler.pause("n")
        life.scheduler.resume("n")
        life.proceed.set()
        until(lambda: "tick" in life.log)
        assert life.state == "running"


def test_in_a_deterministic_run():
    """Before it begins, and for a node that messages wake, too."""
    ticks = []
    scheduler = Scheduler(deterministic=True)
    scheduler.add(Node("n", tick=lambda: ticks.append("n"), rate=10))
    scheduler.add(Node("ear", tick=lambda node: ticks.append(node.recv("go")["n"]), on="go"))
    scheduler.add(Node("mouth", tick=lambda node: node.send("go", {"n": len(ticks)}), rate=10))
    scheduler.pause("n")
    scheduler.pause("ear")
    with scheduler:
        scheduler.tick_for(0.5)
        assert ticks == []
        scheduler.resume("ear")
        scheduler.tick_for(0.1)
        assert ticks
        assert "n" not in ticks
