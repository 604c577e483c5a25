"""The pytest plugin, in the project of somebody who has HORUS installed and writes tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SHM = Path("/dev/shm")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "nodes.md"
# All warnings are errors, but for one that only the editable installs of developers have.
WARNINGS = ["-W", "error", "-W", "ignore:Module already imported so cannot be rewritten; _editable"]
# Plugins of the developers' tools: importing them takes longer than all else.
STRANGERS = ["-p", "no:hypothesispytest", "-p", "no:anyio", "-p", "no:xdist"]
TEST_OF_A_ROBOT = """
import subprocess, sys

import pytest

import horus
from horus.testing import MockClock, run_ticks

seen = []


@pytest.mark.parametrize("number", [1, 2])
def test_pipeline(horus_namespace, number):
    seen.append(horus_namespace)
    heard = []
    source = horus.Node("source", tick=lambda node: node.send("count", {"n": horus.tick()}), order=1, rate=50)
    hear = lambda node: heard.append((node.recv("count")["n"], horus.elapsed()))
    sink = horus.Node("sink", tick=hear, subs="count", order=2)
    with horus.Scheduler(deterministic=True) as scheduler:
        scheduler.add(source).add(sink)
        assert run_ticks(scheduler, 3) == 3
    assert heard == [(0, 0.0), (1, 0.02), (2, 0.04)]


def test_processes_share_it(horus_namespace):
    code = "import horus; print(horus.Topic('here', dict).send({'n': 1}))"
    with horus.Topic("here", dict) as inlet:
        assert subprocess.run([sys.executable, "-c", code], capture_output=True).stdout == b"True\\n"
        assert inlet.recv() == {"n": 1}


def test_each_test_has_its_own():
    assert len(set(seen)) == 2
    print("namespaces", *seen)
"""


def run_pytest(folder, *arguments):
    """Start pytest as a stranger does: in another folder, with no configuration of ours."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "HORUS"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *STRANGERS, *WARNINGS, *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip


def block_with_tests(page):
    blocks = re.findall(r"^```python\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return next(block for block in blocks if "def test_" in block)


# spec: F31
def test_a_strangers_tests_have_the_fixture_without_an_import(tmp_path):
    """`horus_namespace` differs from test to test, reaches child processes, leaves nothing; the page's tests pass."""
    (tmp_path / "test_robot.py").write_text(TEST_OF_A_ROBOT, encoding="utf-8")
    (tmp_path / "test_page.py").write_text(block_with_tests(PAGE), encoding="utf-8")
    done = run_pytest(tmp_path, "-s")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 passed" in done.stdout
    names = next(line for line in done.stdout.splitlines() if "namespaces" in line).split()[-2:]
    assert [path for name in names for path in SHM.glob(f"horus_{name}*")] == []


def test_it_is_listed_with_the_fixtures(tmp_path):
    """`pytest --fixtures` tells what it is for."""
    (tmp_path / "test_nothing.py").write_text("def test_nothing(): pass", encoding="utf-8")
    assert "A namespace of this test's own" in run_pytest(tmp_path, "--fixtures").stdout


@pytest.mark.parametrize("arguments", [[], ["-p", "no:horus"]], ids=["with it", "without it"])
def test_runs_of_others_pay_nothing(tmp_path, arguments):
    """A run whose tests do not ask for it imports no module of HORUS but the plugin, and may switch that off."""
    (tmp_path / "test_other.py").write_text(
        "import sys\n"
        "def test_other():\n"
        "    loaded = {name for name in sys.modules if name.partition('.')[0] in ('horus', 'horus_core', 'numpy')}\n"
        f"    plugin = set() if {bool(arguments)} else "
        "{'horus_core', 'horus_core.testing', 'horus_core.testing.plugin'}\n"
        "    assert loaded == plugin\n",
        encoding="utf-8",
    )
    done = run_pytest(tmp_path, *arguments)
    assert done.returncode == 0, done.stdout
