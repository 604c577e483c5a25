"""Spin finds an error in a model where there is one, and none where there is none: `make model` runs this file.

`make test` leaves it out: it explores again what `make model` explores.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from model_settings import Setting
from spin_run import explore

HERE = Path(__file__).parent

pytestmark = pytest.mark.skipif(shutil.which("spin") is None, reason="spin is not installed")


def test_the_ring_is_clean_and_its_fault_is_caught() -> None:
    """The smallest setting has no error, and has one when the reader's second look is dropped."""
    result = explore(Setting("ring", "one message each", ""), 60)
    assert not result.found
    assert not result.partial
    assert result.states > 1000
    mutated = explore(Setting("ring", "", "MESSAGES=2 MUT_second_look_dropped", caught=True), 60)
    assert "a==b" in mutated.found


def test_a_block_of_the_pool_can_be_lost_only_by_a_mutation() -> None:
    """A bit that stays after a failed look keeps its block; without the fault all blocks can be had."""
    assert not explore(Setting("pool", "", "USES=1"), 60).found
    assert explore(Setting("pool", "", "MUT_bit_left_after_failed_look", caught=True), 60).found


def test_the_command_ends_with_one_when_a_verdict_is_not_expected(tmp_path: Path) -> None:
    """A setting whose error is not found makes the command fail."""
    for name in ("__main__.py", "spin_run.py", "common.h", "pool.pml"):
        shutil.copy(HERE / name, tmp_path)
    settings = (HERE / "model_settings.py").read_text()
    wrong = '\nRUNS = [Setting("pool", "wrong", "USES=1", caught=True)]\nMUTATIONS = []\n'
    (tmp_path / "model_settings.py").write_text(settings + wrong)
    done = subprocess.run(
        [sys.executable, tmp_path], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 1
    assert "NOT CAUGHT" in done.stdout
