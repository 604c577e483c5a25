"""node.log_*: levels, throttling, stderr, stdlib logging."""

from __future__ import annotations

import logging
import os
import subprocess
import sys

import pytest

from horus_core.nodes.node import Node

PROGRAM = """
from horus_core.nodes.node import Node
from horus_core.scheduler.run import run

def tick(node):
    for level in ("debug", "info", "warning", "error"):
        getattr(node, f"log_{level}")(f"says {level}")

run(Node("arm", tick=tick), duration=0)
"""


def stderr_of(program, **env):
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr


# spec: F20, E7, D14
@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({}, ["info", "warning", "error"]),
        ({"HORUS_LOG": "debug"}, ["debug", "info", "warning", "error"]),
        ({"HORUS_LOG_LEVEL": "WARNING"}, ["warning", "error"]),
        ({"HORUS_LOG": "error", "HORUS_LOG_LEVEL": "debug"}, ["error"]),
    ],
)
def test_levels_on_stderr(env, expected):
    """HORUS_LOG, else HORUS_LOG_LEVEL, else info: that level and above go to stderr, with time and node."""
    code, err = stderr_of(PROGRAM, **env)
    assert code == 0
    lines = [line.split(" ", 3) for line in err.splitlines() if "says" in line]
    assert [line[3] for line in lines] == [f"arm: says {level}" for level in expected]
    assert [line[2] for line in lines] == [level.upper() for level in expected]


# spec: A54
def test_debug_tells_what_happens(namespace):
    """HORUS_LOG=debug shows nodes starting and stopping."""
    _, err = stderr_of(PROGRAM, HORUS_LOG="debug")
    assert f"DEBUG arm: started in namespace {namespace!r} (30 Hz, order 100)" in err
    assert "DEBUG arm: stopped" in err


def test_bad_level_is_an_error():
    """A level that does not exist is refused, not taken for another."""
    code, err = stderr_of(PROGRAM, HORUS_LOG="loud")
    assert code == 1
    assert "Bad HORUS_LOG: expected one of debug, info" in err


def test_stdlib_logging_gets_everything(caplog):
    """Records reach handlers of the user's own, with the node in the logger's name."""
    node = Node("arm", tick=lambda: None)
    node.log_warning("hot")
    assert [(r.name, r.levelname, r.getMessage()) for r in caplog.records] == [
        ("horus.node.arm", "WARNING", "hot")
    ]


def test_percent_signs_are_text(caplog):
    """A message is text, never a format."""
    Node("arm", tick=lambda: None).log_info("at 100 %s")
    assert caplog.records[-1].getMessage() == "at 100 %s"


def test_every_throttles_a_line_of_code(caplog):
    """`every` lets a line of code speak once in that time, whatever its text; others are not affected."""
    node = Node("arm", tick=lambda: None)
    for i in range(5):
        node.log_info(f"position {i}", every=60)
        node.log_info(f"speed {i}", every=60)
        node.log_info(f"count {i}", every=0)
    texts = [record.getMessage() for record in caplog.records]
    assert texts[:3] == ["position 0", "speed 0", "count 0"]
    assert texts[3:] == [f"count {i}" for i in range(1, 5)]


def test_not_twice_on_one_stream():
    """A program that sends root logging to stderr itself sees each line once."""
    _, err = stderr_of("import logging; logging.basicConfig(level=logging.INFO)\n" + PROGRAM)
    assert err.count("says info") == 1
    assert err.count("says error") == 1


def test_below_the_level_nothing_is_made(caplog):
    """A line below the level makes no record at all."""
    node = Node("arm", tick=lambda: None)
    logging.getLogger("horus").setLevel(logging.ERROR)
    try:
        node.log_info("unheard")
    finally:
        logging.getLogger("horus").setLevel(logging.INFO)
    assert caplog.records == []
