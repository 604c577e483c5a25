"""The models name what the C does, know the mutations that are put into the C, and notice a fault."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from model_settings import MUTATIONS, RUNS, Setting
from spin_run import MARKDOWN_HEADER, Result, markdown, markdown_setting, read_pan
from unmodelled import UNMODELLED

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "horus_core/native/src"
PROTOCOL = HERE.parents[1] / "docs/protocol.md"
FAULTS_IN_C = HERE.parents[1] / "horus_core/native/tests/mutations.yaml"

needs_spin = pytest.mark.skipif(shutil.which("spin") is None, reason="spin is not installed")


def text_of(paths: list[Path]) -> str:
    return "\n".join(path.read_text() for path in paths)


MODELS = text_of([*HERE.glob("*.pml"), *HERE.glob("*.h")])
C = text_of([*SOURCE.glob("*.c"), *SOURCE.glob("*.h")])
STEPS_OF_C = set(re.findall(r"\bX\((\w+)\)", (SOURCE / "step.h").read_text()))
STEPS_OF_MODELS = set(re.findall(r"(?:STEP|slot_count_void)\((\w+__\w+)", MODELS))


def test_each_step_of_the_models_is_one_of_the_c() -> None:
    """A label in a model is a step in step.h."""
    assert STEPS_OF_MODELS
    assert not STEPS_OF_MODELS - STEPS_OF_C


def test_each_step_of_the_c_is_modelled_or_has_a_reason() -> None:
    """No step is left out silently, and none is on the list that is in a model or is gone."""
    assert set(UNMODELLED) == STEPS_OF_C - STEPS_OF_MODELS


@pytest.mark.parametrize("step", sorted(STEPS_OF_C))
def test_each_step_stands_in_its_function(step: str) -> None:
    """STEP(function__access) stands in a file that defines the function."""
    function = step.split("__", maxsplit=1)[0]
    files = [path for path in SOURCE.iterdir() if f"STEP({step})" in path.read_text()]
    assert files
    for path in files:
        assert re.search(rf"^\w[\w\s*]*\b{function}\(", path.read_text(), re.MULTILINE), path


def test_the_mutations_are_those_of_the_c() -> None:
    """What the models catch is put into the C as well (mutations.yaml), and the other way round."""
    in_models = set(re.findall(r"\bMUT_(\w+)", MODELS))
    run = [
        define[len("MUT_") :]
        for setting in MUTATIONS
        for define in setting.defines.split()
        if "MUT_" in define
    ]
    in_c = set(re.findall(r"^- name: (\w+)", FAULTS_IN_C.read_text(), re.MULTILINE))
    assert sorted(run) == sorted(in_models)
    assert in_models == in_c


def test_each_mutation_has_a_clean_base() -> None:
    """A caught mutation says something only if the same setting without it is clean."""
    clean = {(setting.model, setting.defines) for setting in RUNS if not setting.caught and not setting.full}
    for setting in MUTATIONS:
        base = " ".join(define for define in setting.defines.split() if not define.startswith("MUT_"))
        assert (setting.model, base) in clean, setting.says


def test_a_run_that_was_cut_short_is_not_called_exhaustive() -> None:
    """Pan's own complaints make a run partial, and a partial run is not as expected."""
    clean = Setting("ring", "", "")
    whole = "State-vector 88 byte, depth reached 9, errors: 0\n  12 states, stored\n"
    assert read_pan(whole, "exhaustive").verdict(clean) == "as expected"
    for complaint in (
        "error: max search depth too small",
        "pan: reached -DMEMLIM bound",
        "Warning: Search not completed",
    ):
        assert "NOT FINISHED" in read_pan(f"{complaint}\n{whole}", "exhaustive").verdict(clean)
    assert "NOT FINISHED" in read_pan("killed", "exhaustive").verdict(clean)
    wrong = read_pan(f"pan:1: assertion violated (a==b) (at depth 3)\n{whole}", "exhaustive")
    assert wrong.verdict(clean) == "ERROR: assertion violated (a==b)"
    assert read_pan(whole, "exhaustive").verdict(clean._replace(caught=True)) == "NOT CAUGHT"


def test_the_table_of_the_protocol_has_these_settings() -> None:
    """Each run has its row, in order, whole or said to be partial, and with the verdict that it must have."""
    text = PROTOCOL.read_text(encoding="utf-8")
    rows = text.split(f"{MARKDOWN_HEADER}\n")[1].split("\n\n")[0].splitlines()
    settings = [*RUNS, *MUTATIONS]
    assert [f"{row.rsplit('|', 4)[0]}|" for row in rows] == [
        markdown_setting(setting) for setting in settings
    ]
    for setting, row in zip(settings, rows, strict=True):
        states, extent, verdict = (cell.strip() for cell in row.rsplit("|", 4)[1:4])
        assert int(states.replace(",", "")) > 0
        assert verdict == ("error, as it must" if setting.caught else "no error"), row
        partial = setting.search == "bitstate"
        assert extent.startswith("–" if setting.caught else "**partial**" if partial else "exhaustive"), row


def test_the_table_is_printed_as_the_protocol_has_it() -> None:
    """What is not as expected is not called an error that must be."""
    settings = [Setting("pool", "a", "X"), Setting("pool", "b", "", caught=True), Setting("pool", "c", "")]
    results = [
        Result(1234, 9, 1, 1, "", ""),
        Result(5, 9, 1, 1, "", "assertion violated"),
        Result(6, 9, 1, 1, "stopped", ""),
    ]
    assert markdown(settings, results).splitlines()[2:] == [
        "| pool | a | `X` | 1,234 | exhaustive | no error |",
        "| pool | b |  | 5 | – | error, as it must |",
        "| pool | c |  | 6 | **partial**, stopped | NOT FINISHED: stopped |",
    ]


def command(*words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, HERE, *words], capture_output=True, text=True, timeout=100, check=False, **more
    )


@needs_spin
def test_a_word_that_no_setting_has_is_an_error_that_lists_them() -> None:
    """A misspelt word does not pass for a run in which nothing was found."""
    done = command("one kil", "two kilz")
    assert done.returncode == 2
    assert "'two kilz'" in done.stderr
    assert "'one kil'" not in done.stderr
    assert "mutation second_look_dropped" in done.stderr


def test_without_spin_it_is_said_what_to_install(tmp_path: Path) -> None:
    """Not a traceback."""
    done = command("mutation", env={"PATH": str(tmp_path)})
    assert done.returncode == 2
    assert "apt-get install spin" in done.stderr
    assert "Traceback" not in done.stderr
