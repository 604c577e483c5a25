"""Every example in the help of commands that look at a running robot, or steer it, against one that runs."""

from __future__ import annotations

import os
import shlex
import signal

import click
from click.testing import CliRunner
from horus_cli import commands
from horus_cli.group import horus as root

ROBOT = """
    import horus

    class Gripper(horus.Message, topic="gripper"):
        width: horus.f64 = 0.0

    def see(node):
        node.send("scan", horus.LaserScan())
        node.log_warning("joint 5 is stiff", every=0.2)
        print("ticks", flush=True)

    def grip(node):
        node.send("gripper", Gripper(width=0.1))

    horus.run(
        horus.Node("camera", tick=see, rate=50, pubs=[horus.Pub("scan", horus.LaserScan)]),
        horus.Node("arm", tick=grip, rate=50),
        horus.Node("arm2", tick=lambda node: None, rate=50),
        horus.Node("gripper", tick=lambda node: None, rate=50),
        name="robot",
    )
    """
GRIPPER = '''
    import horus

    class Gripper(horus.Message, topic="gripper"):
        """How a gripper stands."""

        timestamp_ns: horus.u64 = horus.field(default=0, unit="ns", doc="When it was seen.", kw_only=True)
        width: horus.f64 = horus.field(default=0.0, unit="m", doc="Between the fingers.")
    '''
LOOKING = (
    "topic list", "node list", "node info", "graph", "logs", "blackbox", "msg list", "msg show", "msg check",
    "version", "plugin list", "package list", "completion", "new", "clean",
)  # fmt: skip
STEERING = "node pause", "node resume", "node restart", "estop", "node kill"
"""In this order: what is killed is not there for others."""
ELSEWHERE = {
    "run": "cli/test_docs.py",
    "launch": "launch/test_session_life.py",
    "service install": "cli/test_service.py",
    "service status": "cli/test_service.py",
    "service uninstall": "cli/test_service.py",
    "msg diff": "cli/test_msg.py",
    "param": "cli/test_param.py",
    "topic": "cli/test_topic_observers.py, test_topic_echo.py, test_topic_pub.py",
    "package": "packages/test_package_command.py",
    "plugin info": "plugins/test_plugin_command.py",
    "plugin check": "plugins/test_plugin_command.py",
    "plugin enable": "plugins/test_switches.py",
    "plugin disable": "plugins/test_switches.py",
    "install": "cli/test_install.py",
    "uninstall": "cli/test_install.py",
}
"""What needs more than a robot, by the beginning of its words, and who runs it."""
FOLLOWS = {"-f", "--watch"}


def _leaves(words, command):
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from _leaves([*words, name], command.get_command(context, name))
    else:
        yield " ".join(words), command


HELP = {
    words: command.help.partition("Examples:")[2]
    for name in commands.SUMMARIES
    for words, command in _leaves([name], commands.load(name))
}


def _examples(command):
    """The words of each example, after `horus`; what a shell does with the output is the shell's."""
    for words in (word for word in HELP if word == command or word.startswith(f"{command} ")):
        for line in HELP[words].splitlines():
            if line.strip().startswith("horus "):
                yield shlex.split(line.strip().split("  ")[0].partition(" > ")[0])[1:]


def test_every_command_s_examples_are_run_somewhere():
    """A new command stands here, or says which tests run its examples."""
    here = {
        words for words in HELP for command in (*LOOKING, *STEERING) if f"{words} ".startswith(f"{command} ")
    }
    there = {words for words in HELP for command in ELSEWHERE if f"{words} ".startswith(f"{command} ")}
    assert here | there == set(HELP)


# spec: F22
def test_the_examples_of_the_help_do_what_they_say(horus, script, tmp_path, monkeypatch):
    """Each exits with 0 and shows something, with the nodes, topics and files that the help names."""
    monkeypatch.chdir(tmp_path)
    script("gripper.py", GRIPPER)
    script("my_messages.py", GRIPPER)
    robot = horus("run", script("robot.py", ROBOT))
    robot.shows("ticks", times=3)
    ran = 0
    for command in (*LOOKING, *STEERING):
        for words in _examples(command):
            ran += 1
            if FOLLOWS & set(words):
                _follow(horus(*words))
            else:
                _run(words, {"PYTHONPATH": str(tmp_path)})
    assert ran > 40
    assert robot.process.poll() is None, "camera and arm2 are left"


def _run(words, environment):
    done = CliRunner().invoke(root, words, env=environment)
    assert done.exit_code == 0, (words, done.output, done.exception)
    assert done.stdout or done.stderr or "-o" in words, words


def _follow(command):
    command.shows("\n")
    os.kill(command.pid, signal.SIGINT)
    assert command.wait() == 130, command.stderr
    assert command.stdout
