"""A spread of what `python tests/crash --kills N` does: kills and stops at every named step, line and moment."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.timeout(300)  # a part of which the compiler may need
@pytest.mark.parametrize(("half", "kills"), [("native", 240), ("python", 120)])
def test_those_who_are_left_go_on(half, kills):
    """After each kill and each stop peers go on within 100 ms, accounts close, no block is lost, and cleaning leaves
    what the living use and nothing else; every named step is passed by some role.
    """
    done = subprocess.run(
        [sys.executable, str(Path(__file__).parent), "--kills", str(kills), "--only", half],
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["faults"] >= kills
    assert figures["failure"] is None
    assert figures["kills"] > 0
    assert figures["stops"] > 0
