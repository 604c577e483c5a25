"""Kills and stops at every named step of the protocol (horus_core/native/src/step.h), and at random moments.

horus_core/native/tests/kill_steps.c plays victims and those who are left, and checks what holds in memory; here
faults are chosen, /dev/shm is cleaned after each, and what is left there is looked at.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from kill_report import ClaimError, Report, progress

from horus_core.shm import cleaner, namespace

if TYPE_CHECKING:
    import random

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "build/c-widened/kill_steps"

ELSEWHERE: dict[str, str] = {}
"""Named steps that no role passes, each with the reason."""

_RANDOM_SHARE = 0.15
_LONGEST_US = 2500
_PASSAGES = 40
_DRY_RUNS = 20


def build() -> Path:
    """The program, built with the steps in it."""
    subprocess.run(["make", "-s", str(PROGRAM.relative_to(ROOT))], cwd=ROOT, check=True)
    return PROGRAM


class Stage:
    """The program at work in a namespace of its own, and what must be in /dev/shm meanwhile."""

    def __init__(self) -> None:
        self.namespace = f"kills{os.getpid()}"
        namespace.directory(self.namespace)
        self._process = subprocess.Popen(
            [PROGRAM, self.namespace],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        ident = int(self._answer("")[1])
        self._arena = namespace.region(self.namespace, f"pool.{ident & 0xFFFF}-{ident >> 16}.")
        self._kept = set(self._names())

    def ask(self, command: str) -> list[str]:
        """The words of the answer."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(command + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass
        return self._answer(command)

    def _answer(self, command: str) -> list[str]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            _, err = self._process.communicate()
            raise ClaimError(f"after {command!r}: {err.strip() or self._process.returncode}")
        return line.split()

    def _names(self) -> list[str]:
        return namespace.regions(self.namespace)

    def clean(self, what: str, *, somebody_stopped: bool) -> None:
        """Clean: all that the dead left goes, nothing that somebody living uses, stopped or not."""
        removed = cleaner.clean([self.namespace], records=True)
        left = set(self._names())
        if somebody_stopped and removed:
            raise ClaimError(f"{what}: while the victim was stopped the cleaner removed {removed}")
        if not left >= self._kept:
            raise ClaimError(f"{what}: the cleaner removed {self._kept - left}, which living processes use")
        if not somebody_stopped and left != self._kept:
            raise ClaimError(f"{what}: the cleaner left {left - self._kept}")

    def close(self) -> None:
        """End it: then nothing of the namespace may stay."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        status = self._process.wait(20)
        if status != 0:
            raise ClaimError(f"the program of the steps ended with {status}")
        cleaner.clean([self.namespace], records=True)
        if self._names() or namespace.path(self.namespace).exists():
            raise ClaimError(f"with nobody living, cleaning left {self._names()}")

    def abandon(self) -> None:
        """After a failure."""
        self._process.kill()
        self._process.communicate()
        for name in self._names():
            (namespace.SHM / name).unlink(missing_ok=True)
        shutil.rmtree(namespace.path(self.namespace), ignore_errors=True)


def passages(stage: Stage) -> dict[tuple[str, str], int]:
    """How often each role passes each step, from its start to its end."""
    found = {}
    for role in stage.ask("roles"):
        _, *words = stage.ask(f"dry {role}")
        stage.clean(f"dry {role}", somebody_stopped=False)
        found |= {(role, step): int(count) for step, count in zip(words[::2], words[1::2], strict=True)}
    return found


def _passages_of_all_steps(stage: Stage) -> dict[tuple[str, str], int]:
    """The passages; some steps are for who loses patience, which depends on the machine's other work."""
    found = passages(stage)
    for _ in range(_DRY_RUNS):
        if unreached(stage, found) == set(ELSEWHERE):
            break
        found = passages(stage) | found
    return found


def unreached(stage: Stage, found: dict[tuple[str, str], int]) -> set[str]:
    """Steps that no role passes."""
    return set(stage.ask("steps")) - {step for _, step in found}


def _require_all_steps(stage: Stage, found: dict[tuple[str, str], int]) -> None:
    wrong = unreached(stage, found) ^ set(ELSEWHERE)
    if wrong:
        raise ClaimError(f"steps that no role passes, or that are said not to be passed and are: {wrong}")


def strike(stage: Stage, report: Report, role: str, step: str, passage: int, *, stop: bool) -> bool:
    """One fault at a step. False: the victim did not come there this time."""
    what = f"{'stop' if stop else 'kill'} {role} {step} {passage}"
    word, *times = stage.ask(what)
    if stop and word == "struck":
        if role != "create":  # which holds the namespace's lock for some of its steps
            stage.clean(what, somebody_stopped=True)
        stage.ask("go")
    stage.clean(what, somebody_stopped=False)
    if word == "missed":
        return False
    report.fault(role, step, stop=stop, struck_ns=int(times[0]), end_ns=int(times[1]))
    return True


def _strike_at_random(stage: Stage, report: Report, role: str, after_us: int) -> None:
    what = f"random {role} {after_us}"
    _, struck, end = stage.ask(what)
    stage.clean(what, somebody_stopped=False)
    report.fault(role, "(a random moment)", stop=False, struck_ns=int(struck), end_ns=int(end))


def run(report: Report, faults: int, rng: random.Random) -> None:
    """So many faults: first each role at each of its steps, killed and stopped, as far as they go; then more."""
    stage = Stage()
    try:
        found = _passages_of_all_steps(stage)
        _require_all_steps(stage, found)
        places = list(found)
        target = report.faults + faults
        round_of_all = [(place, stop) for place in places for stop in (False, True)]
        while report.faults < target:
            rng.shuffle(round_of_all)
            for (role, step), stop in round_of_all:
                if report.faults >= target:
                    break
                if rng.random() < _RANDOM_SHARE:
                    after_us = rng.randrange(_LONGEST_US)
                    report.insist(functools.partial(_strike_at_random, stage, report, role, after_us))
                    continue
                passage = rng.randint(1, min(found[role, step], _PASSAGES))
                report.insist(functools.partial(strike, stage, report, role, step, passage, stop=stop))
                if report.faults % 1000 == 0:
                    progress(f"native: {report.faults} faults")
        stage.close()
    except BaseException:
        stage.abandon()
        raise
