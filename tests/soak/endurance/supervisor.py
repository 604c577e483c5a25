"""A run from its start to its verdict."""

from __future__ import annotations

import json
import os
import signal
import time
from typing import TYPE_CHECKING, Any

from endurance import accounts, journal, plot, sampling, verdict
from endurance.board import Column, Phase
from endurance.crew import Crew
from horus_core.shm import cleaner

if TYPE_CHECKING:
    from pathlib import Path

    from endurance.workload import Workload

_STEP_S = 0.02
_BEGIN_LIMIT_S = 180.0
_PHASE_LIMIT_S = 60.0
_SAMPLES = 1200


class InterruptedRunError(Exception):
    """Ctrl+C, the second time."""


class Soak:
    """One run."""

    def __init__(self, workload: Workload, seconds: float, folder: Path, *, seed: int = 1) -> None:
        self._workload, self._seconds = workload, seconds
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for old in [
            *folder.glob(f"*{journal.SENDS}"),
            *folder.glob(f"*{journal.EVENTS}"),
            folder / "log.txt",
        ]:
            old.unlink(missing_ok=True)
        self.namespace = f"soak{os.getpid()}"
        self._crew = Crew(workload, folder, self.namespace, seed)
        self._samples: list[dict[str, Any]] = []
        self._period_s = max(0.25, min(1.0, seconds / 60), seconds / _SAMPLES)
        self._begun_ns = 0
        self._signals = 0
        self.verdict = verdict.Verdict()

    def run(self) -> verdict.Verdict:
        """Run, and judge. Ctrl+C ends it early, with the verdict on what was reached; a second one at once."""
        previous = {
            number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            if self._until_all_began():
                self._run_on()
            self._finish()
        except InterruptedRunError:
            self.verdict.wrong.append("interrupted twice: nothing was accounted for")
        finally:
            self._crew.go_on()
            self._crew.kill_all()
            self._clean()
            for number, handler in previous.items():
                signal.signal(number, handler)
        self._judge()
        return self.verdict

    @property
    def interrupted(self) -> bool:
        """Whether it was ended early."""
        return self._signals > 0

    def _on_signal(self, _number: int, _frame: object) -> None:
        self._signals += 1
        if self._signals > 1:
            raise InterruptedRunError

    def _until_all_began(self) -> bool:
        until = time.monotonic() + _BEGIN_LIMIT_S
        seen = [False] * len(self._crew.berths)
        while not all(seen) and not self._signals:
            self._crew.step()
            seen = [
                was or berth.life > 1 or self._crew.began(berth)
                for was, berth in zip(seen, self._crew.berths, strict=True)
            ]
            if time.monotonic() > until or self._crew.faults:
                self.verdict.wrong.append("not all processes began")
                return False
            time.sleep(_STEP_S)
        return not self._signals

    def _run_on(self) -> None:
        self._begun_ns = time.monotonic_ns()
        start = time.monotonic()
        due = start
        with (self.folder / "samples.jsonl").open("w", encoding="utf-8") as file:
            while (now := time.monotonic()) < start + self._seconds and not self._signals:
                self._crew.step()
                if now >= due:
                    due = max(due + self._period_s, now)
                    self._samples.append(self._sample(now - start))
                    file.write(json.dumps(self._samples[-1]) + "\n")
                    file.flush()
                time.sleep(_STEP_S)

    def _sample(self, seconds: float) -> dict[str, Any]:
        crew, board = self._crew, self._crew.board
        processes = {
            berth.role.name: found
            for berth, process in crew.living()
            if (found := sampling.as_dict(sampling.process(process.pid, self.namespace))) is not None
        }
        shm = sampling.as_dict(sampling.shm(self.namespace)) or {}
        return {
            "s": round(seconds, 3),
            "processes": processes,
            **{f"shm_{name}": value for name, value in shm.items()},
            **{name: sum(one[name] for one in processes.values()) for name in ("rss", "descriptors", "gone_kib")},
            **{f"{name}_mean": sum(one[name] for one in processes.values()) / max(len(processes), 1)
               for name in ("rss", "descriptors")},
            **{name: board.total(Column[name.upper()])
               for name in ("sent", "refused", "delivered", "missed", "skipped", "children")},
            "restarts": sum(crew.ends.values()),
            "log_kib": crew.log.stat().st_size / 1024 if crew.log.exists() else 0.0,
        }  # fmt: skip

    def _finish(self) -> None:
        """Publishers fall silent, then subscribers receive the rest and write their last accounts."""
        crew = self._crew
        crew.go_on()
        for phase in (Phase.QUIET, Phase.FINISH):
            crew.board.phase = phase
            until = time.monotonic() + _PHASE_LIMIT_S
            while crew.living() and not (phase is Phase.QUIET and crew.acknowledged(phase)):
                crew.step()
                if time.monotonic() > until:
                    late = [berth.role.name for berth, _ in crew.living()]
                    self.verdict.wrong.append(f"phase {phase.name} was not over in time: {', '.join(late)}")
                    break
                time.sleep(_STEP_S)

    def _clean(self) -> None:
        """What the dead left must be all that the cleaner removes."""
        before = sampling.left_over(self.namespace)
        removed = cleaner.clean([self.namespace], records=True)
        after = sampling.left_over(self.namespace)
        self.verdict.figures["left in /dev/shm by the last"] = len(before)
        self.verdict.figures["removed by the cleaner"] = len(removed)
        if after:
            self.verdict.wrong.append(f"the cleaner left in /dev/shm: {', '.join(after)}")

    def _judge(self) -> None:
        crew, found = self._crew, self.verdict
        names = [channel.name for channel in self._workload.channels]
        events = journal.read_events(self.folder)
        ledger = accounts.close(journal.read_sends(self.folder), events, names)
        ran_s = self._samples[-1]["s"] if self._samples else 0.0
        found.figures = {
            "namespace": self.namespace,
            "processes": len(crew.berths),
            "topics": len(names),
            "minutes": round(ran_s / 60, 2),
            "interrupted": self.interrupted,
            "restarts": f"{sum(crew.ends.values())} ({', '.join(f'{how} {n}' for how, n in crew.ends.items())})",
            "children forked": crew.board.total(Column.CHILDREN),
            "stopped for a moment": crew.pauses,
            "sent/s": round(ledger.accepted / ran_s) if ran_s else 0,
            "lines in the log": crew.log.read_text(errors="replace").count("\n") if crew.log.exists() else 0,
            **found.figures,
        }
        latencies = self._latencies(events)
        if latencies:
            found.figures["latency p50, p99 in µs (median of seconds)"] = [
                round(sorted(column)[len(column) // 2], 1)
                for column in list(zip(*latencies, strict=True))[1:]
            ]
        found.wrong += crew.faults
        if self._samples:
            verdict.of_samples(
                found, self._samples, [one.name for one in self._workload.roles if not one.restarts]
            )
        verdict.of_ledger(found, ledger)
        self._report(latencies)

    def _latencies(self, events: list[dict[str, Any]]) -> list[tuple[float, float, float]]:
        long_lived = {f"{role.name}.1" for role in self._workload.roles if not role.restarts}
        return [
            ((event["ns"] - self._begun_ns) / 1e9, event["p50_us"], event["p99_us"])
            for event in events
            if event["event"] == "latency" and event["file"] in long_lived
        ]

    def _report(self, latencies: list[tuple[float, float, float]]) -> None:
        (self.folder / "report.txt").write_text(self.verdict.text() + "\n", encoding="utf-8")
        (self.folder / "report.json").write_text(
            json.dumps(self.verdict.to_dict(), indent=1), encoding="utf-8"
        )
        if len(self._samples) > 2:
            title = f"{len(self._crew.berths)} processes, {len(self._workload.channels)} topics"
            plot.draw(self._samples, latencies, title, self.folder / "report.png")
