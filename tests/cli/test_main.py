"""The command as such: help, version, exit codes, closed streams, Ctrl+C."""

import fcntl
import json
import os
import signal
import struct
import subprocess
import sys
import termios
from importlib.metadata import version
from pathlib import Path

import pytest

import horus as api

HORUS = [sys.executable, "-m", "horus_cli"]


def run(*arguments, **options):
    return subprocess.run([*HORUS, *arguments], capture_output=True, text=True, check=False, **options)


def test_help_lists_the_commands(ns):
    """`horus --help` names each command with a summary."""
    ended = run("--help")
    assert ended.returncode == 0
    for command in ("run", "clean", "topic"):
        assert f"  {command} " in ended.stdout


def test_help_imports_nothing_heavy(ns):
    """It answers at once because it imports neither numpy, asyncio, metadata nor any command."""
    code = (
        "import sys, json; sys.argv = ['horus', '--help']\n"
        "from horus_cli.main import main\n"
        "try: main()\n"
        "except SystemExit: print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(ended.stderr))
    heavy = {"numpy", "asyncio", "importlib.metadata", "importlib_metadata", "pluggy", "yaml", "ctypes"}
    assert not loaded & heavy
    assert not any(name.startswith("horus_plugins") for name in loaded)


def test_version_is_the_distributions(ns):
    """`horus --version` says what is installed."""
    assert run("--version").stdout == f"horus {version('horus-core')}\n"


@pytest.mark.parametrize("arguments", [["nonsense"], ["run"], ["run", "--nonsense", "a.py"], ["clean", "x"]])
# spec: F22
def test_bad_usage_exits_2_and_says_so_on_stderr(ns, arguments):
    """Usage errors: exit code 2, nothing on stdout."""
    ended = run(*arguments)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert "Usage:" in ended.stderr


def test_an_unknown_command_gets_the_nearest_name(ns):
    """`horus rum` is told of `horus run`."""
    assert "Did you mean 'run'?" in run("rum").stderr


# spec: F1 F22
def test_a_bad_namespace_exits_1_with_one_line(ns, tmp_path):
    """An error of HORUS is a sentence, not a traceback."""
    script = tmp_path / "a.py"
    script.write_text("")
    ended = run("run", str(script), env={**os.environ, "HORUS_NAMESPACE": "a b"})
    assert ended.returncode == 1
    assert "HORUS_NAMESPACE" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("redirect", [">&-", ">/dev/full", "| true"])
def test_a_stdout_that_cannot_be_written_is_no_traceback(ns, redirect):
    """Closed, full or without a reader: no traceback, no complaint of the interpreter at its end."""
    ended = subprocess.run(
        f"'{sys.executable}' -m horus_cli --help {redirect}",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr


@pytest.mark.parametrize("closed", ["<&- >&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_as_good_as_dev_null(ns, closed):
    """A follower ends as ever, and no region of shared memory gets the number, and the output, of a closed stream."""
    with api.Topic("t", dict, latched=True) as topic:
        topic.send({"a": 1})
        command = f"'{sys.executable}' -m horus_cli topic echo t --once --timeout 20 {closed}"
        ended = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert topic.latest() == {"a": 1}


def test_ctrl_c_exits_130_without_traceback(ns):
    """Whatever moment it comes at."""
    code = (
        "import os, signal, horus_cli.group as group\n"
        "group.horus.main = lambda **_: os.kill(os.getpid(), signal.SIGINT)\n"
        "from horus_cli.main import main; main()"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 128 + signal.SIGINT
    assert ended.stderr == ""


def test_output_is_whole_when_the_command_is_stopped_meanwhile(ns, wait_for):
    """Ctrl+Z and fg, or SIGSTOP, while a pipe is full: nothing is cut off, also where Python has no buffers."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    reader, writer = os.pipe()
    room = fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    with subprocess.Popen(
        [*HORUS, "msg", "list", "--json"], stdout=writer, stderr=subprocess.PIPE, env=environment
    ) as command:
        os.close(writer)
        wait_for(lambda: _bytes_in(reader) == room, "the pipe is full")
        wait_for(lambda: _state(command.pid) == "S", "it waits for room")
        command.send_signal(signal.SIGSTOP)
        wait_for(lambda: _state(command.pid) == "T", "it stands still")
        command.send_signal(signal.SIGCONT)
        with os.fdopen(reader, "rb") as pipe:
            shown = pipe.read()
        assert (command.wait(), command.stderr.read()) == (0, b"")
    assert len(shown) > 2 * room
    assert {"Imu", "CmdVel"} <= {row["name"] for row in json.loads(shown)["types"]}


def _bytes_in(pipe):
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))[0]


def _state(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
