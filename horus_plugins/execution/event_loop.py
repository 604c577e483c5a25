"""The thread with the event loop that the async nodes of a scheduler share."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar, copy_context
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from horus_core import _native
from horus_core.control import logs
from horus_core.errors import NodeError
from horus_core.scheduler import clock, patience
from horus_core.scheduler.loop import Loop

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from horus_core.scheduler.entry import Entry
    from horus_core.scheduler.scheduler import Scheduler

_T = TypeVar("_T")
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
    """An event loop on a thread of its own, which calls things on behalf of nodes, and closes it at the end."""

    def __init__(self, scheduler: Scheduler, loop: asyncio.AbstractEventLoop) -> None:
        self._view = TaskLoop(scheduler, _native.Alarm())
        self.asyncio = loop
        self._tasks: WeakKeyDictionary[asyncio.Task[Any], Entry] = WeakKeyDictionary()
        self._calls: set[asyncio.Task[Any]] = set()  # for which other threads wait
        self._at_end: list[Callable[[], object]] = []
        self._log = logs.logger("scheduler")
        # A daemon: a tick that never ends must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="horus asyncio", daemon=True)
        self._thread.start()

    def enter_here(self) -> None:
        """Let this thread be one of the nodes': what is called there finds the scheduler's time."""
        clock.enter(self._view)

    def submit(self, entry: Entry, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Let a coroutine run, as the node's. It must not raise."""
        asyncio.run_coroutine_threadsafe(self._as(entry, coroutine), self.asyncio)

    def call(self, entry: Entry, function: Callable[..., Any], *arguments: Any) -> None:
        """Call a coroutine function, as the node's, and wait until it has ended. From any other thread."""
        if threading.current_thread() is self._thread:
            raise NodeError(
                f"Calling {function!r} failed: expected another thread than that of the event loop, which would wait "
                f"for itself (node={entry.node.name!r}). Await it there."
            )
        future = asyncio.run_coroutine_threadsafe(
            self._caught(self._as(entry, function(*arguments))), self.asyncio
        )
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
        """Cancel what still runs, and end the thread; one that a callback blocks is left behind."""
        self.asyncio.call_soon_threadsafe(self.asyncio.stop)
        self._thread.join(patience.AT_LEAST_S if self.blocker() is not None else patience.PATIENCE_S)
        if self._thread.is_alive():
            self._log.error("the event loop of the async nodes does not end; its thread is left behind")

    def blocker(self) -> str | None:
        """Whose callback the loop is in the middle of, awaiting nothing now; None when it is idle."""
        task = asyncio.current_task(self.asyncio)
        return None if task is None else self._whose(task)

    def at_end(self, tell: Callable[[], object]) -> None:
        """Call it when the loop has ended, and with it all that was left in it."""
        self._at_end.append(tell)

    def _whose(self, task: asyncio.Task[Any]) -> str:
        entry = self._tasks.get(task)
        return f"the task {task.get_name()!r}" if entry is None else f"node {entry.node.name!r}"

    async def _as(self, entry: Entry, coroutine: Coroutine[Any, Any, _T]) -> _T:
        _current.set(entry)  # in the context of this task, and of those that it makes
        task = asyncio.current_task()
        assert task is not None
        self._tasks[task] = entry
        return await coroutine

    def _run(self) -> None:
        clock.enter(self._view)
        loop = self.asyncio
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
            loop.run_until_complete(self._wind_up())
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
        finally:
            asyncio.set_event_loop(None)
            loop.close()
            clock.leave()
            for tell in self._at_end:
                tell()

    async def _wind_up(self) -> None:
        """Let callbacks end that were asked for while the loop was blocked; then cancel what nodes made and left."""
        await asyncio.sleep(0)  # they begin
        if self._calls:
            await asyncio.wait(self._calls, timeout=patience.PATIENCE_S)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        if left:
            _, left = await asyncio.wait(left, timeout=patience.PATIENCE_S)
        for task in left:
            self._log.error(
                "%s goes on although it was cancelled; its loop ends without it", self._whose(task)
            )
            task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001 - it is said just now

    async def _caught(self, coroutine: Coroutine[Any, Any, Any]) -> BaseException | None:
        """What it raised, as a value: SystemExit out of a task would end the loop."""
        task = asyncio.current_task()
        assert task is not None
        self._calls.add(task)
        try:
            await coroutine
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - it is raised where it was called
            return error
        finally:
            self._calls.discard(task)
        return None
