"""`horus run` with packaged nodes: by the distribution's name, the node's, or both; placed as the options say."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ..packages.conftest import DRIVE, Packages  # noqa: TID252 - folders of tests have no other names

BROKEN = """
import sys
import horus

class Sensor:
    def open(self): raise OSError("no such device")

def exits(): sys.exit(0)
def raises(): Sensor().open()
def nothing(): return None
def wrong(*, speed: float = "fast"): ...
def bad_node(): return horus.Node("bad name", tick=lambda: None)
def twins(): return [horus.Node("twin", tick=lambda: None), horus.Node("twin", tick=lambda: None)]
def twin(): return horus.Node("twin", tick=lambda: None)
not_callable = 3
"""


@pytest.fixture
def site(tmp_path, ns):
    """A place to install packages into, in a namespace of its own."""
    return Packages(tmp_path)


@pytest.fixture
def drive(site):
    site.package("horus-drive", DRIVE, "drive", "pair")
    return site


# spec: A37 F18 F33
@pytest.mark.parametrize("word", ["drive", "horus-drive:drive", "Horus_Drive:drive"])
def test_a_packaged_node_runs_with_its_defaults(drive, word):
    """By its own name, or with its distribution's, which is compared as pip does."""
    done = drive.horus("run", word)
    assert done.code == 0, done
    assert done.out == "driver 20.0 1.0 3 ['front/log', 'cmd_vel'] ['scan'] ['drive']\n"


# spec: F18
def test_all_nodes_of_a_package_run_in_one_process(drive):
    """The distribution's name means all of them, by one scheduler."""
    done = drive.horus("run", "horus-drive")
    assert done.code == 0, done
    assert {line.split()[0] for line in done.out.splitlines()} <= {"driver", "left", "right"}
    assert "2.0 horus-drive" in done.out


# spec: F18 F21 C7 C28
def test_the_options_of_a_packaged_node(drive):
    """Rate, parameters, topics, name; arguments after -- reach sys.argv."""
    done = drive.horus(
        *("run", "drive", "--rate", "50", "--param", "max_speed=2", "--param", "steps=7"),
        *(
            "--topic",
            "cmd_vel=left/cmd_vel",
            "--topic",
            "scan=left/scan",
            "--name",
            "left",
            "--",
            "--rate",
            "1",
        ),
        HORUS_PARAM_MAX_SPEED="9",
        HORUS_PARAM_STEPS="8",
    )
    assert done.code == 0, done
    said = "left 50.0 2.0 7 ['front/log', 'left/cmd_vel'] ['left/scan'] ['drive', '--rate', '1']\n"
    assert done.out == said
    done = drive.horus("run", "drive", HORUS_PARAMS_JSON='{"max_speed": 9, "other": 1}', HORUS_NODE_RATE="5")
    assert done.out.startswith("driver 20.0 9.0 3")


# spec: C5 F19
def test_a_name_for_several_nodes_is_their_beginning(drive):
    """So two robots of one package fit into one namespace."""
    done = drive.horus("run", "pair", "--name", "robot", "--rate", "7", HORUS_PARAM_MAX_SPEED="5")
    assert done.code == 0, done
    assert "robot.left 7.0 5.0 pair" in done.out


def test_a_topic_that_no_node_declares_is_said(drive):
    """It may be right, for topics need not be declared; the nearest that is helps who mistyped."""
    done = drive.horus("run", "drive", "--topic", "cmd_vl=left")
    assert done.code == 0
    assert "No node declares the topic 'cmd_vl' of --topic. Did you mean 'cmd_vel'?" in done.err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            ["--param", "max_sped=1"],
            "Unknown parameter of horus-drive:drive: expected one of max_speed, steps, got",
        ),
        (["--param", "steps=1.5"], "Bad parameter 'steps': expected int, got '1.5' (from --param)"),
        (["--topic", "a"], "Bad --topic: expected old=new, got 'a'"),
    ],
)
def test_bad_options_are_one_sentence(drive, options, says):
    """Before any node runs; tests/packages/test_settings.py has the others."""
    done = drive.horus("run", "drive", *options)
    assert done.code == 1
    assert says in done.err
    assert "Traceback" not in done.err
    assert done.out == ""


def test_a_bad_variable_is_one_sentence(drive):
    """It names the variable."""
    done = drive.horus("run", "drive", HORUS_PARAM_STEPS="many")
    assert done.code == 1
    assert "Bad parameter 'steps': expected int, got 'many' (from HORUS_PARAM_STEPS)" in done.err


@pytest.mark.parametrize("targets", [["a.py"], ["a.py", "drive"], ["drive", "pair"]])
def test_the_options_are_for_one_packaged_node(drive, targets):
    """With anything else: usage, exit code 2."""
    (drive.work / "a.py").write_text("print('ran')")
    done = drive.horus("run", *targets, "--rate", "5")
    assert done.code == 2
    assert "--rate, --param, --topic and --name set up one packaged node; got" in done.err
    assert done.out == ""


# spec: F18
def test_a_file_wins_over_a_package(drive):
    """And a package over a folder."""
    (drive.work / "drive").mkdir()
    assert drive.horus("run", "drive").out.startswith("driver")
    (drive.work / "drive").rmdir()
    (drive.work / "drive").write_text("#!/bin/sh\necho a file\n")
    (drive.work / "drive").chmod(0o755)
    assert drive.horus("run", "drive").out == "a file\n"


def test_a_name_that_two_distributions_have_is_an_error(drive):
    """It names both, and what to write instead; so does a node called like another's distribution."""
    drive.package("acme-drive", DRIVE, "drive")
    drive.package("other", DRIVE.replace("def drive", "def horus_drive"), "horus_drive")
    done = drive.horus("run", "drive")
    assert done.code == 1
    assert (
        "got acme-drive 1.2 and horus-drive 1.2. Write 'acme-drive:drive' or 'horus-drive:drive'" in done.err
    )
    assert drive.imports == []
    assert drive.horus("run", "acme-drive:drive").code == 0


def test_an_unknown_name_says_what_was_looked_for(drive):
    """And the nearest of files and packages."""
    done = drive.horus("run", "drve")
    assert done.code == 1
    assert "a packaged node of that name; there is none. Did you mean 'drive'?" in done.err
    assert drive.horus("run", "horus-drive:nope").code == 1


@pytest.mark.parametrize(
    ("node", "says", "shows"),
    [
        ("exits", "Making the nodes of broken:exits failed: it raised SystemExit: 0", "in exits"),
        ("raises", "it raised OSError: no such device", "in open"),
        ("nothing", "expected a Node or a list of Nodes, got None", None),
        ("wrong", "expected a default of 'speed' that is float, got 'fast'", None),
        ("bad_node", "Bad node name", "in bad_node"),
        ("twins", "expected a name for each, got 'twin' from broken:twins and from broken:twins", None),
        ("not_callable", "expected a function that returns a node, got 3", None),
        ("absent", "AttributeError", None),
    ],
)
def test_a_broken_package_says_so(site, node, says, shows):
    """Exit code 1, a sentence, and the package's own lines of the traceback, not HORUS's."""
    site.package("broken", BROKEN, node)
    done = site.horus("run", node)
    assert done.code == 1
    assert says in done.err, done
    assert done.err.splitlines()[-1].startswith("horus: ")
    assert ("Traceback" in done.err) is (shows is not None)
    assert (shows or "") in done.err
    assert "horus_plugins/" not in done.err


def test_a_module_that_fails_at_import_says_so_once(site):
    """With its own traceback; a module that ends the process with 0 has not run well."""
    site.package("quits", "import sys\nsys.exit(0)\n", "a", module="quits")
    site.package("lacks", "def deep():\n    import no_such_library\ndeep()\n", "b", module="lacks")
    site.package("typo", "def (:\n", "c", module="typo")
    done = site.horus("run", "a")
    assert done.code == 1
    assert done.err.count("SystemExit: 0 (") == 1
    done = site.horus("run", "b")
    assert done.code == 1
    assert "in deep\n    import no_such_library\n" in done.err
    assert "horus_plugins/" not in done.err
    done = site.horus("run", "c")
    assert done.code == 1
    assert "SyntaxError" in done.err


def test_two_nodes_of_one_name_in_two_functions(site):
    """The error names both functions; each runs by itself."""
    site.package("twins", BROKEN + "other = twin\n", "twin", "other")
    done = site.horus("run", "twins")
    assert done.code == 1
    assert "got 'twin' from twins:other and from twins:twin" in done.err


HOSTILE = ["a b", "--name", "x:y", "é", "-", "*", "a/b.py", "\x1b[31mred"]


def test_hostile_names(site):
    """A node's name in its package may be anything: it is made by distribution:name, and never misread."""
    info = site.package("odd", BROKEN.replace('Node("bad name"', 'Node("fine"'), "bad_node")
    (info / "entry_points.txt").write_text(
        "[horus.nodes]\n" + "".join(f"{name} = odd:bad_node\n" for name in HOSTILE)
    )
    for command in ("list", "info odd"):
        done = site.horus("package", *command.split())
        assert done.code == 0, done
        assert "\x1b" not in done.out
    assert done.out.count("node fine, 30 Hz") == len(HOSTILE)
    one = site.horus("package", "info", "odd:--name")
    assert (one.code, "odd:--name  (odd:bad_node)" in one.out) == (0, True), one


ENDLESS = """
import os
import sys
import horus

def forever():
    def tick():
        if horus.tick() == 0:
            wrong = [path for path in sys.path if path in ("", os.getcwd()) or "horus_plugins" in path]
            print(os.getpid(), wrong, flush=True)
    return horus.Node("n", tick=tick)
"""


# spec: A15 F17 F18
def test_the_process_becomes_the_node(site):
    """Same pid; SIGTERM ends the run with exit code 0. Neither the working folder nor HORUS's own is on sys.path."""
    site.package("endless", ENDLESS, "forever")
    (site.work / "argparse.py").write_text("raise SystemExit('a file of the working folder was imported')")
    program = Path(sys.executable).with_name(
        "horus"
    )  # not `python -m`, which would import it for its own part
    command = subprocess.Popen(
        [program, "run", "endless"],
        env=site.environment,
        cwd=site.work,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        said = command.stdout.readline().strip()
        command.send_signal(signal.SIGTERM)
        _, err = command.communicate(timeout=30)
    finally:
        if command.poll() is None:
            command.kill()
            command.communicate()
    assert said == f"{command.pid} []", err
    assert (command.returncode, "Traceback" in err) == (0, False), err


def test_packages_and_files_run_together(drive):
    """Each with its label; nothing starts when one of them cannot be found."""
    (drive.work / "a.py").write_text("print('a file')")
    done = drive.horus("run", "a.py", "drive", "horus-drive:pair")
    assert done.code == 0, done
    assert "[a] a file\n" in done.out
    assert "[drive] driver 20.0" in done.out
    assert "[pair] left 30.0" in done.out
    assert "  2. drive (package)" in done.err
    done = drive.horus("run", "a.py", "nope")
    assert (done.code, done.out) == (1, "")


# spec: F18, F20
def test_scripts_of_the_project(drive):
    """A name of [scripts] in horus.toml, or horus.yaml, from any folder: files from its own, packages, globs."""
    nodes = drive.work / "nodes"
    nodes.mkdir()
    (nodes / "a.py").write_text("import sys; print('file a', sys.argv[1:])")
    (drive.work / "horus.toml").write_text(
        '[scripts]\none = "nodes/a.py"\nall = ["nodes/*.py", "drive"]\nbad = 3\ndrive = "nodes/a.py"\n'
    )
    elsewhere = drive.work
    drive.work = nodes
    assert drive.horus("run", "one", "--", "x").out == "file a ['x']\n"
    both = drive.horus("run", "all").out
    assert "[a] file a []" in both
    assert "[drive] driver" in both
    assert drive.horus("run", "drive").out.startswith("file a")
    done = drive.horus("run", "bad")
    assert f"expected a target, or a list of them, in [scripts], got 3 ({elsewhere}/horus.toml:4)" in done.err
    assert "Did you mean 'one'?" in drive.horus("run", "on").err
    (elsewhere / "horus.toml").write_text("[scripts\n")
    assert f"{elsewhere}/horus.toml:1" in drive.horus("run", "one").err
    (elsewhere / "horus.toml").unlink()
    (elsewhere / "horus.yaml").write_text("name: on\nscripts:\n  one: nodes/a.py\n")
    assert drive.horus("run", "one", "--", "x").out == "file a ['x']\n"
    assert "a script of horus.yaml and" in drive.horus("run", "onne").err
