"""Help that helps, version and completion."""

# spec: F22

import json
import os
import subprocess
import sys

import click
import pytest
from horus_cli import commands


def _walk(words, command):
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from _walk([*words, name], command.get_command(context, name))
    else:
        yield " ".join(words), command


ALL = [pair for name in commands.SUMMARIES for pair in _walk([name], commands.load(name))]


def test_every_command_stands_under_a_task():
    """`horus --help` has each of HORUS's commands once, by what somebody wants to do."""
    shown = [name for _, listed in commands.by_task() for name, _ in listed]
    assert sorted(shown) == sorted(commands.SUMMARIES)


@pytest.mark.parametrize(("words", "command"), ALL, ids=[words for words, _ in ALL])
def test_every_help_has_examples(words, command):
    """Each command's help ends with lines that can be typed: docs/cli-reference.md has them, tests/docs runs them."""
    assert "\n\b\nExamples:\n" in command.help
    assert f"horus {words}" in command.help
    assert all(option.help for option in command.params if isinstance(option, click.Option))


def test_version_tells_what_a_bug_report_needs(horus):
    """`horus version` names HORUS, Python and the machine."""
    command = horus("version", "--json")
    assert command.wait() == 0
    found = json.loads(command.stdout)
    assert found["executable"] == sys.executable
    assert found["platform"].split()[1] == os.uname().release
    shown = horus("version")
    assert shown.wait() == 0
    assert found["horus"] in shown.stdout


@pytest.mark.parametrize(("words", "command"), ALL, ids=[words for words, _ in ALL])
def test_no_number_is_nan(words, command):
    """NaN passes every comparison with a limit: as seconds it would be no time at all, or for ever."""
    for option in command.params:
        if isinstance(option.type, click.FloatRange):
            with pytest.raises(click.BadParameter, match="nan"):
                option.type("nan")


UNBOUNDED = {"run", "completion", "install", "uninstall", "topic pub", "topic hz", "topic bw", "topic delay"}
"""What runs another program for as long as it takes, follows until it is told to end, or only prints a text."""


def test_every_command_is_bounded():
    """Who looks at a robot that is stuck does not hang with it: all but those end by --timeout."""
    ends = {words for words, command in ALL if any("--timeout" in option.opts for option in command.params)}
    assert {words for words, _ in ALL} - ends == UNBOUNDED


NOT_FOR_PROGRAMS = {"run", "launch", "completion"}
"""What shows the output of others, or prints a script."""


@pytest.mark.parametrize(("words", "command"), ALL, ids=[words for words, _ in ALL])
def test_every_command_speaks_json(words, command):
    """Each command that has something to tell tells it to programs, too."""
    options = {opt for option in command.params for opt in option.opts}
    assert "--json" in options or words in NOT_FOR_PROGRAMS


@pytest.mark.parametrize("group", sorted({words.split()[0] for words, _ in ALL if " " in words}))
def test_the_summary_of_a_verb_is_whole(group):
    """The help of a group shows the first sentence of each of its verbs, and cuts none."""
    command = commands.load(group)
    shown = command.get_help(click.Context(command, info_name=group)).split("Commands:")[1]
    assert not [line for line in shown.splitlines() if line.endswith("...")]
    assert shown.rstrip().endswith(".")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_a_shell(horus, shell):
    """`horus completion` prints the script alone to stdout, so that it can be redirected."""
    command = horus("completion", shell)
    assert command.wait() == 0
    assert "_HORUS_COMPLETE" in command.stdout
    assert "To keep it" not in command.stdout
    assert command.stderr == "", "`eval` of it, at each start of a shell, shows nothing"


def test_a_shell_completes_commands(ns):
    """What bash asks for is answered: names of commands, plugins' too, that begin so."""
    asked = {"COMP_WORDS": "horus ver", "COMP_CWORD": "1", "_HORUS_COMPLETE": "bash_complete"}
    line = [sys.executable, "-c", "from horus_cli.main import main; main()"]
    done = subprocess.run(line, env={**os.environ, **asked}, capture_output=True, text=True, timeout=30)
    assert done.stdout.split() == ["plain,version"]


def test_a_namespace_can_be_named_on_the_line(horus, ns):
    """--namespace counts for more than HORUS_NAMESPACE, before the command or after it; bad ones are refused."""
    listing, there = ["topic", "list", "--json"], ["--namespace", f"{ns}-other"]
    for line in ([*there, *listing], [*listing, *there]):
        command = horus(*line)
        assert command.wait() == 0
        assert json.loads(command.stdout)["namespace"] == f"{ns}-other"
    refused = horus("topic", "list", "--namespace", "no/name")
    assert refused.wait() == 2
    assert "no/name" in refused.stderr


def test_time_is_up(horus, ns):
    """A command that waits for what does not come ends with 124, and says so."""
    import fcntl

    from horus_core.shm import namespace

    with (namespace.directory(ns) / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        command = horus("clean", "--timeout", "0.5")
        assert command.wait() == 124
    assert "time" in command.stderr
    assert "Traceback" not in command.stderr
