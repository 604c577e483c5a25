"""What a scheduler offers to its execution classes."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from horus_core import _native
from horus_core.control import flights
from horus_core.scheduler import clock
from horus_core.scheduler.entry import NEVER
from horus_core.scheduler.loop import Loop
from horus_core.scheduler.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Callable

    from horus_core.abc import Clock
    from horus_core.scheduler.entry import Entry
    from horus_core.scheduler.scheduler import Scheduler


class Host:
    """The side of a running scheduler that execution classes see."""

    def __init__(self, scheduler: Scheduler, main_loop: Loop) -> None:
        self.scheduler = scheduler
        self.main_loop = main_loop
        """The loop of the thread that called run(). Its lane takes nodes from any class."""
        self.hurried = False
        """Whether a second signal has cut waiting short: what has not ended by now is left behind."""
        self.end_ns = NEVER
        """When the run ends by itself: no tick begins from then on."""
        self._threads: list[LoopThread] = []

    @property
    def clock(self) -> Clock:
        """What time it is."""
        return self.scheduler.clock

    def thread(self, name: str, prepare: Callable[[], None] | None = None) -> LoopThread:
        """A thread with a loop of its own; `prepare` is called on it before its first tick."""
        thread = LoopThread(self, name, prepare)
        self._threads.append(thread)
        if self.scheduler.is_stopping():
            thread.halt()
        return thread

    def ring(self) -> None:
        """Let no loop begin a tick any more. From any thread, and from a signal's handler."""
        self.main_loop.alarm.ring()
        for thread in list(self._threads):
            thread.halt()

    def forget(self, thread: LoopThread) -> None:
        """The thread has ended, or was left behind."""
        if thread in self._threads:
            self._threads.remove(thread)

    def fail(self, error: BaseException) -> None:
        """End the run, which raises the error (the first one, if there are several). From any thread."""
        self.scheduler.fail(error)

    def granted(self, entry: Entry, asked: str) -> None:
        """Report what a node asked the kernel for and got. From any thread."""
        self.scheduler.report.granted(entry, asked)
        entry.flag(flights.ASKED.get(asked, 0))

    def degraded(self, entry: Entry, asked: str, why: str, fix: str) -> None:
        """Report what a node asked for and does not have. From any thread."""
        self.scheduler.report.degraded(entry, asked, why, fix)
        entry.flag(flights.ASKED.get(asked, 0) << flights.REFUSED)


class LoopThread:
    """A thread that ticks the nodes of its loop's lane until it is halted."""

    def __init__(self, host: Host, name: str, prepare: Callable[[], None] | None) -> None:
        self._host = host
        self._prepare = prepare
        self.alarm = _native.Alarm()
        self.loop = Loop(host.scheduler, self.alarm)
        # A daemon: a tick that never ends must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name=f"horus {name}", daemon=True)
        # Not Thread.join(): interrupted by an exception, it takes the thread for ended (CPython 3.10 and 3.11).
        self._done = threading.Event()
        self._patience = Patience(host)

    def start(self) -> None:
        """Begin to tick."""
        self._thread.start()

    def halt(self) -> None:
        """Begin no tick any more; returns at once."""
        self._patience.begin()
        self.alarm.ring()

    def join(self) -> None:
        """Return when the tick that was under way has ended, and with it the thread.

        Raises StillTicking when it does not end in time.
        """
        self.halt()
        self._host.forget(self)
        if self._thread.ident is None or self._thread is threading.current_thread():
            return
        self._patience.wait_to_the_end(self._ended)

    def _ended(self, timeout_s: float | None) -> bool:
        if not self._done.wait(timeout_s):
            return False
        self._thread.join()
        return True

    def _run(self) -> None:
        clock.enter(self.loop)
        try:
            _native.set_timer_slack(1)
            if self._prepare is not None:
                self._prepare()
            self.loop.run_until(self._host.end_ns)
        except BaseException as error:  # noqa: BLE001 - it is raised where run() was called
            self._host.fail(error)
        finally:
            clock.leave()
            self._done.set()
