"""The process of one node, as seen from the scheduler's: started, called, ended."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe
from typing import TYPE_CHECKING, Any

from horus_core.errors import ConfigError, NodeError
from horus_core.nodes import importable
from horus_core.nodes.state import NodeState
from horus_core.scheduler import patience
from horus_core.scheduler.patience import Patience
from horus_core.shm import namespace
from horus_plugins.execution.worker import Here, Plan

if TYPE_CHECKING:
    from horus_core.nodes.elsewhere import Elsewhere
    from horus_core.scheduler.entry import Entry
    from horus_core.scheduler.host import Host
    from horus_plugins.execution.worker import Answer


class FarError(Exception):
    """Where the exception was raised: the traceback in the node's own process."""


class Spawner:
    """Starts processes on one thread: the kernel ends a child with the *thread* that started it."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "horus spawner")

    def start(self, command: list[str], fd: int) -> subprocess.Popen[bytes]:
        """A process with its standard input closed, and one descriptor more."""
        environment = {**os.environ, namespace.VARIABLE: namespace.current()}
        return self._pool.submit(
            subprocess.Popen, command, pass_fds=[fd], stdin=subprocess.DEVNULL, env=environment
        ).result()

    def close(self) -> None:
        """End the thread."""
        self._pool.shutdown()


class FarProcess:
    """Calls a node's callbacks in a process of its own, which is started when it is needed."""

    def __init__(self, entry: Entry, host: Host, spawner: Spawner) -> None:
        self._entry = entry
        self._host = host
        self._spawner = spawner
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._calling = threading.Lock()
        self._patience = Patience(host)
        self._stopping = False
        self._ended_by_force = False
        self._lost: NodeError | None = (
            None  # how it ended while nobody called it: the next tick fails by that
        )
        self._plan = _plan_of(entry, host)

    def call(self, callback: Elsewhere, *arguments: Any) -> None:
        """Call one there; raises what it raised, or NodeError when the process ended meanwhile."""
        with self._calling:
            if callback.kind == "shutdown":
                self._shut_down()
                return
            if callback.kind == "init":
                self._stopping = self._ended_by_force = False
            self._tell_loss(callback.kind)
            if not self._alive():
                self._start(init=callback.kind != "init")
            self._ask(callback.kind, _sendable(arguments))

    def _tell_loss(self, kind: str) -> None:
        """Raise in the next tick that the process has ended since its last call; a safe state comes first."""
        if kind == "init":
            self._lost = None
        elif self._process is not None and not self._alive():
            self._lost = self._crash("between two calls")
            self._entry.journal.error(str(self._lost))
        if kind == "tick" and self._lost is not None:
            lost, self._lost = self._lost, None
            raise lost

    def halt(self) -> None:
        """Its tick that is under way is the last one; returns at once."""
        self._patience.begin()

    def settle(self) -> None:
        """Return when no call is under way: after a while the process is ended, and with it the call."""
        self._stopping = True
        if self._patience.wait(self._is_idle):
            return
        self._ended_by_force = True
        if not self._host.hurried:
            said = f"its tick did not end within {patience.PATIENCE_S:g} s; its process is ended"
            self._entry.journal.warning(said)
            self._signal(signal.SIGTERM)
            if self._patience.wait(self._is_idle, rounds=2):
                return
        self._signal(signal.SIGKILL)

    def _is_idle(self, timeout_s: float | None) -> bool:
        idle = self._calling.acquire(timeout=-1 if timeout_s is None else timeout_s)
        if idle:
            self._calling.release()
        return idle

    def end(self) -> None:
        """End the process: it is asked to, then told by SIGTERM, then killed."""
        process, self._process = self._process, None
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        if process is None:
            return
        for number in (None, signal.SIGTERM, signal.SIGKILL):
            if number is not None:
                process.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(patience.PATIENCE_S)
                return
        process.wait()

    def _alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _start(self, *, init: bool) -> None:
        self.end()
        ours, theirs = Pipe()
        flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]  # noqa: SLF001 - as multiprocessing does
        fd = theirs.fileno()
        command = [
            sys.executable,
            *flags,
            "-m",
            "horus_plugins.execution.worker_main",
            str(fd),
            str(os.getpid()),
            self._plan.name,
        ]
        with theirs:
            self._process = self._spawner.start(command, fd)
        self._connection = ours
        uses_main = any(place.module == importable.MAIN for place in self._plan.callbacks.values())
        self._send((sys.path, importable.main_path() if uses_main else None))
        self._send(self._plan)
        self._receive()
        if init:
            try:
                self._ask("init", ())
            except BaseException:
                self.end()  # nothing may tick there
                raise

    def _shut_down(self) -> None:
        try:
            if self._alive() and not self._ended_by_force:
                self._ask("shutdown", ())
            elif self._process is not None and self._stopping:
                self._entry.journal.warning("its process has ended, and its shutdown() was not called")
        finally:
            self.end()

    def _ask(self, kind: str, arguments: tuple[Any, ...]) -> None:
        entry = self._entry
        self._send((kind, arguments, Here(entry.info.state(), entry.config.budget_ns)))
        self._receive()

    def _send(self, what: Any) -> None:
        assert self._connection is not None
        with suppress(BrokenPipeError, ConnectionResetError):  # it has ended: the answer will say so
            self._connection.send(what)

    def _receive(self) -> None:
        answer = self._answer()
        if answer is None:
            if not self._stopping:
                raise self._crash("in the middle of it")
            return
        if answer.stop:
            self._host.scheduler.request_stop()
        if answer.in_error:
            self._entry.enter(NodeState.ERROR)
        elif answer.in_error is False:
            self._entry.info.clear_error()
        error = answer.error
        if error is not None:
            name = self._entry.node.name
            error.__cause__ = FarError(f"in the process of node {name!r}:\n{answer.traceback}")
            raise error

    def _answer(self) -> Answer | None:
        """To the call under way; None when its process has ended instead."""
        assert self._connection is not None
        try:
            answer: Answer = self._connection.recv()
        except (EOFError, OSError):
            return None
        return answer

    def _crash(self, when: str) -> NodeError:
        """The process has ended by itself: told once, and the next call starts another."""
        process = self._process
        assert process is not None
        code = process.wait()
        self.end()
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        return NodeError(
            f"The process of node {self._entry.node.name!r} crashed: expected an answer, got its end by {how} {when} "
            f"(pid={process.pid}). What it printed stands above."
        )

    def _signal(self, number: int) -> None:
        process = self._process
        if process is not None:
            process.send_signal(number)


def _plan_of(entry: Entry, host: Host) -> Plan:
    node = entry.node
    callbacks = entry.callbacks
    pubs, subs, capacity = entry.wiring.declared()
    plan = Plan(
        node.name,
        {
            one.kind: importable.reference(one.kind, one.function)
            for one in (
                getattr(callbacks, kind)
                for kind in ("init", "tick", "shutdown", "on_error", "enter_safe_state")
            )
            if one is not None and one.function is not None
        },
        pubs,
        subs,
        entry.rate,
        capacity,
        node.order,
        entry.wiring.remapped,
        host.scheduler.seed,
    )
    try:
        pickle.dumps(plan)
    except Exception as error:
        raise ConfigError(
            f"Starting node {node.name!r} failed: expected pubs and subs that another process can import, as "
            f"compute='process' asks for, got {error}."
        ) from error
    return plan


def _sendable(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    try:
        pickle.dumps(arguments)
    except Exception:  # noqa: BLE001 - an exception may hold anything
        return tuple(NodeError(f"{type(one).__name__}: {one}") for one in arguments)
    return arguments
