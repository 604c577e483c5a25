"""What releases the ticks of one async node, in a task of its own."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

from horus_core import _native
from horus_core.errors import NodeError
from horus_core.scheduler import attention, clock, failure, patience
from horus_core.scheduler.entry import NEVER

if TYPE_CHECKING:
    from horus_core.scheduler.entry import Entry
    from horus_core.scheduler.host import Host
    from horus_plugins.execution.event_loop import EventLoop


class Driver:
    """Releases one node's ticks, in a task of its own."""

    def __init__(self, host: Host, loop: EventLoop, entry: Entry) -> None:
        self._host = host
        self._loop = loop
        self._entry = entry
        self._natively = type(host.clock) is clock.MonotonicClock
        self._halted = False
        self._patience = patience.Patience(host)
        self._alarm = _native.Alarm()  # for clocks that sleep in a way of their own
        self._paced = threading.Event()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[Any] | None = None
        self._done = threading.Event()
        loop.at_end(self._at_loop_end)

    # From the scheduler's thread

    def start(self) -> None:
        """Begin to tick."""
        if self._natively:
            self._loop.submit(self._entry, self._drive())
            return
        name = f"horus {self._entry.node.name}"
        threading.Thread(target=self._pace, name=name, daemon=True).start()

    def look(self) -> None:
        """The next release was moved."""
        self._alarm.ring()
        self._loop.asyncio.call_soon_threadsafe(self._changed.set)

    def halt(self) -> None:
        """Begin no tick any more; returns at once."""
        if not self._halted:
            self._patience.begin()
            self._halted = True
            self.look()

    def finish(self) -> None:
        """Return when the current tick has ended, or was cancelled; raises StillTicking."""
        self.halt()
        if self._patience.wait(self._done.wait):
            return
        if not self._host.hurried:
            self._entry.journal.warning(
                f"its tick did not end within {patience.PATIENCE_S:g} s, and is cancelled"
            )
        self._loop.asyncio.call_soon_threadsafe(self._cancel)
        if self._patience.wait(self._done.wait, rounds=2):
            return
        blocker = self._loop.blocker()
        if blocker is not None:
            self._entry.journal.error(f"its event loop is blocked by {blocker}, which awaits nothing")
        raise patience.StillTicking(self._done.wait)

    def _pace(self) -> None:
        """Sleep by a clock of the scheduler's own, on this thread, which is awake while a tick goes on."""
        self._loop.enter_here()
        try:
            while True:
                self._alarm.reset()  # whatever it rang for is seen now
                if self._halted:
                    break
                now_ns = self._host.clock.now_ns()
                if self._entry.next_ns > now_ns:
                    self._host.clock.sleep_until(self._entry.next_ns, self._alarm)
                    continue
                self._paced.clear()
                self._loop.submit(self._entry, self._drive_once(now_ns))
                self._paced.wait()
        except BaseException as failed:  # noqa: BLE001 - it is raised where run() was called
            self._host.fail(failed)
        finally:
            clock.leave()
            self._done.set()

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _at_loop_end(self) -> None:
        self._paced.set()
        if self._natively:
            self._done.set()

    # In the loop

    async def _drive(self) -> None:
        self._task = asyncio.current_task()
        try:
            while not self._halted:
                self._changed.clear()
                now_ns = self._host.clock.now_ns()
                if self._entry.next_ns > now_ns:
                    await self._sleep(self._entry.next_ns, now_ns)
                elif not await self._release(now_ns):
                    return
                else:
                    await asyncio.sleep(0)  # a tick that never awaits must not keep the others from theirs
        except asyncio.CancelledError:
            pass
        except BaseException as failed:  # noqa: BLE001 - it is raised where run() was called
            self._host.fail(failed)
        finally:
            self._done.set()

    async def _drive_once(self, now_ns: int) -> None:
        self._task = asyncio.current_task()
        try:
            if not await self._release(now_ns):
                self._halted = True
        except asyncio.CancelledError:
            pass
        except BaseException as failed:  # noqa: BLE001 - as above
            self._host.fail(failed)
        finally:
            self._paced.set()

    async def _sleep(self, until_ns: int, now_ns: int) -> None:
        if self._halted:
            return
        timer = None
        if until_ns != NEVER:
            timer = self._loop.asyncio.call_later((until_ns - now_ns) / 1e9, self._changed.set)
        try:
            await self._changed.wait()
        finally:
            if timer is not None:
                timer.cancel()

    async def _release(self, now_ns: int) -> bool:
        """Whether to go on after a tick, or after what stands for it until the node was restarted."""
        entry = self._entry
        entry.begin(now_ns)
        if entry.diverted is not None:
            try:
                await self._loop.aside(entry, entry.diverted)
            except Exception as raised:  # noqa: BLE001 - it is the node's
                return await self._failed(raised)
            return True
        start_ns = entry.began()
        try:
            error = await self._tick()
        except asyncio.CancelledError:
            entry.ended(start_ns, False)
            raise
        reason = entry.ended(start_ns, isinstance(error, Exception))
        if error is not None and not await self._failed(error):
            return False
        if reason != _native.LANE_DONE:
            await self._loop.aside(entry, attention.attend, self._host.scheduler, entry, reason)
        return True

    async def _tick(self) -> BaseException | None:
        """What it raised; a cancellation of ours is raised on."""
        callback: Any = self._entry.callbacks.tick
        try:
            await callback.function()
        except asyncio.CancelledError as cancelled:
            if self._halted:
                raise
            error = NodeError(
                f"A tick of {self._entry.node.name!r} failed: expected it to end, got the cancellation of what it "
                f"awaits."
            )
            error.__cause__ = cancelled
            return error
        except BaseException as raised:  # noqa: BLE001 - it is the node's
            return raised
        return None

    async def _failed(self, error: BaseException) -> bool:
        if await self._loop.aside(self._entry, failure.ends_run, self._host.scheduler, self._entry, error):
            self._host.fail(error)
            return False
        return True
