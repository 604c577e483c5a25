"""The processes of a run: starting them, ending them in every way, starting them again."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from endurance.actor import Order
from endurance.board import Board, Column, Phase

if TYPE_CHECKING:
    from endurance.workload import Role, Workload

_ROLE = Path(__file__).parents[1] / "role.py"
_STARTS_AT_ONCE = 2
_PUBLISHERS_FROM = 1_000_000
"""Of a nursery, which numbers its children itself; the others count from 1."""
_START_LIMIT_S = 60.0
_STEP_LIMIT_S = 30.0


class Berth:
    """A place for a process, and whoever has it now."""

    def __init__(self, row: int, role: Role) -> None:
        self.row, self.role = row, role
        self.life = 0
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0
        self.planned_end = 0.0
        self.how = ""
        self.dead_signal = 0
        """The signal that this process was sent to end it."""


class Crew:
    """All processes of a run."""

    def __init__(self, workload: Workload, folder: Path, namespace: str, seed: int) -> None:
        self._workload, self._folder, self._namespace = workload, folder, namespace
        self._random = random.Random(seed)
        self._publisher = 0
        self.board = Board(folder / "board", len(workload.roles), create=True)
        self.berths = [Berth(1 + number, role) for number, role in enumerate(workload.roles)]
        self.log = folder / "log.txt"
        self.faults: list[str] = []
        self.ends = {"exit": 0, "SIGTERM": 0, "SIGKILL": 0}
        self.pauses = 0
        self._next_pause = time.monotonic() + workload.pause_s
        self._stopped: tuple[float, Berth] | None = None

    def living(self) -> list[tuple[Berth, subprocess.Popen[bytes]]]:
        """Those that run."""
        return [(berth, berth.process) for berth in self.berths if berth.process is not None]

    def began(self, berth: Berth) -> bool:
        """Whether the process of this life has opened all its topics."""
        return berth.life > 0 and self.board.rows[berth.row, Column.LIFE] == berth.life

    def step(self) -> None:
        """Collect who has ended, end whose time has come, start who is missing."""
        self._collect()
        if self.board.phase is Phase.RUN:
            self._end_some()
            self._pause_some()
            self._start_some()
        self._watch()

    def _start_some(self) -> None:
        starting = sum(berth.process is not None and not self.began(berth) for berth in self.berths)
        for berth in self.berths:
            if starting >= _STARTS_AT_ONCE:
                return
            if berth.process is None and (berth.life == 0 or berth.role.restarts):
                self._start(berth)
                starting += 1

    def _start(self, berth: Berth) -> None:
        berth.life += 1
        self._publisher += 1
        nursery = berth.role.style == "nursery"
        berth.how = self._random.choice(list(self.ends)) if berth.role.restarts else ""
        life_s = self._random.uniform(*self._workload.life_s)
        order = Order(
            folder=str(self._folder),
            row=berth.row,
            processes=len(self.berths),
            life=berth.life,
            publisher=_PUBLISHERS_FROM if nursery else self._publisher,
            life_s=life_s if berth.how == "exit" else None,
            role=berth.role.to_dict(),
            channels=[asdict(channel) for channel in self._workload.channels],
        )
        text = json.dumps({**asdict(order), "parent": os.getpid()})
        command = [sys.executable, str(_ROLE), text]
        if berth.role.by_command:
            command = [sys.executable, "-m", "horus_cli", "run", str(_ROLE), "--", text]
        with self.log.open("ab") as log:
            berth.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=self._environment(berth.role),
            )
        berth.started = time.monotonic()
        berth.planned_end = berth.started + life_s
        berth.dead_signal = 0

    def _environment(self, role: Role) -> dict[str, str]:
        set_here = {"HORUS_NAMESPACE": self._namespace, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        if role.pool_mib is not None:
            set_here["HORUS_POOL_BUDGET"] = str(role.pool_mib)
        return {**os.environ, **set_here}

    def _end_some(self) -> None:
        for berth, process in self.living():
            if (
                berth.how in ("SIGTERM", "SIGKILL")
                and time.monotonic() >= berth.planned_end
                and not berth.dead_signal
            ):
                if berth.how == "SIGTERM" and not self.began(berth):
                    continue  # while Python itself starts, SIGTERM kills
                berth.dead_signal = signal.Signals[berth.how]
                process.send_signal(berth.dead_signal)

    def _pause_some(self) -> None:
        """Stop somebody for a moment, wherever it stands."""
        now = time.monotonic()
        if self._stopped is not None:
            if now >= self._stopped[0]:
                self.go_on()
        elif self._workload.pause_s and now >= self._next_pause:
            self._next_pause = now + self._random.expovariate(1 / self._workload.pause_s)
            berth, process = self._random.choice(self.living())
            process.send_signal(signal.SIGSTOP)
            self._stopped = now + self._random.uniform(0.001, 0.4), berth
            self.pauses += 1

    def go_on(self) -> None:
        """Wake who was stopped."""
        if self._stopped is not None and self._stopped[1].process is not None:
            self._stopped[1].process.send_signal(signal.SIGCONT)
        self._stopped = None

    def _collect(self) -> None:
        for berth, process in self.living():
            code = process.poll()
            if code is None:
                continue
            berth.process = None
            if self._stopped is not None and self._stopped[1] is berth:
                self._stopped = None
            killed = berth.dead_signal == signal.SIGKILL
            if code != (-signal.SIGKILL if killed else 0):
                self.faults.append(f"{berth.role.name}.{berth.life} ended with {code}; see {self.log}")
            elif not berth.role.restarts and self.board.phase is Phase.RUN:
                self.faults.append(f"{berth.role.name} ended before the run did")
            if berth.how and self.board.phase is Phase.RUN:
                self.ends[berth.how] += 1

    def _watch(self) -> None:
        """Nobody may stand still."""
        for berth, process in self.living():
            began = self.began(berth)
            since = self.board.rows[berth.row, Column.BEAT] / 1e9 if began else berth.started
            if time.monotonic() - since > (_STEP_LIMIT_S if began else _START_LIMIT_S):
                where = "at a step" if began else "while it started"
                self.faults.append(
                    f"{berth.role.name}.{berth.life} stood still {where}; its stack is in {self.log}"
                )
                process.send_signal(signal.SIGUSR2)
                time.sleep(0.5)
                self._kill(process)
                berth.dead_signal = signal.SIGKILL

    def acknowledged(self, phase: Phase) -> bool:
        """Whether everybody who lives has seen the phase."""
        return all(self.board.rows[berth.row, Column.PHASE] >= phase for berth, _ in self.living())

    def kill_all(self) -> None:
        """End everybody at once."""
        for berth, process in self.living():
            self._kill(process)
            process.wait()
            berth.process = None

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        try:
            os.killpg(process.pid, signal.SIGKILL)  # with a nursery's children
        except ProcessLookupError:
            process.kill()
