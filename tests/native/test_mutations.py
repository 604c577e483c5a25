"""The faults that `make mutations` puts into the C are still such: each changes one place of the sources."""

import re
import subprocess
import sys

import pytest

from . import mutate

ALL = mutate.mutations()


@pytest.mark.parametrize("mutation", ALL, ids=lambda mutation: mutation.name)
def test_a_mutation_changes_one_place(mutation: mutate.Mutation) -> None:
    """Its text occurs once in its file, and what stands there instead is something else."""
    source = (mutate.ROOT / mutate.NATIVE / "src" / mutation.file).read_text(encoding="utf-8")
    assert source.count(mutation.text) == 1
    assert mutation.instead != mutation.text
    assert mutation.says.endswith((".", ")"))


@pytest.mark.parametrize("program", sorted({mutation.run for mutation in ALL}))
def test_what_must_fail_exists(program: str) -> None:
    """A program is made from a test of the C, in a kind of build that the Makefile knows; a script is there."""
    if built := re.fullmatch(r"build/([\w-]+)/(\w+)", program):
        assert f"call C_BUILD,{built[1]}," in (mutate.ROOT / "Makefile").read_text(encoding="utf-8")
        assert (mutate.ROOT / mutate.NATIVE / "tests" / f"{built[2]}.c").exists()
    else:
        assert (mutate.ROOT / program).exists()


def test_names_are_used_once() -> None:
    """A name stands for one fault, here and in the models."""
    names = [mutation.name for mutation in ALL]
    assert len(names) == len(set(names))


def run_mutate(*names: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, mutate.__file__, *names], capture_output=True, text=True, timeout=100, check=False
    )


def test_a_mutation_is_put_in_and_caught() -> None:
    """The runner works: the copy builds and passes, and one fault of each quick kind makes its judge fail."""
    done = run_mutate("late_count_added", "commit_acq_rel")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 caught, 0 survived" in done.stdout


def test_an_unknown_name_is_an_error_that_lists_the_names() -> None:
    """A misspelt name does not pass for a run in which nothing survived."""
    done = run_mutate("late_count_adde")
    assert done.returncode == 2
    assert "late_count_adde" in done.stderr
    for mutation in ALL:
        assert mutation.name in done.stderr
