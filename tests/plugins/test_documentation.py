"""docs/plugins.md: every hook with its arguments and an example that runs, in a project as the page describes it."""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path

import pytest

from horus_core.plugins import hookspecs, kinds

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "docs"))

import doc_pages  # noqa: E402 - what the tests of all pages use

PAGE = ROOT / "docs" / "plugins.md"
TEXT = PAGE.read_text(encoding="utf-8")
FILES = {
    path: block.text
    for block in doc_pages.blocks(PAGE, "python", "toml")
    if (path := doc_pages.file_of(block)) is not None
}


@pytest.fixture
def project(site):
    """The page's project: horus.toml and the files of its folder."""
    for path, text in FILES.items():
        file = site.work / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return site


@pytest.mark.parametrize("hook", hookspecs.NAMES)
def test_every_hook_and_argument_is_documented(hook):
    """A section with exactly the hook's arguments, each named in its text; a docstring; an example on the page."""
    function = getattr(hookspecs, hook)
    arguments = list(inspect.signature(function).parameters)
    section = re.search(rf"^###+ `{hook}\(([^)]*)\)`\n(.*?)(?=^##+ |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert section is not None, f"docs/plugins.md has no section on {hook}"
    assert section[1].split(", ") == arguments
    for argument in arguments:
        assert re.search(rf"\b{argument}\b", section[2]), argument
    assert inspect.getdoc(function)
    assert any(f"def {hook}(" in text for text in FILES.values())


def test_every_group_is_documented():
    """The table has each entry-point group once, and no other."""
    assert sorted(re.findall(r"^\| `(horus\.\w+)` \|", TEXT, re.MULTILINE)) == sorted(kinds.GROUPS)


def test_the_pages_plugins_load(project):
    """`horus plugin check` finds no fault in any of the examples."""
    done = project.horus("plugin", "check", "--timeout", "60")
    assert done.code == 0, done
    for name in ("hello", "alone", "noted", "sh", "watch"):
        assert f"mine/{name}.py" in done.out


def test_the_first_plugin_does_what_the_page_says(project):
    """Its command, and the observer of a node that fails."""
    assert project.horus("hello").out == "hello\n"
    assert "hello  mine/hello.py" in project.horus("--help").out


def test_observers_are_told_as_the_page_says(project):
    """The six hooks of the example, of a node that fails, misses its deadline, and meets a stop."""
    done = project.python(
        """
        import builtins
        import sys
        import time
        import horus

        # The stop is told on a thread of its own, and print() writes a line in several pieces.
        builtins.print = lambda *words: sys.stdout.write(" ".join(map(str, words)) + "\\n")

        def tick(node):
            time.sleep(0.001)
            scheduler.report.note("estop", "engaged by arm")
            node.request_stop()
            raise ValueError("no current")

        scheduler = horus.Scheduler(name="robot")
        scheduler.add(horus.Node("arm", tick=tick, rate=100, deadline=1e-9, failure_policy="ignore"))
        scheduler.run(duration=20)
        """
    )
    assert done.out.startswith("added arm to robot\nstarted arm\n"), done
    for said in ("failed arm no current", "arm: no current", "missed arm 1", "engaged by arm", "stopped arm"):
        assert done.out.count(said) == 1, done


def test_the_runner_of_the_page(project):
    """`horus run` with a shell script that is not executable."""
    (project.work / "start.sh").write_text("echo started by $0\n")
    done = project.horus("run", "start.sh")
    assert done.code == 0, done
    assert "started by" in done.out
