"""An execution class of a stranger's: a distribution that brings it, and nodes that name it."""

from __future__ import annotations

import textwrap

import pytest

THEIRS = """
import threading

from horus_core.abc import ExecutionClass
from horus_core.plugins.hookspecs import hookimpl


class Theirs(ExecutionClass):
    '''Every node on a thread of its own, called lazy.'''

    name = "theirs"

    def __init__(self, host):
        super().__init__(host)
        self.threads = {}

    @classmethod
    def accepts(cls, config):
        return False  # only by name

    def check(self, entry):
        if entry.config.deadline_ns:
            raise ValueError("theirs keeps no deadlines")

    def add(self, entry):
        self.threads[entry] = self.host.thread("lazy")
        self.threads[entry].loop.lane.add(entry)
        self.threads[entry].start()

    def remove(self, entry):
        self.threads.pop(entry).join()


@hookimpl
def horus_register_execution(register):
    register(Theirs)
"""

USER = """
import sys
import threading

sys.path.insert(0, {site!r})
import horus

threads = []


def tick(node):
    threads.append(threading.current_thread().name)
    if len(threads) >= 3:
        node.request_stop()


scheduler = horus.Scheduler()
scheduler.add(horus.Node("n", tick=tick, rate=200, execution="theirs"))
scheduler.run()
print(threads[:3], scheduler.get_node_stats("n")["class"])
"""


@pytest.fixture
def site(tmp_path):
    """A folder into which distributions are installed, as pip would leave them."""

    def install(source):
        folder = tmp_path / "site"
        folder.mkdir()
        (folder / "robot_pool.py").write_text(textwrap.dedent(source))
        info = folder / "robot_pool-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: robot-pool\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text("[horus.execution]\npool = robot_pool\n")
        return str(folder)

    return install


# spec: B9
def test_a_strangers_class_runs_nodes_that_name_it(site, program):
    """A distribution supplies a class through the entry-point group; execution= names it, stats show it."""
    out, _ = program(USER.format(site=site(THEIRS))).finish()
    assert out == "['horus lazy', 'horus lazy', 'horus lazy'] theirs\n"


def test_what_it_refuses_reaches_the_user(site, program):
    """What its check() raises comes out of run(), before any init()."""
    user = USER.format(site=site(THEIRS)).replace('execution="theirs"', 'execution="theirs", deadline=0.1')
    _, err = program(user).process.communicate(timeout=30)
    assert err.strip().endswith("ValueError: theirs keeps no deadlines")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import no_such_driver", "No module named 'no_such_driver'"),
        (THEIRS.replace("register(Theirs)", "raise OSError('no licence')"), "OSError: no licence"),
        (THEIRS.replace("register(Theirs)", "register(Theirs())"), "TypeError"),
        (THEIRS.replace("(ExecutionClass)", ""), "expected a subclass of ExecutionClass"),
    ],
)
def test_a_broken_one_tells_why(site, program, source, reason):
    """A node that names a class of a broken plugin fails with that plugin and its error; others run."""
    folder = site(source)
    _, err = program(USER.format(site=folder)).process.communicate(timeout=30)
    last = err.strip().splitlines()[-1]
    assert "expected an execution class named 'theirs'" in last
    assert "robot-pool 1.2" in last
    assert reason in last
    ordinary = USER.format(site=folder).replace(', execution="theirs"', "")
    out, _ = program(ordinary).finish()
    assert out.endswith("best_effort\n")


LOOP = """
import asyncio

from horus_core.plugins.hookspecs import hookimpl
from horus_plugins.execution.async_io import AsyncIo


class Loop(asyncio.SelectorEventLoop):
    pass


class Theirs(AsyncIo):
    name = "theirs"

    def new_loop(self):
        return Loop()


@hookimpl
def horus_register_execution(register):
    register(Theirs)
"""

LOOP_USER = """
import asyncio
import sys

sys.path.insert(0, {site!r})
import horus

loops = []


async def tick(node):
    loops.append(asyncio.get_running_loop())
    node.request_stop()


scheduler = horus.Scheduler()
scheduler.add(horus.Node("n", tick=tick, rate=200, execution="theirs"))
scheduler.run()
print(type(loops[0]).__module__, loops[0].is_closed(), scheduler.get_node_stats("n")["class"])
horus.run(horus.Node("plain", tick=lambda: None, execution="theirs"))
"""


def test_theirs_is_async_on_a_loop_of_its_own(site, program):
    """A subclass of AsyncIo chooses its event loop, which is closed at the end; what it refuses is named."""
    process = program(LOOP_USER.format(site=site(LOOP))).process
    out, err = process.communicate(timeout=30)
    assert out == "robot_pool True theirs\n"
    assert "expected an async tick, as execution='theirs' asks for" in err.splitlines()[-1]
