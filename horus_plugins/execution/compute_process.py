"""Compute in a process: each node with compute="process" has its own, with an interpreter to itself."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from horus_core.abc import ExecutionClass
from horus_core.backends import registry as backends
from horus_core.errors import ConfigError

if TYPE_CHECKING:
    from horus_core.nodes.config import NodeConfig
    from horus_core.scheduler.entry import Entry
    from horus_core.scheduler.host import Host, LoopThread
    from horus_plugins.execution.far import FarProcess, Spawner


class ComputeProcess(ExecutionClass):
    """Takes nodes with compute="process". A thread for each releases its ticks and waits for them."""

    name = "compute_process"
    precedence = 30

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._spawner: Spawner | None = None
        self._processes: dict[Entry, FarProcess] = {}
        self._threads: dict[Entry, LoopThread] = {}

    @classmethod
    def accepts(cls, config: NodeConfig) -> bool:
        """Whether the node wants a process of its own."""
        return config.compute == "process"

    def check(self, entry: Entry) -> None:
        """Show the node's callbacks where they run."""
        from horus_plugins.execution.far import FarProcess, Spawner  # noqa: PLC0415 - only where a node needs it

        if entry.config.compute != "process":
            raise ConfigError(
                f"Starting node {entry.node.name!r} failed: expected compute='process', as "
                f"execution='compute_process' asks for, got compute={entry.config.compute!r}."
            )
        if not backends.shows_runs():
            raise ConfigError(
                f"Starting node {entry.node.name!r} failed: expected a backend that reaches the process of "
                f"compute='process', got {backends.VARIABLE}={os.environ.get(backends.VARIABLE)}, which stays in "
                "this one. Use another backend, or compute=True."
            )
        if self._spawner is None:
            self._spawner = Spawner()
        self._processes[entry] = process = FarProcess(entry, self.host, self._spawner)
        entry.callbacks.home.call = process.call

    def add(self, entry: Entry) -> None:
        """Give it the thread that releases its ticks; the process is there since init()."""
        self._threads[entry] = thread = self.host.thread(entry.node.name)
        thread.loop.lane.add(entry)
        thread.start()

    def remove(self, entry: Entry) -> None:
        """Its tick may end; after a while the process is ended."""
        thread = self._threads.pop(entry)
        thread.halt()
        try:
            self._processes[entry].settle()
        finally:
            thread.join()

    def changed(self, entry: Entry) -> None:
        """Its thread may be asleep for longer, or shorter, than is right now."""
        self._threads[entry].loop.lane.nudge()

    def halt(self) -> None:
        """Release no tick any more."""
        for entry, thread in self._threads.items():
            thread.halt()
            self._processes[entry].halt()

    def close(self) -> None:
        """End what is left of processes whose init() failed."""
        for process in self._processes.values():
            process.end()
        if self._spawner is not None:
            self._spawner.close()
