"""A run on a thread of its own."""

from __future__ import annotations

import atexit
import math
import threading
import time
from typing import TYPE_CHECKING

from horus_core.control import logs
from horus_core.errors import NodeError
from horus_core.scheduler import clock as clocks

if TYPE_CHECKING:
    from collections.abc import Callable

    from horus_core.scheduler.runs import Runs
    from horus_core.scheduler.scheduler import Scheduler

_LOOK_EVERY_S = 0.2  # whether the run's own thread hangs


class Background:
    """The thread that start() begins and join() waits for, if there is one."""

    def __init__(self, scheduler: Scheduler, runs: Runs) -> None:
        self._scheduler = scheduler
        self._runs = runs
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()  # not the thread's join(): see LoopThread
        self._error: BaseException | None = None
        """What the run raised, for join()."""
        self._log = logs.logger("scheduler")

    def start(self, duration: float | None) -> None:
        """Begin a run; returns when nobody else can, and raises what refused it."""
        if self._thread is not None and not self._ended.is_set():
            if self._scheduler.is_running():
                raise NodeError(
                    "Starting a scheduler failed: expected an idle one, got one that runs already."
                )
            self._ended.wait()  # it has let go of the scheduler, and ends now
        opened = threading.Event()
        refused: list[BaseException] = []
        self._error = None
        self._ended.clear()
        # A daemon, ended by atexit: the program's end stops it, and nodes shut down before that.
        thread = threading.Thread(
            target=self._work,
            args=(duration, opened, refused.append),
            name=f"horus {self._scheduler.name}",
            daemon=True,
        )
        thread.start()
        opened.wait()
        if refused:
            raise refused[0]
        self._thread = thread
        atexit.register(self._end)

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end of the run; False when it still runs, or hangs. Raises what it raised."""
        here = clocks.here()
        if here is not None and here.scheduler is self._scheduler:
            raise NodeError(
                "join() failed: expected another thread than one that ticks its nodes, got the inside of a callback. "
                "Call stop() there."
            )
        thread = self._thread
        if thread is None:
            return True
        if not self._wait(timeout):
            return False
        thread.join()
        atexit.unregister(self._end)
        self._thread = None
        error, self._error = self._error, None
        if error is not None:
            raise error
        return True

    def _work(
        self,
        duration: float | None,
        opened: threading.Event,
        refuse: Callable[[BaseException], None],
    ) -> None:
        try:
            self._runs.run(duration, opened)
        except BaseException as error:  # noqa: BLE001 - start() or join() raises it
            if not opened.is_set():
                refuse(error)
                return
            self._error = error  # logged, too: not everybody joins
            self._log.error("the run in the background ended by %s: %s", type(error).__name__, error)
        finally:
            self._ended.set()
            opened.set()

    def _end(self) -> None:
        if not self._ended.is_set():
            self._runs.request_stop()
            self._wait(None)

    def _wait(self, timeout: float | None) -> bool:
        """Whether it has ended. A tick on that very thread which does not end after a stop is not waited for."""
        until_s = math.inf if timeout is None else time.monotonic() + timeout
        while True:
            left_s = until_s - time.monotonic()
            if self._ended.wait(max(0.0, min(left_s, _LOOK_EVERY_S))):
                return True
            hung = self._runs.hung_here()
            if hung is not None:
                self._log.error("%s", hung)
            if hung is not None or left_s <= _LOOK_EVERY_S:
                return False
