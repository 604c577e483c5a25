"""`horus teleop` in a terminal: what is typed is driven, and nothing when nothing is typed."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import termios

import pytest
from horus_teleop.driver import HOLD_S, Driver

import horus

LIMIT_S = 30.0
COMMAND = [sys.executable, "-m", "horus_cli", "teleop"]


class Terminal:
    """The command in a terminal of its own."""

    def __init__(self, *options: str) -> None:
        self._ours, theirs = pty.openpty()
        self._theirs = theirs
        self.before = termios.tcgetattr(theirs)
        self.process = subprocess.Popen(
            [*COMMAND, *options], stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, text=True
        )

    def type(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def settings(self) -> list[object]:
        return termios.tcgetattr(self._theirs)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        os.close(self._ours)
        os.close(self._theirs)


@pytest.fixture
def terminal(horus_namespace):
    started: list[Terminal] = []

    def start(*options: str) -> Terminal:
        started.append(Terminal(*options))
        return started[-1]

    yield start
    for one in started:
        one.close()


def wait_for(commands, wanted):
    """Velocities until those that are wanted come."""
    while True:
        assert commands.wait(LIMIT_S), "no velocity"
        command = commands.recv()
        if (round(command.linear, 3), round(command.angular, 3)) == wanted:
            return


def test_it_drives_while_keys_come_and_stands_without(terminal):
    """Key w drives, w and a drive and turn, half a second without keys stops; q ends it at zero, with 0."""
    with horus.Topic("left/cmd_vel", horus.CmdVel) as commands:
        one = terminal("--topic", "left/cmd_vel", "--linear", "0.5", "--angular", "1.5")
        wait_for(commands, (0.0, 0.0))
        one.type("w")
        wait_for(commands, (0.5, 0.0))
        wait_for(commands, (0.0, 0.0))
        one.type("w\x1b[D")
        wait_for(commands, (0.5, 1.5))
        one.type("sq")
        assert one.process.wait(LIMIT_S) == 0
        assert commands.recv_all()[-1] == horus.CmdVel(0.0, 0.0)
    assert one.settings() == one.before, "the terminal is as it was"


def test_ctrl_c_ends_it_at_zero(terminal):
    """As any node: shutdown() sends the last zero, no traceback."""
    with horus.Topic(horus.CmdVel) as commands:
        one = terminal()
        wait_for(commands, (0.0, 0.0))
        one.type("w")
        wait_for(commands, (0.3, 0.0))
        one.process.send_signal(signal.SIGINT)
        _, err = one.process.communicate(timeout=LIMIT_S)
        assert "Traceback" not in err
        assert commands.recv_all()[-1] == horus.CmdVel(0.0, 0.0)


def test_help_ends_with_an_example():
    """On a line of its own, without marks of the markup."""
    done = subprocess.run([*COMMAND, "--help"], check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.rstrip().endswith("\n  Example: horus teleop --linear 0.5 --topic left/cmd_vel")
    assert "\\" not in done.stdout


def test_without_a_terminal(horus_namespace):
    """It says what it needs."""
    done = subprocess.run(
        COMMAND, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert "expected a terminal on stdin" in done.stderr


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        ("w", (1.0, 0.0)),
        ("ws", (0.0, 0.0)),
        ("wd", (1.0, -2.0)),
        ("\x1b[A\x1b[C", (1.0, -2.0)),
        ("w\x1b[A", (1.0, 0.0)),
        ("w ", (0.0, 0.0)),
        ("w\x1b", (0.0, 0.0)),
        ("é", (0.0, 0.0)),
    ],
)
def test_keys(keys, wanted):
    """Keys add up and are never faster than asked; any other stops at once."""
    driver = Driver(1.0, 2.0)
    driver.press(keys, 10.0)
    assert driver.command(10.1) == wanted
    assert driver.command(10.0 + HOLD_S) == (0.0, 0.0)
