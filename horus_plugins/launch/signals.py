"""Signals as bytes in a pipe: one loop reads them beside everything else, no code runs in a handler."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from types import FrameType, TracebackType

STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_WATCHED = (*STOP, signal.SIGTSTP, signal.SIGCHLD)


@final
class SignalPipe:
    """While open: SIGINT, SIGTERM, SIGHUP, SIGTSTP and SIGCHLD arrive in a pipe.

    A stop that was ignored stays ignored (nohup, a background job of a plain shell). But not SIGCHLD: while
    that is ignored, which some supervisors hand down, the kernel reaps our children and tells nobody.
    """

    def __enter__(self) -> SignalPipe:
        self.fd, self._write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._wakeup = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        self._before = {
            number: signal.signal(number, _noop)
            for number in _WATCHED
            if number == signal.SIGCHLD or signal.getsignal(number) is not signal.SIG_IGN
        }
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup)
        os.close(self.fd)
        os.close(self._write)

    def received(self) -> list[signal.Signals]:
        """The signals that came since the last call, in order."""
        try:
            return [signal.Signals(number) for number in os.read(self.fd, 4096)]
        except BlockingIOError:
            return []


def _noop(_number: int, _frame: FrameType | None) -> None:
    """A handler must be set for the wakeup descriptor to be written."""
