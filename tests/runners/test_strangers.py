"""Runners of strangers: found by the suffix of a file that none of HORUS's own accepts; nobody else is imported."""

from __future__ import annotations

import pytest

from horus_core.abc import Runner
from horus_core.errors import LaunchError
from horus_plugins.runners import registry

from ..plugins.conftest import Site  # noqa: TID252 - folders of tests have no other names

SHOW = """
import sys
import horus
from horus_core.abc import Runner
from horus_core.errors import LaunchError

class Show(Runner):
    name = "SUFFIX"
    language = "a show"

    def build(self, target):
        if "wrong" in target:
            raise LaunchError(f"Building {target} failed.")

    def command(self, target):
        return [sys.executable, "-c", "import sys; print('MODULE', *sys.argv[1:])", target]

@horus.hookimpl
def horus_register_runners(register):
    register(Show())
"""


@pytest.fixture
def site(tmp_path, horus_namespace):
    """A place to install plugins into."""
    return Site(tmp_path)


@pytest.fixture
def runner(site):
    """Install a runner of files with that suffix."""

    def install(distribution, suffix, source=SHOW):
        module = distribution.replace("-", "_")
        text = source.replace("SUFFIX", suffix).replace("MODULE", module)
        site.install(distribution, {"horus.runners": f"{suffix} = {module}"}, text)

    return install


# spec: F33
def test_a_runner_is_found_by_the_suffix(site, runner):
    """Its entry point is called so, in small letters; others are not imported, whatever they would do."""
    runner("horus-foo", "foo")
    runner("broken", "bar", "raise SystemExit(3)")
    runner("unrelated", "baz")
    (site.work / "a.FOO").write_text("")
    done = site.horus("run", "a.FOO", "--", "x")
    assert (done.code, done.out) == (0, "horus_foo a.FOO x\n"), done
    assert site.imports == ["horus_foo"]


def test_several_files_and_their_label(site, runner):
    """Supervised like others, shown with the runner's language; what cannot be built starts nothing."""
    runner("horus-foo", "foo")
    for name in ("a.foo", "b.foo", "wrong.foo"):
        (site.work / name).write_text("")
    done = site.horus("run", "a.foo", "b.foo")
    assert done.code == 0, done
    assert "[b] horus_foo b.foo" in done.out
    assert "2. b.foo (a show)" in done.err
    done = site.horus("run", "a.foo", "wrong.foo")
    assert (done.code, done.out) == (1, "")
    assert "Building wrong.foo failed." in done.err


@pytest.mark.parametrize(
    ("method", "says"),
    [
        (
            "def accepts(self, target): raise OSError('no disk')",
            "accepts() of RUNNER raised OSError: no disk",
        ),
        ("def build(self, target): raise SystemExit(4)", "build() of RUNNER raised SystemExit: 4"),
        (
            "def command(self, target): return 1 / 0",
            "command() of RUNNER raised ZeroDivisionError: division by zero",
        ),
        ("def command(self, target): return []", "from command() of RUNNER, got []"),
        ("def command(self, target): return 'echo'", "from command() of RUNNER, got 'echo'"),
        ("def command(self, target): return [sys, target]", "from command() of RUNNER, got [<module 'sys'"),
    ],
)
@pytest.mark.parametrize("count", [1, 2])
def test_a_runner_that_breaks_its_contract(site, runner, method, says, count):
    """One sentence with the runner, its distribution and what was wrong; exit code 1; nothing has run."""
    source = SHOW.replace("    def build", f"    {method}\n    def build") if "accepts" in method else ""
    source = source or SHOW.replace("@horus", f"    {method}\n\n@horus")  # the later definition counts
    runner("horus-foo", "foo", source)
    names = ["a.foo", "b.foo"][:count]
    for name in names:
        (site.work / name).write_text("")
    done = site.horus("run", *names)
    assert (done.code, done.out) == (1, ""), done
    assert says.replace("RUNNER", "the runner 'foo' of horus-foo 1.2") in done.err, done
    assert "Traceback" not in done.err
    assert "Running 'a.foo' failed" in done.err


def test_what_comes_with_horus_comes_first(site, runner):
    """Python files and executables are never a stranger's; no stranger is imported for them."""
    runner("thief", "py")
    (site.work / "a.py").write_text("print('mine')")
    assert site.horus("run", "a.py").out == "mine\n"
    (site.work / "c.foo").write_text("#!/bin/sh\necho executable\n")
    (site.work / "c.foo").chmod(0o755)
    runner("horus-foo", "foo")
    assert site.horus("run", "c.foo").out == "executable\n"
    assert site.imports == []


def test_two_runners_of_one_suffix_are_an_error(site, runner):
    """It names both distributions."""
    runner("one-foo", "foo")
    runner("two-foo", "foo")
    (site.work / "a.foo").write_text("")
    done = site.horus("run", "a.foo")
    assert done.code == 1
    assert "one-foo 1.2" in done.err
    assert "two-foo 1.2" in done.err
    assert "expected one runner for it" in done.err


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("import no_such_library", "ModuleNotFoundError: No module named 'no_such_library'"),
        ("raise SystemExit(0)", "SystemExit: 0"),
        (SHOW.replace("horus_register_runners", "horus_register_runner"), "horus_register_runners"),
        (SHOW.replace("register(Show())", "register(Show)"), "expected an object of a subclass of Runner"),
        (SHOW.replace('name = "SUFFIX"', ""), "expected an object of a subclass of Runner with a name"),
    ],
)
def test_a_runner_that_fails_is_said(site, runner, source, says):
    """The run fails with its reason; another run does not."""
    runner("horus-foo", "foo", source)
    (site.work / "a.foo").write_text("")
    (site.work / "a.py").write_text("print('runs')")
    done = site.horus("run", "a.foo")
    assert done.code == 1
    assert says in done.err, done
    assert "Traceback" not in done.err
    assert site.horus("run", "a.py").out == "runs\n"


def test_a_file_that_nobody_runs(site, runner):
    """What can be run is said; a plugin called otherwise is not imported in search of it."""
    runner("unrelated", "baz")
    (site.work / "a.qux").write_text("")
    done = site.horus("run", "a.qux")
    assert done.code == 1
    assert "expected a .py file or an executable" in done.err
    assert "for .qux files, install a plugin" in done.err
    assert site.imports == []


def test_targets_that_are_no_files(site, runner):
    """A runner with files = False is found by the word before the colon."""
    runner("horus-box", "box", SHOW.replace('language = "a show"', "files = False"))
    done = site.horus("run", "box:image", "--", "x")
    assert (done.code, done.out) == (0, "horus_box box:image x\n"), done


def test_horus_own_runners_come_through_the_same_hook():
    """Python files, executables, packages: an entry point of the group, and subclasses of Runner."""
    own = registry.runners.box()
    assert [runner.name for runner in own] == ["py", "executable", "package"]
    assert all(isinstance(runner, Runner) for runner in own)
    assert [plugin.distribution for plugin in registry.runners.plugins(box=True)] == ["horus-core"]


def test_a_runner_accepts_its_suffix():
    """Unless it says otherwise."""

    class Foo(Runner):
        name = "foo"

        def command(self, target):
            raise LaunchError(target)

    class Box(Foo):
        name = "box"
        files = False

    assert [Foo().accepts(name) for name in ("a.foo", "b.FOO", "foo", "a.food")] == [True, True, False, False]
    assert [Box().accepts(name) for name in ("box:a", "a.box", "boxes:a")] == [True, False, False]
