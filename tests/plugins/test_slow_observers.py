"""Observers that take their time to be imported: a run does not wait for them, and they are told from then on."""

from __future__ import annotations

WATCH = """
import horus

@horus.hookimpl
def horus_node_started(node):
    print("{0} started", flush=True)

@horus.hookimpl
def horus_node_failed(node):
    print("{0} failed", flush=True)
"""
SLOW = """
import os, time
while not os.path.exists("go"):
    time.sleep(0.005)
""" + WATCH.format("slow")
ROBOT = """
import pathlib
import horus
from horus_core.plugins import lifecycle

def tick(node):
    pathlib.Path("go").touch()
    if len(lifecycle.listeners["horus_node_failed"]) == 2:
        node.request_stop()
        raise ValueError("now")

horus.run(horus.Node("arm", tick=tick, rate=200, failure_policy="ignore"), duration=60)
"""
ONE_TICK = "import horus\nhorus.run(horus.Node('arm', tick=lambda: None), duration=0)\nprint('ran')\n"


def test_it_is_told_from_when_its_import_ends(site):
    """The run starts without it, which is said; others are told all; it is told of what comes later."""
    site.install("acme", {"horus.lifecycle": "slow = acme"}, SLOW)
    site.install("bolt", {"horus.lifecycle": "quick = bolt"}, WATCH.format("quick"))
    done = site.python(ROBOT)
    assert done.code == 0, done
    assert done.out.splitlines() == ["quick started", "slow failed", "quick failed"]
    said = "acme 1.2 (horus.lifecycle: slow) is not imported after 1 s: it is told nothing until then"
    assert done.err.count(said) == 1


def test_one_that_never_ends_stops_no_run(site):
    """A run starts and ends while it hangs, and so does the process; a second run does not wait again."""
    site.install("acme", {"horus.lifecycle": "slow = acme"}, "import time\nwhile True: time.sleep(1)")
    done = site.python(ONE_TICK * 3)
    assert done.out == "ran\n" * 3
    assert done.err.count("is not imported after 1 s") == 1


def test_commands_that_run_nothing_import_no_observer(site):
    """Observers are imported where a scheduler starts, and nowhere else."""
    site.install("acme", {"horus.lifecycle": "slow = acme"}, WATCH)
    for arguments in (["topic", "list"], ["plugin", "list"], ["clean"]):
        assert site.horus(*arguments).code == 0
    assert site.imports == []


def test_observers_are_told_in_the_same_order_in_each_run(site):
    """By distribution, whichever was imported first."""
    site.install(
        "acme", {"horus.lifecycle": "slow = acme"}, "import time\ntime.sleep(0.1)\n" + WATCH.format("acme")
    )
    site.install("bolt", {"horus.lifecycle": "quick = bolt"}, WATCH.format("bolt"))
    assert site.python(ONE_TICK).out.splitlines() == ["acme started", "bolt started", "ran"]


def test_a_signal_while_observers_are_imported_ends_the_run(site, program):
    """Ctrl+C does not wait for them either."""
    import signal

    site.install(
        "acme",
        {"horus.lifecycle": "slow = acme"},
        "print('importing', flush=True)\nimport time\ntime.sleep(60)",
    )
    environment = {name: site.environment[name] for name in ("PYTHONPATH", "IMPORTS")}
    started = program(ONE_TICK, **environment)
    started.wait_for("importing")
    started.process.send_signal(signal.SIGINT)
    started.process.communicate(timeout=20)
    assert started.process.returncode in {0, 130, -signal.SIGINT}
