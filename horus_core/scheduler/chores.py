"""What other threads ask the thread of a run to do: nodes are started and stopped there alone."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from horus_core.control import logs
from horus_core.scheduler import clock as clocks

if TYPE_CHECKING:
    from collections.abc import Callable

    from horus_core.scheduler.loop import Loop


class Chores:
    """Those of one session, done between two ticks of its own loop."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._thread = threading.get_ident()
        self._waiting: deque[_Chore] = deque()
        self._lock = threading.RLock()  # a signal's handler may ask, too
        self._idle = False
        self._over = False
        self._log = logs.logger("scheduler")

    def ask(self, what: Callable[[], Any], *, later: bool = False) -> None:
        """Have something done, and wait until it is done; raises what it raised.

        From inside a callback nothing is waited for: the thread may be waiting for that very callback; nor while
        the thread is elsewhere, between two steps; nor with `later`. What goes wrong is logged then, as there is
        nobody to raise it to.
        """
        if threading.get_ident() == self._thread and self._loop.current is None:
            what()
            return
        with self._lock:
            unheard = later or self._idle or clocks.here() is not None
            chore = _Chore(what, self._tell_of if unheard else None)
            late = self._over
            if not late:
                self._waiting.append(chore)
        if late:
            what()
            return
        self._loop.alarm.ring()
        if not unheard:
            chore.wait()

    def do(self) -> None:
        """Do what waits."""
        while self._waiting:
            self._waiting.popleft().do()

    def rest(self) -> None:
        """The thread goes elsewhere: do what somebody waits for, and let nobody wait from now on."""
        with self._lock:
            self._idle = True
        self.do()

    def go_on(self) -> None:
        """The thread is back: do what was asked for meanwhile."""
        with self._lock:
            self._idle = False
        self.do()

    def end(self) -> None:
        """The run is over: do what waits, and whatever comes later on the thread that asks."""
        with self._lock:
            self._over = True
        self.do()

    def _tell_of(self, error: Exception) -> None:
        self._log.error("what a callback asked for failed", exc_info=error)


class _Chore:
    """Something to be done on another thread, and what came of it."""

    def __init__(self, what: Callable[[], Any], unheard: Callable[[Exception], None] | None) -> None:
        """`unheard` takes what goes wrong where nobody waits for it."""
        self._what = what
        self._unheard = unheard
        self._done = threading.Event()
        self._error: BaseException | None = None

    def do(self) -> None:
        """Do it; what it raises is raised by wait()."""
        try:
            self._what()
        except Exception as error:  # noqa: BLE001 - it is raised where it was asked for
            self._error = error
            if self._unheard is not None:
                self._unheard(error)
        except BaseException as error:
            self._error = error
            raise
        finally:
            self._done.set()

    def wait(self) -> None:
        """Wait until it is done."""
        self._done.wait()
        if self._error is not None:
            raise self._error
