"""SIGINT and SIGTERM: real processes, real signals."""

from __future__ import annotations

import signal

import pytest

PROGRAM = """
import signal, sys, time
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

tick = globals()[sys.argv[1]]
last = globals().get(sys.argv[2]) if len(sys.argv) > 2 else None
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
def test_first_signal_stops_cleanly(script, namespace, number):
    """One signal in a long sleep: reverse shutdown, nothing left behind, exit 0, no traceback."""
    from horus_core.shm import namespace as namespaces

    program = script(PROGRAM, "quick")
    program.wait_for("tick")
    presence = namespaces.directory(namespace) / "nodes"
    assert {file.name for file in presence.iterdir()} == {"a.json", "b.json"}
    program.signal(number)
    code, out, err = program.finish()
    assert out.split("\n") == ["shutdown b", "shutdown a", "after run", ""]
    assert err == ""
    assert code == 0
    assert list(namespaces.SHM.glob(f"horus_{namespace}*")) == []


# spec: F17
def test_first_signal_waits_for_the_tick(script):
    """The tick that is running when the signal comes finishes."""
    program = script(
        PROGRAM.replace("time.sleep(1000)", "time.sleep(0.5); say('tick ends')", 1),
        "sleeping",
    )
    program.wait_for("tick")
    program.signal(signal.SIGINT)
    code, out, _ = program.finish()
    assert out.split("\n") == ["tick ends", "shutdown b", "shutdown a", "after run", ""]
    assert code == 0


# spec: F17
def test_second_signal_cuts_a_tick_short(script, until):
    """A tick that does not end is cut short by the second signal; shutdown still runs, the exit is clean."""
    program = script(PROGRAM, "sleeping")
    program.wait_for("tick")
    program.signal(signal.SIGINT)
    with pytest.raises(AssertionError):
        until(lambda: program.process.poll() is not None, seconds=0.3)
    program.signal(signal.SIGINT)
    code, out, err = program.finish()
    assert out.split("\n") == ["shutdown b", "shutdown a", "after run", ""]
    assert "b: tick() was cut short by a second signal" in err
    assert "Traceback" not in err
    assert code == 0


def test_second_signal_cuts_a_shutdown_short(script):
    """A shutdown that does not end is cut short, and those of the other nodes still run."""
    program = script(PROGRAM, "quick", "sleeping_shutdown")
    program.wait_for("tick")
    program.signal(signal.SIGTERM)
    program.wait_for("shutdown b begins")
    program.signal(signal.SIGTERM)
    code, out, err = program.finish()
    assert out.split("\n") == ["shutdown a", "after run", ""]
    assert "b: shutdown() was cut short by a second signal" in err
    assert code == 0


# spec: F17
def test_third_signal_kills_even_code_that_holds_the_gil(script, until):
    """A tick stuck in C without ever returning to Python ignores two signals; the third ends the process."""
    program = script(PROGRAM, "holding_the_gil")
    program.wait_for("tick")
    for number in (signal.SIGINT, signal.SIGINT):
        program.signal(number)
        with pytest.raises(AssertionError):
            until(lambda: program.process.poll() is not None, seconds=0.2)
    program.signal(signal.SIGTERM)
    code, _, _ = program.finish()
    assert code == 128 + signal.SIGTERM


def test_signal_during_init_starts_no_more_nodes(script):
    """A signal while a node is in init(): later nodes never start, the started ones shut down, exit 0."""
    program = script(PROGRAM.replace('say("init a")', '(say("init a"), time.sleep(0.5))'), "quick")
    program.wait_for("init a")
    program.signal(signal.SIGINT)
    code, out, err = program.finish()
    assert out.split("\n") == ["shutdown a", "after run", ""]
    assert err == ""
    assert code == 0


# spec: E9, F13
def test_crash_exits_non_zero_with_the_traceback(script):
    """A script whose tick raises shuts its nodes down, shows the traceback of the line, and exits 1."""
    program = script(PROGRAM.replace("time.sleep(1000)", "raise ValueError('bad reading')", 1), "sleeping")
    code, out, err = program.finish()
    assert out.split("\n")[-3:] == ["shutdown b", "shutdown a", ""]
    assert err.rstrip().endswith("ValueError: bad reading")
    assert "raise ValueError('bad reading')" in err
    assert code == 1


def test_forked_children_get_their_signals(script):
    """A child that a node forks has the handlers from before the run: terminate() ends it."""
    program = script(
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
    code, out, err = program.finish()
    assert out == f"{-signal.SIGTERM}\n"
    assert (code, err) == (0, "")


# spec: E17
def test_handlers_are_put_back_after_a_crash(script):
    """A handler that the program installed before run() is in place again, also when run() raised."""
    program = script(
        PROGRAM.replace("time.sleep(1000)", "raise ValueError", 1)
        .replace("before = [", "signal.signal(signal.SIGINT, lambda *_: say('mine'))\nbefore = [")
        .replace(
            "\nrun(a, b)\n",
            "\ntry:\n    run(a, b)\nexcept ValueError:\n    signal.raise_signal(signal.SIGINT)\n",
        ),
        "sleeping",
    )
    code, out, _ = program.finish()
    assert out.split("\n")[-4:] == ["shutdown a", "mine", "after run", ""]
    assert code == 0
