"""Kills and stops of Python processes: at every line of the code that opens, creates and cleans, and at random.

Victims are forks of a process that has imported HORUS and opened nothing, some are started from nothing. One line
of one file is one state on disk: a victim that traces itself is struck before each line that it comes to.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import mmap
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import kill_players
from bystanders import Waits
from kill_report import ClaimError, Report, progress

import horus_core.topics.attach
from horus_core.shm import cleaner, namespace

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from types import FrameType

_CORE = Path(horus_core.__file__).parent
TRACED = {str(file): file.name for file in [
    *sorted((_CORE / "shm").glob("*.py")),
    _CORE / "topics/attach.py", _CORE / "topics/binding.py", _CORE / "control/presence.py",
]}  # fmt: skip

_RANDOM_SHARE = 0.15
_STARTED_SHARE = 0.02
_SPAN = struct.Struct("QQ")  # when the victim was struck; how many lines it has passed
_HANG_S = 60
_RANDOM = "(a random moment)"

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)
_board = mmap.mmap(-1, mmap.PAGESIZE)


def fork(target: Callable[..., Any], *arguments: Any) -> int:
    """A child that runs the function and ends well, or tells why not."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.alarm(_HANG_S)
        target(*arguments)
        status = 0
    except BaseException:  # noqa: BLE001 - whatever it is, the child must not go on as its parent
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def finish(child: int, what: str) -> None:
    _, status = os.waitpid(child, 0)
    if status:
        raise ClaimError(f"{what} ended with status {status:#x}: see above")


def _trace(act: Callable[[str], None]) -> None:
    """Call `act` before each line of the traced files, from here on."""

    def line(frame: FrameType, event: str, _: object) -> Any:
        if event == "line":
            act(f"{TRACED[frame.f_code.co_filename]}:{frame.f_lineno}")
        return line

    sys.settrace(lambda frame, *_: line if frame.f_code.co_filename in TRACED else None)


def _strike_at(role: str, wanted: int, how: signal.Signals) -> None:
    count = 0

    def act(_: str) -> None:
        nonlocal count
        count += 1
        if count == wanted:
            _SPAN.pack_into(_board, 0, time.monotonic_ns(), count)
            os.kill(os.getpid(), how)

    _trace(act)
    kill_players.ROLES[role]()
    sys.settrace(None)


def _passed(role: str, to: int) -> None:
    found: list[str] = []
    _trace(found.append)
    kill_players.ROLES[role]()
    sys.settrace(None)
    with open(to, "w", encoding="utf-8") as file:
        file.write("\n".join(found))


class Survivors:
    """Two processes that live in a namespace through all that happens there."""

    def __init__(self) -> None:
        self.namespace = f"killspy{os.getpid()}"
        os.environ["HORUS_NAMESPACE"] = self.namespace
        os.environ["HORUS_POOL_BUDGET"] = kill_players.POOL_MIB
        ours, theirs = os.pipe(), os.pipe()
        self._children = [fork(self._survive, ours, theirs)]
        os.close(ours[0])
        os.close(theirs[1])
        self._commands = ours[1]
        self._answers = os.fdopen(theirs[0])
        self._commands_file = os.fdopen(self._commands, "w")
        self.ask("ready")
        self._children.append(fork(kill_players.echo_for_ever))
        self.blocks = self.ask("meet")[0]
        self.ask("accounts")
        self.kept = self.names()

    @staticmethod
    def _survive(commands: tuple[int, int], answers: tuple[int, int]) -> None:
        signal.alarm(0)
        os.close(commands[1])
        os.close(answers[0])
        kill_players.Survivor().serve(os.fdopen(commands[0], "rb"), answers[1])

    def ask(self, command: str) -> list[int]:
        """What the survivor answers."""
        with contextlib.suppress(BrokenPipeError):
            self._commands_file.write(command + "\n")
            self._commands_file.flush()
        line = self._answers.readline()
        if not line:
            raise ClaimError(f"the survivor failed at {command!r}: see above")
        return [int(word) for word in line.split()]

    def names(self) -> set[str]:
        return _everything(self.namespace)

    def waits(self) -> Waits:
        """For how long those who have to go on get no processor: both, and this process."""
        return Waits([os.getpid(), *self._children])

    def close(self) -> None:
        """End both, clean: nothing of the namespace stays."""
        self.kill()
        _clean_to(self.namespace, set(), "at the end")

    def kill(self) -> None:
        for child in self._children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        self._children = []


def _everything(ns: str) -> set[str]:
    """All files of a namespace, those in its directory, too (but the lock, which comes and goes)."""
    directory = namespace.path(ns)
    files = {str(file.relative_to(namespace.SHM)) for file in directory.rglob("*") if file.is_file()}
    return (files | set(namespace.regions(ns)) | ({directory.name} if directory.exists() else set())) - {
        f"{directory.name}/lock"
    }


def _clean_to(ns: str, kept: set[str], what: str) -> None:
    cleaner.clean([ns], records=True)
    left = _everything(ns)
    if left != kept:
        raise ClaimError(f"{what}: after cleaning expected {sorted(kept)}, got {sorted(left)}")


class Play:
    """The kills, one after the other."""

    def __init__(self, report: Report, rng: random.Random, survivors: Survivors) -> None:
        self.report = report
        self.rng = rng
        self.survivors = survivors
        self.struck: set[str] = set()
        self.lines: dict[str, list[str]] = {}
        self.fresh_ms: list[float] = []
        self._number = 0
        self._waited = 0
        for role in kill_players.ROLES:
            self.lines[role] = self._lines_of(role)

    # ---- the cast ----

    def _prepare(self, role: str) -> None:
        if role in kill_players.LEFT_FOR:
            finish(fork(kill_players.leave_something, role), "who left something behind")

    def _lines_of(self, role: str) -> list[str]:
        reads, writes = os.pipe()
        self.survivors.ask("frames")
        self._prepare(role)
        child = fork(_passed, role, writes)
        os.close(writes)
        with os.fdopen(reads) as file:
            lines = file.read().split("\n")
        finish(child, f"{role}, unharmed,")
        _clean_to(self.survivors.namespace, self.survivors.kept, role)
        return lines

    # ---- one fault ----

    def at_line(self, role: str, index: int, *, stop: bool) -> None:
        """Beside the survivors: a victim is struck before the index-th line that it comes to."""
        place = self.lines[role][index]
        what = f"{role}, {'stopped' if stop else 'killed'} at {place} (line {index} of its way)"
        self.survivors.ask("frames")
        self.survivors.ask("listen")
        self._prepare(role)
        struck, child = self._strike(role, index, stop=stop)
        end = self._peers_went_on(struck)
        if child is not None:
            os.kill(child, signal.SIGCONT)
            finish(child, what)
        self._life_goes_on(what)
        self._count(role, place, struck, end, stop=stop)

    def _strike(self, role: str, index: int, *, stop: bool) -> tuple[int, int | None]:
        """When it was struck, 0 if it never came there; the child, if it is stopped now."""
        _SPAN.pack_into(_board, 0, 0, 0)
        child = fork(_strike_at, role, index + 1, signal.SIGSTOP if stop else signal.SIGKILL)
        self._waits = self.survivors.waits()
        _, status = os.waitpid(child, os.WUNTRACED)
        self._waits.struck()
        struck, _ = _SPAN.unpack_from(_board, 0)
        if os.WIFSTOPPED(status):
            return struck, child
        if os.WIFEXITED(status) and os.WEXITSTATUS(status):
            raise ClaimError(f"{role}, not struck, failed: see above")
        return struck, None

    def _peers_went_on(self, struck: int) -> int:
        (end,) = self.survivors.ask("check")
        self._waited = self._waits.longest_ns(struck)
        return end

    def _count(self, role: str, place: str, struck: int, end: int, *, stop: bool = False) -> None:
        if struck:
            self.struck.add(place)
            self.report.fault(
                role,
                place.partition(":")[0],
                stop=stop,
                struck_ns=struck,
                end_ns=end,
                waited_ns=self._waited,
            )

    def _life_goes_on(self, what: str) -> None:
        self._number += 1
        before = time.monotonic_ns()
        reads, writes = os.pipe()
        child = fork(kill_players.fresh, self._number, reads)
        (heard,) = self.survivors.ask("heard")
        os.write(writes, b"x")
        os.close(reads)
        os.close(writes)
        self.fresh_ms.append((heard - before) / 1e6)
        finish(child, f"{what}: who came after")
        self.survivors.ask("accounts")
        (blocks,) = self.survivors.ask("blocks")
        if blocks != self.survivors.blocks:
            raise ClaimError(f"{what}: {blocks} of {self.survivors.blocks} blocks can be taken")
        _clean_to(self.survivors.namespace, self.survivors.kept, what)

    def alone(self, role: str, index: int) -> None:
        """In a namespace where nobody else lives: who comes after finds half a namespace, or none."""
        place = self.lines[role][index % len(self.lines[role])]
        what = f"{role}, alone, killed at {place}"
        self._number += 1
        ns = f"{self.survivors.namespace}a{self._number}"
        os.environ["HORUS_NAMESPACE"] = ns
        try:
            self._prepare(role)
            struck, _ = self._strike(role, index, stop=False)
            end = self._peers_went_on(struck)
            finish(fork(kill_players.fresh, self._number), f"{what}: who came after")
            _clean_to(ns, set(), what)
        finally:
            os.environ["HORUS_NAMESPACE"] = self.survivors.namespace
            _remove(ns)
        self._count(f"{role} alone", place, struck, end)

    def at_random(self) -> None:
        """A victim does everything in turn until it is killed."""
        self.survivors.ask("frames")
        self.survivors.ask("listen")
        child = fork(kill_players.all_the_time)
        struck, end = self._kill_later(child, 0.03)
        os.waitpid(child, 0)
        self._life_goes_on("everything, killed at a random moment")
        self._count("everything", _RANDOM, struck, end)

    def from_nothing(self) -> None:
        """The same with a program that was just started."""
        self.survivors.ask("listen")
        code = "import kill_players; kill_players.all_the_time()"
        with subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parent) as program:
            struck, end = self._kill_later(program.pid, 0.6)
        self._life_goes_on("a program just started, killed at a random moment")
        self._count("just started", _RANDOM, struck, end)

    def _kill_later(self, child: int, most_s: float) -> tuple[int, int]:
        time.sleep(self.rng.uniform(0, most_s))
        self._waits = self.survivors.waits()
        struck = time.monotonic_ns()
        os.kill(child, signal.SIGKILL)
        self._waits.struck()
        return struck, self._peers_went_on(struck)


def _remove(ns: str) -> None:
    for name in namespace.regions(ns):
        (namespace.SHM / name).unlink(missing_ok=True)
    shutil.rmtree(namespace.path(ns), ignore_errors=True)


def run(report: Report, faults: int, rng: random.Random) -> dict[str, Any]:
    """So many faults: each role at each line, as far as they go; then more."""
    survivors = Survivors()
    try:
        play = Play(report, rng, survivors)
        target = report.faults + faults
        ways = [(role, i) for role, lines in play.lines.items() for i in range(len(lines))]
        places = [(role, i, how) for role, i in ways for how in "ksa"]
        while report.faults < target:
            rng.shuffle(places)
            for role, index, how in places:
                dice = rng.random()
                if report.faults >= target:
                    break
                report.insist(
                    play.from_nothing
                    if dice < _STARTED_SHARE
                    else play.at_random
                    if dice < _RANDOM_SHARE
                    else functools.partial(play.alone, role, index)
                    if how == "a"
                    else functools.partial(play.at_line, role, index, stop=how == "s")
                )
                if report.faults % 500 == 0:
                    progress(f"python: {report.faults} faults")
        survivors.close()
    finally:
        survivors.kill()
        _remove(survivors.namespace)
    play.struck.discard(_RANDOM)
    passed = {line for lines in play.lines.values() for line in lines}
    fresh_ms = sorted(play.fresh_ms)
    return {
        "lines_struck": len(play.struck),
        "lines_passed": len(passed),
        "newcomer_p50_ms": round(fresh_ms[len(fresh_ms) // 2], 2),
        "newcomer_max_ms": round(fresh_ms[-1], 2),
    }
