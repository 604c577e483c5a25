"""AsyncIo: nodes whose ticks are coroutines, on one event loop: while one awaits, others run."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from horus_core.abc import ExecutionClass
from horus_core.errors import ConfigError

if TYPE_CHECKING:
    import asyncio

    from horus_core.nodes.config import NodeConfig
    from horus_core.nodes.elsewhere import Elsewhere
    from horus_core.scheduler.entry import Entry
    from horus_core.scheduler.host import Host
    from horus_plugins.execution.async_driver import Driver
    from horus_plugins.execution.event_loop import EventLoop

# What needs asyncio is imported where an async node runs: most programs have none.


class AsyncIo(ExecutionClass):
    """Takes nodes with an async tick. Their other callbacks are awaited in the same loop where they are async.

    Subclasses may run them on another event loop: override new_loop().
    """

    name = "async_io"
    precedence = 50

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._loop: EventLoop | None = None
        self._drivers: dict[Entry, Driver] = {}

    @classmethod
    def accepts(cls, config: NodeConfig) -> bool:
        """Whether its tick is a coroutine function."""
        return config.is_async

    def check(self, entry: Entry) -> None:
        """Show the node's async callbacks where they run."""
        if not entry.config.is_async:
            raise ConfigError(
                f"Starting node {entry.node.name!r} failed: expected an async tick, as execution={self.name!r} asks "
                f"for, got {entry.callbacks.tick!r}. Write async def."
            )
        entry.callbacks.home.call = partial(self._call, entry)

    def add(self, entry: Entry) -> None:
        """Tick it from now on."""
        from horus_plugins.execution.async_driver import Driver  # noqa: PLC0415

        self._drivers[entry] = driver = Driver(self.host, self._running(), entry)
        driver.start()

    def remove(self, entry: Entry) -> None:
        """Its tick may end; after a while it is cancelled."""
        self._drivers.pop(entry).finish()

    def changed(self, entry: Entry) -> None:
        """It may be asleep for longer, or shorter, than is right now."""
        self._drivers[entry].look()

    def halt(self) -> None:
        """Begin no tick any more. The time of grace begins for all of them."""
        for driver in self._drivers.values():
            driver.halt()

    def close(self) -> None:
        """End the loop, and what is left in it."""
        if self._loop is not None:
            self._loop.close()

    def new_loop(self) -> asyncio.AbstractEventLoop:
        """A new event loop for the nodes of this scheduler. It runs on a thread of its own, which closes it."""
        import asyncio  # noqa: PLC0415

        return asyncio.new_event_loop()

    def _running(self) -> EventLoop:
        if self._loop is None:
            from horus_plugins.execution.event_loop import EventLoop  # noqa: PLC0415

            self._loop = EventLoop(self.host.scheduler, self.new_loop())
        return self._loop

    def _call(self, entry: Entry, callback: Elsewhere, *arguments: Any) -> None:
        assert callback.function is not None
        self._running().call(entry, callback.function, *arguments)
