"""Observers of nodes: what they are told, on which thread, and that one which raises harms nobody."""

from __future__ import annotations

import ast
import inspect
import json
import re
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

import horus
from horus_core import _native
from horus_core.errors import ConfigError
from horus_core.plugins import hookspecs, lifecycle

ROBOT = """
import horus

def grip(node):
    if horus.tick() == 2:
        raise ValueError("bad reading")
    if horus.tick() == 4:
        node.request_stop()

horus.run(horus.Node("arm", tick=grip, rate=500, failure_policy="ignore"))
"""
WATCHER = """
import horus

print("imported", flush=True)

@horus.hookimpl
def horus_node_started(node):
    print("started", node.name, flush=True)

@horus.hookimpl
def horus_node_failed(error, node):
    print("failed", node.name, error, flush=True)
"""


@pytest.fixture(autouse=True)
def namespace(horus_namespace):
    return horus_namespace


@pytest.fixture
def observe():
    """horus.observe() for one test."""
    told = []

    def start(observer):
        horus.observe(observer)
        told.append(observer)
        return observer

    yield start
    for observer in told:
        horus.unobserve(observer)
    assert not any(lifecycle.listeners.values()), "nobody listens: nothing is called"


class Watcher:
    """Notes what it is told, and on which thread."""

    def __init__(self):
        self.told = []

    def _note(self, what, node, *more):
        self.told.append((what, node.name, *more))
        self.threads = [*getattr(self, "threads", ()), threading.current_thread()]

    @horus.hookimpl
    def horus_node_added(self, scheduler, node):
        assert scheduler.has_node(node.name)
        self._note("added", node)

    @horus.hookimpl
    def horus_node_started(self, node):
        self._note("started", node)

    @horus.hookimpl
    def horus_node_failed(self, node, error):
        self._note("failed", node, str(error))

    @horus.hookimpl
    def horus_node_missed(self, node, in_row):
        self._note("missed", node, in_row)

    @horus.hookimpl
    def horus_node_stopped(self, node):
        self._note("stopped", node)


def _raise(text):
    raise ValueError(text)


def test_the_life_of_nodes(observe):
    """Added, started, failed, stopped, in the order in which it happens, all on the scheduler's thread."""
    watcher = observe(Watcher())
    one = horus.Node("one", tick=lambda: _raise("bad"), failure_policy="ignore", order=1)
    two = horus.Node("two", tick=lambda: None, order=2)
    horus.run(one, two, duration=0)
    assert watcher.told == [
        ("added", "one"),
        ("started", "one"),
        ("added", "two"),
        ("started", "two"),
        ("failed", "one", "bad"),
        ("stopped", "two"),
        ("stopped", "one"),
    ]
    assert set(watcher.threads) == {threading.current_thread()}
    horus.unobserve(watcher)
    before = len(watcher.told)
    horus.run(horus.Node("three", tick=lambda: None), duration=0)
    assert len(watcher.told) == before


def test_restarts_isolation_and_failed_starts(observe):
    """Started comes again after a restart; an isolated node stops at once; an init() that raises is a failure."""
    watcher = observe(Watcher())
    failing = iter([ValueError("first")])

    def flaky():
        for error in failing:
            raise error
        node.request_stop()

    node = horus.Node("arm", tick=flaky, rate=100, failure_policy=horus.Restart(max_retries=2, backoff=0.001))
    horus.run(node)
    assert [what for what, *_ in watcher.told] == ["added", "started", "failed", "started", "stopped"]
    watcher.told.clear()
    with pytest.raises(ValueError, match="no port"):
        horus.run(horus.Node("leg", tick=lambda: None, init=lambda: _raise("no port")), duration=0)
    assert watcher.told == [("added", "leg"), ("failed", "leg", "no port")]
    watcher.told.clear()
    alone = horus.Node("alone", tick=lambda: _raise("bad"), failure_policy="isolate", order=1)
    horus.run(alone, horus.Node("other", tick=lambda: None, order=2), duration=0)
    assert watcher.told[4:] == [("failed", "alone", "bad"), ("stopped", "alone"), ("stopped", "other")]


MISSES = """
import threading
import horus

held = threading.Event()
seen = []

class Watcher:
    @horus.hookimpl
    def horus_node_missed(self, scheduler, node, in_row):
        seen.append((node.name, in_row, threading.current_thread().name))
        if len(seen) == 4:
            scheduler.request_stop()

horus.observe(Watcher())
horus.run(horus.Node("slow", tick=lambda: held.wait(0.05), rate=50, deadline=1e-6))
print(seen)
"""


def test_misses_come_on_the_thread_that_ticks(program):
    """Each missed deadline is told, with how many in a row, on the node's own thread."""
    out, _ = program(MISSES).finish()
    seen = ast.literal_eval(out)
    assert seen == [("slow", number, "horus slow") for number in range(1, len(seen) + 1)]
    assert len(seen) >= 4


def test_an_added_node_while_others_tick(observe, until):
    """A node that comes later, and one that is taken out, are told on the scheduler's thread."""
    watcher = observe(Watcher())
    with horus.Scheduler(name="robot").add(horus.Node("first", tick=lambda: None, rate=100)) as scheduler:
        scheduler.start()
        until(lambda: scheduler.get_node_stats("first")["total_ticks"])
        scheduler.add(horus.Node("late", tick=lambda: None, rate=100))
        scheduler.remove_node("late")
        assert [one for one in watcher.told if one[1] == "late"] == [
            ("added", "late"),
            ("started", "late"),
            ("stopped", "late"),
        ]
    assert {thread.name for thread in watcher.threads} == {"horus robot"}


def test_an_emergency_stop_is_told(observe):
    """What a scheduler records of e-stops reaches observers, in order, and holds up nobody."""
    told, noted = [], threading.Event()

    class Siren:
        @horus.hookimpl
        def horus_estop(self, scheduler, text):
            assert noted.wait(20), "the node waits for the observer"
            told.append((scheduler.name, text, threading.current_thread().name))

    observe(Siren())
    scheduler = horus.Scheduler(name="robot")

    def tick():
        scheduler.report.note("estop", "engaged by arm: fire in the hall")
        scheduler.report.note("estop", "released by operator")
        noted.set()

    scheduler.add(horus.Node("n", tick=tick)).run(0)
    assert told == [
        ("robot", "engaged by arm: fire in the hall", "horus observers"),
        ("robot", "released by operator", "horus observers"),
    ]


def test_one_that_raises_is_disabled_and_said_once(observe, capfd):
    """The nodes and the other observers go on; of the one that raised none of the functions is called again."""

    class Broken:
        calls = 0

        @horus.hookimpl
        def horus_node_failed(self):
            Broken.calls += 1
            raise SystemExit("cannot reach the log server")

        @horus.hookimpl
        def horus_node_stopped(self):
            Broken.calls += 100

    observe(Broken())
    watcher = observe(Watcher())
    seen = []

    def bad(node):
        seen.append(1)
        if len(seen) == 5:
            node.request_stop()
        raise ValueError("bad")

    horus.run(horus.Node("n", tick=bad, rate=500, failure_policy="ignore"))
    assert Broken.calls == 1
    assert sum(what == "failed" for what, *_ in watcher.told) == len(seen)
    said = capfd.readouterr().err
    assert said.count("raised in horus_node_failed(), and is told nothing any more") == 1
    assert "SystemExit: cannot reach the log server" in said


def test_what_is_no_observer_is_refused():
    """Nothing marked, a misspelt hook, an unknown argument, only what plugins are told: an error says so, at once."""

    class Nothing:
        pass

    class Misspelt:
        @horus.hookimpl
        def horus_node_faild(self, node):
            pass

    class Wrong:
        @horus.hookimpl
        def horus_node_failed(self, motor):
            pass

    class OfProcesses:
        @horus.hookimpl
        def horus_process_exited(self, name):
            pass

    refused = {
        Nothing: "got none",
        Misspelt: "horus_node_faild",
        Wrong: "motor",
        OfProcesses: "Launchers call",
    }
    for observer, text in ((cls(), text) for cls, text in refused.items()):
        with pytest.raises(ConfigError, match=text):
            horus.observe(observer)
    assert not any(lifecycle.listeners.values())


def install(site, distribution, module, source):
    """What pip leaves behind for a pure-Python distribution."""
    (site / f"{module}.py").write_text(textwrap.dedent(source))
    info = site / f"{distribution}-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(f"[horus.lifecycle]\n{module} = {module}\n")


def python(site, source):
    """(stdout as lines, stderr) of a program that sees the distributions and ends well."""
    head = f"import sys\nsys.path.insert(0, {str(site)!r})\n"
    done = subprocess.run([sys.executable, "-c", head + source], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines(), done.stderr


def test_an_installed_plugin(tmp_path):
    """A distribution's module is imported when a scheduler starts, not before, and is told what becomes of nodes."""
    install(tmp_path, "acme_watch", "acme_watch", WATCHER)
    out, _ = python(tmp_path, "import horus\nprint('before')\n" + ROBOT)
    assert out == ["before", "imported", "started arm", "failed arm bad reading"]


def test_broken_plugins_harm_nobody(tmp_path):
    """One that cannot be imported, one with a misspelt hook, one that raises: each is said, and the others go on."""
    install(tmp_path, "acme_watch", "acme_watch", WATCHER)
    install(tmp_path, "bad_import", "bad_import", "raise SystemExit('no licence')")
    install(tmp_path, "bad_name", "bad_name", WATCHER.replace("node_failed", "node_fell"))
    install(tmp_path, "bad_call", "bad_call", WATCHER.replace('print("started"', 'undefined("started"'))
    script = ROBOT + (
        "import json\n"
        "from horus_core.plugins import lifecycle\n"
        "print(json.dumps({one.distribution: [one.error, one.gave] for one in lifecycle.plugins()}))\n"
    )
    out, err = python(tmp_path, script)
    assert "failed arm bad reading" in out
    told = json.loads(out[-1])
    assert told["acme_watch"] == [None, ["horus_node_started", "horus_node_failed"]]
    assert "no licence" in told["bad_import"][0]
    assert "horus_node_fell" in told["bad_name"][0]
    assert told["bad_call"][0] == "horus_node_started() raised NameError: name 'undefined' is not defined"
    assert err.count("(horus.lifecycle: bad_") == 3
    assert err.count(") failed: ") == 2
    assert err.count("is told nothing any more") == 1


def test_ticks_ask_nobody(observe):
    """A good tick calls nothing of the observers, whoever listens: what a lane runs natively stays native."""
    calls = []

    class Curious:
        @horus.hookimpl
        def horus_node_failed(self):
            calls.append("failed")

        @horus.hookimpl
        def horus_node_missed(self):
            calls.append("missed")

    observe(Curious())
    node = horus.Node("n", tick=lambda: None, rate=1_000_000)
    called = []

    def trace(frame, event, _argument):
        if event == "call":
            called.append(frame.f_code.co_filename)

    from horus_core.scheduler.entry import Entry

    lane, entry = _native.Lane(), Entry(node, None)
    lane.add(entry)
    entry.plan(1)
    sys.setprofile(trace)
    try:
        for now_ns in range(1, 100_000_000, 1_000_000):
            lane.run_due(now_ns)
    finally:
        sys.setprofile(None)
    assert set(called) == {__file__}
    assert calls == []


def test_every_hook_is_on_the_page():
    """docs/nodes.md names each hook of the group with exactly its arguments, and no other."""
    page = (Path(__file__).parents[2] / "docs" / "nodes.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(horus_\w+)` \| (.*?) \|", page, re.MULTILINE)
    told = {hook: re.findall(r"`(\w+)`", arguments) for hook, arguments in rows}
    assert told == {
        hook: list(inspect.signature(getattr(hookspecs, hook)).parameters) for hook in lifecycle.HOOKS
    }
