"""SIGINT and SIGTERM: real processes, real signals."""

from __future__ import annotations

import signal
import subprocess

import pytest

PROGRAM = """
import os, signal, time
from horus_core.nodes.node import Node
from horus_core.scheduler.run import run

def say(text):
    print(text, flush=True)

def quick():
    say("tick")

def sleeping():
    say("tick")
    time.sleep(1000)

def holding_the_gil():
    import itertools
    say("tick")
    sum(itertools.repeat(0))

def sleeping_shutdown():
    say("shutdown b begins")
    time.sleep(1000)

tick = globals()[os.environ["TICK"]]
last = globals().get(os.environ.get("LAST"))
last = last or (lambda: say("shutdown b"))
idle = lambda: None
a = Node("a", init=lambda: say("init a"), tick=idle, rate=100, order=1, shutdown=lambda: say("shutdown a"))
b = Node("b", init=lambda: say("init b"), tick=tick, rate=0.01, order=2, shutdown=last)
before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
run(a, b)
assert before == [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
say("after run")
"""


# spec: F17
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_first_signal_stops_cleanly(program, ended, namespace, number):
    """One signal in a long sleep: reverse shutdown, nothing left behind, exit 0, no traceback."""
    from horus_core.shm import namespace as namespaces

    one = program(PROGRAM, TICK="quick")
    one.wait_for("tick")
    presence = namespaces.directory(namespace) / "nodes"
    assert {file.name for file in presence.iterdir()} == {"a.json", "b.json"}
    one.process.send_signal(number)
    code, out, err = ended(one)
    assert out == ["shutdown b", "shutdown a", "after run"]
    assert err == ""
    assert code == 0
    assert list(namespaces.SHM.glob(f"horus_{namespace}*")) == []


# spec: F17
def test_first_signal_waits_for_the_tick(program, ended):
    """The tick that is running when the signal comes finishes."""
    one = program(
        PROGRAM.replace("time.sleep(1000)", "input(); say('tick ends')", 1),
        TICK="sleeping",
    )
    one.wait_for("tick")
    one.process.send_signal(signal.SIGINT)
    one.tell("go on")
    code, out, _ = ended(one)
    assert out == ["tick ends", "shutdown b", "shutdown a", "after run"]
    assert code == 0


# spec: F17
def test_second_signal_cuts_a_tick_short(program, ended):
    """A tick that does not end is cut short by the second signal; shutdown still runs, the exit is clean."""
    one = program(PROGRAM, TICK="sleeping")
    one.wait_for("tick")
    one.interrupt()
    with pytest.raises(subprocess.TimeoutExpired):
        one.process.wait(0.3)
    one.process.send_signal(signal.SIGINT)
    code, out, err = ended(one)
    assert out == ["shutdown b", "shutdown a", "after run"]
    assert "b: tick() was cut short by a second signal" in err
    assert "Traceback" not in err
    assert code == 0


def test_second_signal_cuts_a_shutdown_short(program, ended):
    """A shutdown that does not end is cut short, and those of the other nodes still run."""
    one = program(PROGRAM, TICK="quick", LAST="sleeping_shutdown")
    one.wait_for("tick")
    one.process.send_signal(signal.SIGTERM)
    one.wait_for("shutdown b begins")
    one.process.send_signal(signal.SIGTERM)
    code, out, err = ended(one)
    assert out == ["shutdown a", "after run"]
    assert "b: shutdown() was cut short by a second signal" in err
    assert code == 0


# spec: F17
def test_third_signal_kills_even_code_that_holds_the_gil(program, ended):
    """A tick stuck in C without ever returning to Python ignores two signals; the third ends the process."""
    one = program(PROGRAM, TICK="holding_the_gil")
    one.wait_for("tick")
    for number in (signal.SIGINT, signal.SIGINT):
        one.interrupt(number)
        with pytest.raises(subprocess.TimeoutExpired):
            one.process.wait(0.2)
    one.process.send_signal(signal.SIGTERM)
    code, _, _ = ended(one)
    assert code == 128 + signal.SIGTERM


def test_signal_during_init_starts_no_more_nodes(program, ended):
    """A signal while a node is in init(): later nodes never start, the started ones shut down, exit 0."""
    one = program(PROGRAM.replace('say("init a")', '(say("init a"), input())'), TICK="quick")
    one.wait_for("init a")
    one.process.send_signal(signal.SIGINT)
    one.tell("go on")
    code, out, err = ended(one)
    assert out == ["shutdown a", "after run"]
    assert err == ""
    assert code == 0


# spec: E9, F13
def test_crash_exits_non_zero_with_the_traceback(program, ended):
    """A script whose tick raises shuts its nodes down, shows the traceback of the line, and exits 1."""
    one = program(PROGRAM.replace("time.sleep(1000)", "raise ValueError('bad reading')", 1), TICK="sleeping")
    code, out, err = ended(one)
    assert out[-2:] == ["shutdown b", "shutdown a"]
    assert err.rstrip().endswith("ValueError: bad reading")
    assert "raise ValueError('bad reading')" in err
    assert code == 1


def test_forked_children_get_their_signals(program, ended):
    """A child that a node forks has the handlers from before the run: terminate() ends it."""
    one = program(
        """
import multiprocessing, time
from horus_core.nodes.node import Node
from horus_core.scheduler.run import run

def tick(node):
    child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(1000,))
    child.start()
    child.terminate()
    child.join(20)
    print(child.exitcode, flush=True)
    node.request_stop()

run(Node("n", tick=tick))
"""
    )
    code, out, err = ended(one)
    assert out == [str(-signal.SIGTERM)]
    assert (code, err) == (0, "")


# spec: E17
def test_handlers_are_put_back_after_a_crash(program, ended):
    """A handler that the program installed before run() is in place again, also when run() raised."""
    one = program(
        PROGRAM.replace("time.sleep(1000)", "raise ValueError", 1)
        .replace("before = [", "signal.signal(signal.SIGINT, lambda *_: say('mine'))\nbefore = [")
        .replace(
            "\nrun(a, b)\n",
            "\ntry:\n    run(a, b)\nexcept ValueError:\n    signal.raise_signal(signal.SIGINT)\n",
        ),
        TICK="sleeping",
    )
    code, out, _ = ended(one)
    assert out[-3:] == ["shutdown a", "mine", "after run"]
    assert code == 0
