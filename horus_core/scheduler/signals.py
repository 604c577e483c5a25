"""SIGINT and SIGTERM while a scheduler runs in the main thread.

The first asks for a stop, the second cuts short what the stop waits for, the third ends the process at once
(in C, see alarm_py.c, so that code that never returns to Python cannot prevent it).
"""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from horus_core._native import Alarm

_CUT_AT = 2
_owners: list[StopSignals] = []  # none or one: the main thread runs one scheduler at a time
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class CutShort(BaseException):
    """Raised inside the callback that is running when the second signal comes."""


class StopSignals:
    """Owns the two signals for the time of a `with`; in other threads than the main one it does nothing."""

    def __init__(
        self, alarm: Alarm, request_stop: Callable[[], None], in_callback: Callable[[], bool]
    ) -> None:
        self._alarm = alarm
        self._request_stop = request_stop
        self._in_callback = in_callback
        self._previous: dict[signal.Signals, Any] = {}
        self._seen = 0

    def __enter__(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        for number in _SIGNALS:
            self._previous[number] = signal.signal(number, self._handle)
        self._alarm.watch_signals(*_SIGNALS)
        _owners.append(self)

    def __exit__(self, *_exc: object) -> None:
        if self in _owners:
            _owners.remove(self)
            self.give_back()

    def give_back(self) -> None:
        """Put back the handlers that stood before."""
        self._alarm.unwatch_signals()
        for number, previous in self._previous.items():
            # None: a handler that was not installed from Python, which Python cannot put back.
            signal.signal(number, signal.SIG_DFL if previous is None else previous)
        self._previous.clear()

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        # Two signals in quick succession reach Python as one; the native count has both.
        self._seen = max(self._seen + 1, self._alarm.signals)
        self._request_stop()
        if self._seen >= _CUT_AT and self._in_callback():
            raise CutShort


def _give_back_in_child() -> None:
    """A forked child runs no scheduler: its signals must end it, as multiprocessing's terminate() wants."""
    while _owners:
        _owners.pop().give_back()


os.register_at_fork(after_in_child=_give_back_in_child)
