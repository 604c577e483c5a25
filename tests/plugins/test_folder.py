"""One-file plugins: a folder that horus.toml names, whose files may implement any hook and bring commands."""

from __future__ import annotations

import pytest

WATCH = """
import os
with open(os.environ["IMPORTS"], "a") as file:
    file.write("watch ")

import click
import horus
from ._shared import GREETING


class Gripper(horus.Message):
    width: horus.f64 = 3.0


@horus.hookimpl
def horus_register_messages(register):
    register(Gripper)


@horus.hookimpl
def horus_node_started(node):
    print("started", node.name, flush=True)


@click.command()
def say_hello():
    click.echo(GREETING)


@click.command("bye")
def goodbye():
    click.echo("bye")
"""
RUN = """
import horus
from horus_core.messages import registry
found = registry.find("Gripper")
print(found and found().width)
horus.run(horus.Node("arm", tick=lambda: None), duration=0)
"""


@pytest.fixture
def project(site):
    """A project with one plugin, and horus.toml that names the folder."""
    folder = site.work / "mine"
    folder.mkdir()
    (folder / "watch.py").write_text(WATCH)
    (folder / "_shared.py").write_text("GREETING = 'hello'\n")
    (site.work / "horus.toml").write_text('[plugins]\nfolder = "mine"\n')
    return site


def test_any_hook_and_commands(project):
    """One file gives a message type, observes nodes and brings commands, without being installed."""
    assert project.python(RUN).out.splitlines() == ["3.0", "started arm"]
    assert project.horus("say-hello").out == "hello\n"
    assert project.horus("bye").out == "bye\n"
    assert project.imports == ["watch"] * 3, "one import a process, for all groups together"


def test_help_and_list_tell_the_file_and_import_nothing(project):
    """What a file supplies is read from its text."""
    assert "say-hello  mine/watch.py" in project.horus("--help").out
    listed = project.horus("plugin", "list").out
    for row in ("watch horus.messages mine/watch.py", "watch horus.lifecycle mine/watch.py"):
        assert row in " ".join(listed.split())
    assert project.imports == []


def test_off_unless_named(project):
    """Without the line in horus.toml nobody looks into the folder, nor does anybody elsewhere."""
    (project.work / "horus.toml").write_text("[plugins]\n")
    assert project.python(RUN).out == "None\n"
    assert project.horus("bye").code == 2
    assert project.imports == []


@pytest.mark.parametrize("environment", [{"HORUS_PLUGINS": ""}, {"HORUS_PLUGINS": "other"}])
def test_switched_off_like_others(project, environment):
    """HORUS_PLUGINS, and `horus plugin disable` by the file's name."""
    assert project.python(RUN, **environment).out == "None\n"
    assert project.python(RUN, HORUS_PLUGINS="watch").out.splitlines() == ["3.0", "started arm"]
    assert project.horus("plugin", "disable", "watch").code == 0
    assert project.python(RUN).out == "None\n"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("x = (", "broken.py:1)"),
        ("x = 1", "expected functions marked with @horus.hookimpl or @click.command(), got none"),
        (
            "import horus\n@horus.hookimpl\ndef horus_node_faild(node): ...",
            "Did you mean 'horus_node_failed'?",
        ),
    ],
)
def test_a_broken_file_harms_no_other(project, source, reason):
    """It is said once, with its name, and the other files work."""
    (project.work / "mine" / "broken.py").write_text(source)
    done = project.python(RUN)
    assert done.out.splitlines() == ["3.0", "started arm"]
    assert done.err.count("mine/broken.py") >= 1
    assert len(done.err.splitlines()) == 1, done
    assert reason in done.err
    checked = project.horus("plugin", "check", "broken")
    assert checked.code == 1
    assert reason in checked.out


def test_a_broken_file_that_may_not_be_used_is_not_said(project):
    """Who leaves it out, or disables it, hears nothing of it; `horus plugin info` tells what is wrong."""
    (project.work / "mine" / "broken.py").write_text("x = (")
    assert project.horus("--no-plugins", "plugin", "list").err == ""
    assert project.python(RUN, HORUS_PLUGINS="watch").err == ""
    assert project.horus("plugin", "disable", "broken").code == 0
    assert project.python(RUN).err == ""
    told = project.horus("plugin", "info", "broken")
    assert told.code == 1
    assert f"  why           SyntaxError: '(' was never closed ({project.work}/mine/broken.py:1)" in told.out


def test_a_working_folder_that_was_removed(site):
    """Python looks for modules there, too: nothing is found, and nothing fails."""
    done = site.python(
        "import os, sys; os.mkdir('gone'); os.chdir('gone'); os.rmdir(os.getcwd()); sys.path.insert(0, '')\n"
        "from horus_core.messages import registry\n"
        "print(registry.find('CmdVel').__name__)"
    )
    assert done.out == "CmdVel\n", done
