"""Where figures are measured: starts programs, names what they share, and leaves nothing behind."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import cfloor, machine, stats, venvs
from benchmarks.program import Program
from benchmarks.stats import Summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

PEERS = Path(__file__).resolve().parent / "peers"
STEM = "hbench"


@dataclass
class Lab:
    """What a figure needs: how much to measure, two cores, programs in their venvs, floors in C."""

    rounds: int
    scale: float

    def __post_init__(self) -> None:
        self.cores = machine.two_cores()
        self.prefix = f"{STEM}{os.getpid()}_"
        self._programs = ExitStack()
        self._figures = 0

    @property
    def namespace(self) -> str:
        """The HORUS namespace of the figure that is being measured: each has its own."""
        return f"{self.prefix}{self._figures}"

    @contextmanager
    def figure(self) -> Iterator[None]:
        """While one figure is measured; its programs end and its shared memory goes with it."""
        self._figures += 1
        self._programs = ExitStack()
        try:
            with self._programs:
                yield
        finally:
            machine.remove_leftovers(self.prefix)

    def count(self, samples: int) -> int:
        """How many samples to take where a full run takes so many."""
        return max(10, int(samples * self.scale))

    def program(
        self,
        peer: str,
        script: str,
        *arguments: str,
        core: int | None = None,
        environment: Mapping[str, str] | None = None,
        inherit: Sequence[int] = (),
    ) -> Program:
        """Starts a program of peers/ in its venv; it ends with the figure."""
        settings = {"HORUS_NAMESPACE": self.namespace, "BENCH_PREFIX": self.prefix, **(environment or {})}
        command = [venvs.python_of(peer), str(PEERS / f"{script}.py"), *arguments]
        started = Program(command, core=core, environment=settings, inherit=inherit)
        self._programs.callback(started.close)
        return started

    def couple(self, peer: str, script: str, *, inherit: Sequence[int] = ()) -> tuple[Program, Program]:
        """Starts a program twice, on a core each."""
        left, right = (self.program(peer, script, core=core, inherit=inherit) for core in self.cores)
        return left, right

    def floor(self, name: str, samples: int, burst: int) -> Callable[[], Summary]:
        """A floor in C as a contestant."""
        return lambda: cfloor.run_floor(name, self.count(samples), burst, *self.cores)

    def interleave(
        self, contestants: Mapping[str, Callable[[], Summary]], rounds: int | None = None
    ) -> dict[str, stats.Series]:
        """Runs the contestants side by side, as many rounds as this run has."""
        return stats.interleave(contestants, rounds or self.rounds)

    def between(
        self,
        alone: Callable[[], Summary],
        contestants: Mapping[str, Callable[[], Summary]],
        rounds: int | None = None,
    ) -> dict[str, tuple[stats.Series, stats.Series]]:
        """Runs each contestant between two runs of ``alone``, as many rounds as this run has."""
        return stats.between(alone, contestants, rounds or self.rounds)


def asking(program: Program, do: str, **arguments: object) -> Callable[[], Summary]:
    """A program that measures by itself, as a contestant."""
    return lambda: Summary.of(program.ask(do, **arguments))


def exchanging(
    couple: tuple[Program, Program], do: tuple[str, str], **arguments: object
) -> Callable[[], Summary]:
    """Two programs, the second answering the first, as a contestant."""
    left, right = couple

    def run() -> Summary:
        right.start(do[1], **arguments)
        left.start(do[0], **arguments)
        answer = left.result()
        right.result()
        return Summary.of(answer)

    return run
