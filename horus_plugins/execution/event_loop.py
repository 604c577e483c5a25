"""The thread with the event loop that the async nodes of a scheduler share."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar, copy_context
from typing import TYPE_CHECKING, Any, TypeVar

from horus_core import _native
from horus_core.errors import NodeError
from horus_core.scheduler import clock
from horus_core.scheduler.loop import Loop

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from horus_core.scheduler.entry import Entry
    from horus_core.scheduler.scheduler import Scheduler

_T = TypeVar("_T")
_PATIENCE_S = 5.0
_current: ContextVar[Entry | None] = ContextVar("horus_node", default=None)


class TaskLoop(Loop):
    """What horus.now() and its kin find on this thread: whose callback it is depends on the task."""

    @property
    def current(self) -> Entry | None:
        """The node whose task this is."""
        return _current.get()

    def on_behalf(self, entry: Entry, deal: Callable[..., _T], *arguments: Any) -> _T:
        """Call what deals with a node; callbacks that it calls have this node as the current one."""
        token = _current.set(entry)
        try:
            return deal(*arguments)
        finally:
            _current.reset(token)


class EventLoop:
    """An asyncio loop on a thread of its own, which calls things on behalf of nodes."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._view = TaskLoop(scheduler, _native.Alarm())
        self.asyncio = asyncio.new_event_loop()
        # A daemon: a tick that never ends must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="horus asyncio", daemon=True)
        self._thread.start()

    def submit(self, entry: Entry, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Let a coroutine run, as the node's. It must not raise."""
        asyncio.run_coroutine_threadsafe(_as(entry, coroutine), self.asyncio)

    def call(self, entry: Entry, function: Callable[..., Any], *arguments: Any) -> None:
        """Call a coroutine function, as the node's, and wait until it has ended. From any other thread."""
        if threading.current_thread() is self._thread:
            raise NodeError(
                f"Calling {function!r} failed: expected another thread than that of the event loop, which would wait "
                f"for itself (node={entry.node.name!r}). Await it there."
            )
        future = asyncio.run_coroutine_threadsafe(_caught(_as(entry, function(*arguments))), self.asyncio)
        try:
            error = future.result()
        except BaseException:  # a second signal
            future.cancel()
            raise
        if error is not None:
            raise error

    async def aside(self, entry: Entry, function: Callable[..., _T], *arguments: Any) -> _T:
        """Call what may wait for this loop, as the node's, on another thread."""

        def called() -> _T:
            clock.enter(self._view)
            try:
                return self._view.on_behalf(entry, function, *arguments)
            finally:
                clock.leave()

        return await self.asyncio.run_in_executor(None, copy_context().run, called)

    def close(self) -> None:
        """Cancel what still runs, and end the thread; a callback that blocks it is left behind."""
        self.asyncio.call_soon_threadsafe(self.asyncio.stop)
        self._thread.join(_PATIENCE_S)

    def _run(self) -> None:
        clock.enter(self._view)
        loop = self.asyncio
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
            self._cancel_all()
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
        finally:
            asyncio.set_event_loop(None)
            loop.close()
            clock.leave()

    def _cancel_all(self) -> None:
        """Tasks that a node's callbacks made and left."""
        tasks = asyncio.all_tasks(self.asyncio)
        for task in tasks:
            task.cancel()
        if tasks:
            self.asyncio.run_until_complete(asyncio.wait(tasks, timeout=_PATIENCE_S))


async def _as(entry: Entry, coroutine: Coroutine[Any, Any, _T]) -> _T:
    _current.set(entry)  # in the context of this task, and of those that it makes
    return await coroutine


async def _caught(coroutine: Coroutine[Any, Any, Any]) -> BaseException | None:
    """What it raised, as a value: SystemExit out of a task would end the loop."""
    try:
        await coroutine
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # noqa: BLE001 - it is raised where it was called
        return error
    return None
