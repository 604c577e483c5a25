"""Several processes at once: start them, show their output, report crashes, stop all of them.

One thread, one loop over poll(): the children's output, our own output, signals.
"""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, final

from horus_plugins.launch import system
from horus_plugins.launch.child import GRACE_S, Child
from horus_plugins.launch.escaped import end_escaped
from horus_plugins.launch.guard import Guard
from horus_plugins.launch.observing.observers import Observers
from horus_plugins.launch.output import Outlet, prefix
from horus_plugins.launch.pump import Pump
from horus_plugins.launch.session import ends
from horus_plugins.launch.signals import STOP, SignalPipe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

# How often to look at what no event announces: a group that empties, a deadline, a reader who is stuck.
_TICK_MS = 50
_RUN_ID = "HORUS_RUN_ID"


@final
class Supervisor:
    """Runs processes until all have ended or a signal asks to stop. A context manager; `run` once."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._pump = Pump()
        self._children: list[Child] = []
        self._observers = Observers(run_id, self._pump, self.say)
        self._stop_requests = 0
        self._stop_asked_at = 0.0

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pump.finish()

    def say(self, text: str) -> None:
        """A line of our own, on stderr, in order with what the processes say."""
        self._pump.say(text)

    def run(self, commands: Sequence[tuple[str, list[str]]], environment: Mapping[str, str]) -> int:
        """Start the labelled commands, stay until all have ended, return the worst exit code."""
        system.adopt_orphans()
        guard = Guard(self._mark)
        with SignalPipe() as signals:
            self._pump.watch(signals.fd)
            try:
                self._start(commands, environment, guard)
            except BaseException:
                self._request_stop("a process could not be started")
                raise
            finally:
                self._loop(signals)
                self._observers.finish(lambda: self._turn(signals))
                end_escaped(
                    self._mark,
                    lambda: self._turn(signals),
                    self._step,
                    lambda: self._stop_requests,
                    guard.pid,
                )
        # Not in a `finally`: after an error here the guard finds us dead, and stops what is left.
        guard.dismiss()
        if self._stop_requests:
            self._step("all processes have ended")
        return max(child.exit_code for child in self._children)

    @property
    def _mark(self) -> bytes:
        return f"{_RUN_ID}={self._run_id}".encode()

    def _start(
        self, commands: Sequence[tuple[str, list[str]]], environment: Mapping[str, str], guard: Guard
    ) -> None:
        marked = {**environment, _RUN_ID: self._run_id}
        self._observers.begin(marked)
        for label, command in commands:
            shown = prefix(label)
            out, err = Outlet(shown, self._pump.out), Outlet(shown, self._pump.err)
            child = Child(label, command, marked, out=out, err=err)
            guard.watch(child.pid)
            self._pump.add(child)
            self._children.append(child)
            self._observers.spawned(label, child.pid, command, restarts=0)
            self.say(f"  Started [{label}]")
        self.say("")
        self.say("All processes running. Press Ctrl+C to stop.")

    def _loop(self, signals: SignalPipe) -> None:
        while not all(child.gone for child in self._children):
            self._turn(signals)
            for child in self._children:
                if child.overdue and not child.gone:
                    self._step(f"[{child.label}] still runs after {GRACE_S:g} s: SIGKILL")
                    child.kill()

    def _turn(self, signals: SignalPipe) -> None:
        """Wait for an event and deal with what there is."""
        self._pump.turn(_TICK_MS if self._restless else None)
        for number in signals.received():
            self._on_signal(number)
        for child in self._pump.reap():
            if not self._observers.has_ended(child):
                self._observers.exited(child.label, ends.exit_of(child), restarts=0)
                self._report(child)
        self._observers.turn()

    @property
    def _restless(self) -> bool:
        """Whether time alone can change something."""
        if self._pump.backlog or self._observers.waits:
            return True
        return any(child.stopping or not child.running for child in self._children)

    def _on_signal(self, number: signal.Signals) -> None:
        if number in STOP:
            self._request_stop("Ctrl+C" if number == signal.SIGINT else number.name)
        elif number == signal.SIGTSTP:
            self._suspend()

    def _request_stop(self, why: str) -> None:
        self._stop_requests += 1
        left = [child for child in self._children if not child.gone]
        names = ", ".join(f"[{child.label}]" for child in left)
        others = names or "what left its group"
        if self._stop_requests == 1:
            self._stop_asked_at = time.monotonic()
            self.say("")
            self._step(f"stopping ({why}): SIGTERM to {names or 'nobody'}")
            for child in left:
                child.stop()
        elif self._stop_requests == 2:  # noqa: PLR2004 - the second
            self._step(f"asked again ({why}): SIGTERM once more to {others}; once more kills them")
            for child in left:
                child.insist()
        else:
            self._step(f"asked a third time ({why}): SIGKILL to {others}")
            for child in left:
                child.kill()

    def _step(self, text: str) -> None:
        """A step of the shutdown, with the seconds since it was asked for."""
        seconds = time.monotonic() - self._stop_asked_at if self._stop_requests else 0.0
        self.say(f"{seconds:5.1f} s  {text}")

    def _suspend(self) -> None:
        """Ctrl+Z: everybody stands still until the job is continued."""
        for child in self._children:
            child.pause()
        os.kill(os.getpid(), signal.SIGSTOP)
        for child in self._children:
            child.resume()

    def _report(self, child: Child) -> None:
        if self._stop_requests:
            self._step(f"[{child.label}] {_how(child)}")
        else:
            others = any(other.running for other in self._children)
            tail = "; the others go on" if others and child.code != 0 else ""
            self.say(f"[{child.label}] {_how(child)} after {child.age_s:.1f} s{tail}")
        if not child.gone and not child.stopping:
            self.say(f"[{child.label}] left processes behind: SIGTERM to them")
            child.stop()


def _how(child: Child) -> str:
    if child.code is None:
        return "runs"
    if child.code < 0:
        try:
            name = signal.Signals(-child.code).name
        except ValueError:
            name = "a signal"
        return f"was ended by {name} (signal {-child.code})"
    return f"ended with exit code {child.code}"
