"""The plugin that brings the standard execution classes: the same door that a stranger's package comes through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from horus_core.plugins.marks import hookimpl
from horus_plugins.execution.async_io import AsyncIo
from horus_plugins.execution.best_effort import BestEffort
from horus_plugins.execution.compute import Compute
from horus_plugins.execution.compute_process import ComputeProcess
from horus_plugins.execution.event import Event
from horus_plugins.execution.rt import Rt

if TYPE_CHECKING:
    from collections.abc import Callable

    from horus_core.abc import ExecutionClass


@hookimpl
def horus_register_execution(register: Callable[[type[ExecutionClass]], None]) -> None:
    """Supply the standard classes."""
    for cls in (BestEffort, Rt, Compute, ComputeProcess, Event, AsyncIo):
        register(cls)
