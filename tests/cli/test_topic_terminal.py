"""`horus topic echo` in a real terminal: what stands on the screen, and what keys do."""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import horus as api

_numbers = itertools.count()
needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")


class Terminal:
    """One pane, each command in a tmux server of its own."""

    def __init__(self, wait_for):
        self._server = ""
        self._wait_for = wait_for

    def _tmux(self, *arguments):
        done = subprocess.run(
            ["tmux", "-L", self._server, "-f", "/dev/null", *arguments],
            capture_output=True,
            text=True,
            timeout=30,
        )
        return done.stdout

    def run(self, line, environment=""):
        self.close()
        self._server = f"horus-test-{os.getpid()}-{next(_numbers)}"
        self._tmux(
            "new-session", "-d", "-x", "70", "-y", "16", "sh", "-c",
            f"trap : INT; HORUS_NAMESPACE={os.environ['HORUS_NAMESPACE']} {environment} "
            f"{sys.executable} -m horus_cli {line}; "
            "echo code $?; stty -a | grep -o ' icanon'; exec cat",
        )  # fmt: skip

    def press(self, *keys):
        self._tmux("send-keys", *keys)

    def resize(self, columns, rows):
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def screen(self, *options):
        return self._tmux("capture-pane", "-p", *options)

    def shows(self, condition, what):
        """Wait until the screen is so, and return it."""
        seen = []

        def look():
            seen[:] = [self.screen()]
            return condition(seen[0])

        try:
            self._wait_for(look, what)
        except AssertionError:
            pytest.fail(f"{what}: the screen is\n{seen[0]}")
        return seen[0]

    def close(self):
        if self._server:
            self._tmux("kill-server")
            folder = Path(os.environ.get("TMUX_TMPDIR", "/tmp")) / f"tmux-{os.geteuid()}"
            (folder / self._server).unlink(missing_ok=True)


@pytest.fixture
def terminal(ns, wait_for, monkeypatch):
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    one = Terminal(wait_for)
    yield one
    one.close()


@contextlib.contextmanager
def feeding(topic, make):
    over = threading.Event()

    def feed():
        number = 0
        while not over.wait(0.005):
            topic.send(make(number))
            number += 1

    thread = threading.Thread(target=feed)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@needs_tmux
def test_hostile_text_cannot_steer_the_terminal(terminal):
    """Colours on a terminal, of ours only: what a message brings is shown, moves no cursor and clears no screen."""
    topic = api.Topic("t", dict, latched=True)
    topic.send(
        {"text": "\x1b[2J\x1b[31mred\x07\r\n---\nbattery: 99", "\x1b]0;title\x07": "\x9b31m", "last": 1}
    )
    terminal.run("topic echo t --once")
    screen = terminal.shows(lambda screen: "code 0" in screen, "the command ends")
    assert screen.splitlines()[:3] == [
        'text: "\\x1b[2J\\x1b[31mred\\x07\\x0d\\n---\\nbattery: 99"',
        '"\\x1b]0;title\\x07": "\\x9b31m"',
        "last: 1",
    ]
    assert "\x1b[36mtext\x1b[39m" in terminal.screen("-e")
    terminal.run("topic echo t --once --csv", "NO_COLOR=1")
    screen = terminal.shows(lambda screen: "code 0" in screen, "the command ends")
    assert "\\x1b[2J\\x1b[31mred\\x07\\x0d\\x0a" in screen
    assert "\x1b[3" not in terminal.screen("-e")


@needs_tmux
def test_a_plot_is_drawn_and_takes_keys(terminal):
    """The value, the line, the window; + - space change it, a new size too; q leaves the terminal as it was."""
    topic = api.Topic(api.Imu)
    with feeding(topic, lambda number: api.Imu(accel_x=5 + math.sin(number / 50))):
        terminal.run("topic echo imu --plot accel_x")
        screen = terminal.shows(
            lambda screen: screen.count("⠀") > 50 and "points" in screen, "the plot is drawn"
        )
        lines = screen.splitlines()
        assert lines[0].startswith("imu  accel_x   ")
        assert "-10 s" in lines[14]
        assert lines[15] == "+ - window   space pause   q quit"
        terminal.press("+")
        terminal.shows(lambda screen: "-5 s" in screen, "a shorter window")
        terminal.press("-", "-")
        terminal.shows(lambda screen: "-20 s" in screen, "a longer window")
        terminal.press("Space")
        terminal.shows(lambda screen: "paused" in screen, "it stands still")
        terminal.press("Space")
        terminal.resize(50, 10)
        terminal.shows(lambda screen: "-20 s" in (screen.splitlines() + [""] * 10)[8], "it fits the new size")
        terminal.press("q")
        screen = terminal.shows(lambda screen: "code 0" in screen, "the command ends")
        assert "accel_x" not in screen
        assert "icanon" in terminal.shows(lambda screen: "icanon" in screen, "keys are lines again")
    values = api.Topic("values", dict, latched=True)
    values.send({"a": "text"})
    terminal.run("topic echo values --plot a")
    screen = terminal.shows(lambda screen: "code 1" in screen, "what is no number is an error")
    assert "Cannot plot a: expected a number, got str" in screen
    terminal.run("topic echo nothing --plot a --namespace empty")
    terminal.shows(lambda screen: "waiting" in screen, "it waits")
    terminal.press("C-c")
    terminal.shows(lambda screen: "code 130" in screen and "icanon" in screen, "Ctrl+C ends it")
