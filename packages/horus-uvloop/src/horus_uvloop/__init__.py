"""Async nodes on uvloop: `horus.Node(..., execution="uvloop")`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import uvloop

import horus
from horus_plugins.execution.async_io import AsyncIo

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable

    from horus_core.abc import ExecutionClass

__all__ = ["UvLoop"]
HORUS_PLUGIN_API = 1


class UvLoop(AsyncIo):
    """HORUS's class of async nodes, on the event loop of uvloop. All of a scheduler share one."""

    name = "uvloop"

    def new_loop(self) -> AbstractEventLoop:
        """One of uvloop's."""
        return uvloop.new_event_loop()


@horus.hookimpl
def horus_register_execution(register: Callable[[type[ExecutionClass]], None]) -> None:
    """Supply it."""
    register(UvLoop)
