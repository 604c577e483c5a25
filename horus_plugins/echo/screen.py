"""A terminal as a picture that is drawn anew: keys come at once, and all is as it was at the end."""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import tty
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType, TracebackType

    from typing_extensions import Self

_ENTER = "\x1b[?1049h\x1b[?25l"  # the other screen, no cursor
_LEAVE = "\x1b[?25h\x1b[?1049l"
_TERMINATED = 128


class Screen:
    """The terminal on stdin and stdout, from `with Screen() as screen:` to its end, whatever ends it but SIGKILL."""

    def __enter__(self) -> Self:
        self._keys = sys.stdin.fileno()
        self._before = termios.tcgetattr(self._keys)
        self._handler = signal.signal(signal.SIGTERM, _terminated)
        tty.setcbreak(self._keys)
        self._write(_ENTER)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # the terminal may be gone
            self._write(_LEAVE)
        with suppress(termios.error):
            termios.tcsetattr(self._keys, termios.TCSADRAIN, self._before)
        signal.signal(signal.SIGTERM, self._handler)

    @property
    def size(self) -> tuple[int, int]:
        """(columns, lines) now, whatever COLUMNS says."""
        found = os.get_terminal_size(sys.stdout.fileno())
        return found.columns, found.lines

    def show(self, lines: Sequence[str]) -> None:
        """Draw these lines, from the top."""
        columns, rows = self.size
        # Each line is cleared behind its end, and what is below the last one: no flicker, nothing left over.
        drawn = "\x1b[K\r\n".join(line[:columns] for line in lines[:rows])
        self._write(f"\x1b[H{drawn}\x1b[J")

    def pressed(self) -> str:
        """The keys that were pressed since the last time."""
        if not select.select([self._keys], [], [], 0)[0]:
            return ""
        data = os.read(self._keys, 1024)
        if not data:
            raise BrokenPipeError  # the terminal was closed
        return data.decode(errors="replace")

    @staticmethod
    def _write(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


def _terminated(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(_TERMINATED + number)
