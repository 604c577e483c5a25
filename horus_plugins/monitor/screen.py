"""A whole terminal to draw on, again and again, and given back as it was, however the command ends."""

from __future__ import annotations

import os
import re
import select
import signal
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from horus_core.text import columns as columns_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType, TracebackType

    from typing_extensions import Self

_ENTER = "\x1b[?1049h\x1b[?25l"  # the other screen, without a cursor
_LEAVE = "\x1b[?25h\x1b[?1049l"
# Terminals that know it show what is between the two at once; others ignore it.
_HOLD, _SHOW = "\x1b[?2026h", "\x1b[?2026l"
_HOME, _REST_OF_LINE, _REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"
_STYLE = re.compile(r"\x1b\[[0-9;]*m")
_PLAIN = "\x1b[0m"
_KEYS = {
    "\x1b[A": "up",
    "\x1bOA": "up",
    "k": "up",
    "\x1b[B": "down",
    "\x1bOB": "down",
    "j": "down",
    "\x1b[5~": "page up",
    "\x1b[6~": "page down",
    "\x1b[H": "home",
    "\x1b[F": "end",
}
_ONE_KEY = re.compile(r"\x1b[\[O][0-9;]*[A-Za-z~]|.", re.DOTALL)
_MOST_BYTES = 64
_LETHAL = (signal.SIGTERM, signal.SIGHUP)


def is_terminal() -> bool:
    """Whether stdout is one."""
    return sys.stdout is not None and sys.stdout.isatty()


class Screen:
    """Use as a context manager. Ctrl+C raises KeyboardInterrupt; Ctrl+Z stops, and `fg` draws anew."""

    def __init__(self) -> None:
        self._lines: Sequence[str] = ()
        self._top = 0
        self._pressed: list[str] = []
        self._mode: list[Any] | None = None
        self._before: dict[int, Any] = {}
        self._wake = (-1, -1)
        self._woken_by = -1

    def __enter__(self) -> Self:
        """Take the terminal."""
        self._wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._woken_by = signal.set_wakeup_fd(self._wake[1], warn_on_full_buffer=False)
        for number in _LETHAL:
            self._before[number] = signal.signal(number, _end)
        self._before[signal.SIGWINCH] = signal.signal(signal.SIGWINCH, _nothing)
        self._before[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, self._stop)
        self._take()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the terminal back."""
        self._give_back()
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._woken_by)
        for fd in self._wake:
            os.close(fd)

    def show(self, lines: Sequence[str]) -> None:
        """Draw these lines, as far as there is room; what is longer is cut, what does not fit can be scrolled to."""
        self._lines = lines
        self._draw()

    @property
    def size(self) -> tuple[int, int]:
        """How much there is room for now, whatever COLUMNS says: (columns, lines)."""
        columns, rows = _size()
        return columns - 1, rows  # in the last column some terminals begin a new line

    def wait(self, until_s: float = 0.0) -> str:
        """The next key that is not for scrolling, or "" when time.monotonic() says that it is so late."""
        while True:
            while self._pressed:
                if key := self._key(self._pressed.pop(0)):
                    return key
            left_s = max(0.0, until_s - time.monotonic())
            stdin = [sys.stdin.fileno()] if self._mode is not None else []
            ready, _, _ = select.select([*stdin, self._wake[0]], [], [], left_s)
            if self._wake[0] in ready:  # the window has another size, or the command goes on after Ctrl+Z
                with suppress(BlockingIOError):
                    os.read(self._wake[0], _MOST_BYTES)
                self._draw()
            if stdin and stdin[0] in ready:
                typed = os.read(stdin[0], _MOST_BYTES).decode("utf-8", "replace")
                self._pressed = _ONE_KEY.findall(typed)
                if not typed:  # the terminal is gone
                    raise SystemExit(128 + signal.SIGHUP)
            elif not left_s:
                return ""

    def _key(self, pressed: str) -> str:
        """The name of a key; "" for one that scrolls, which is done."""
        key = _KEYS.get(pressed, pressed)
        page = max(1, self.size[1] - 2)
        steps = {"up": -1, "down": 1, "page up": -page, "page down": page}
        steps |= {"home": -len(self._lines), "end": len(self._lines)}
        if key not in steps:
            return key
        self._top += steps[key]
        self._draw()
        return ""

    def _draw(self) -> None:
        columns, rows = self.size
        room = rows if len(self._lines) <= rows else rows - 1
        self._top = max(0, min(self._top, len(self._lines) - room))
        shown = list(self._lines[self._top : self._top + room])
        left = len(self._lines) - self._top - len(shown)
        if len(self._lines) > rows:
            shown.append(f"{left} more lines below" if left else "the end")
        drawn = (_REST_OF_LINE + "\r\n").join(clip(line, columns) for line in shown)
        sys.stdout.write(f"{_HOLD}{_HOME}{drawn}{_REST_OF_LINE}{_REST_OF_SCREEN}{_SHOW}")
        sys.stdout.flush()

    def _take(self) -> None:
        if sys.stdin is not None and sys.stdin.isatty():
            import termios  # noqa: PLC0415 - only where there is a terminal
            import tty  # noqa: PLC0415

            self._mode = termios.tcgetattr(sys.stdin)
            tty.setcbreak(sys.stdin, termios.TCSADRAIN)
        sys.stdout.write(_ENTER)
        sys.stdout.flush()

    def _give_back(self) -> None:
        with suppress(OSError):  # a terminal that is gone needs nothing
            sys.stdout.write(_LEAVE)
            sys.stdout.flush()
        if self._mode is not None:
            import termios  # noqa: PLC0415

            with suppress(termios.error, OSError):
                termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._mode)

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        """Ctrl+Z: stop as everybody does, with the terminal as it was; later take it again."""
        self._give_back()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        signal.signal(number, self._stop)
        self._take()


def clip(line: str, columns: int) -> str:
    """What of a line fits into so many columns; colours count for nothing."""
    if line.isascii() and len(line) <= columns:
        return line
    taken, width, at = [], 0, 0
    while at < len(line):
        style = _STYLE.match(line, at)
        if style is not None:
            taken.append(style[0])
            at = style.end()
            continue
        width += columns_of(line[at])
        if width > columns:
            styles = _STYLE.findall("".join(taken))
            return "".join(taken) + (_PLAIN if styles and styles[-1] != _PLAIN else "")
        taken.append(line[at])
        at += 1
    return "".join(taken)


def _size() -> tuple[int, int]:
    try:
        size = os.get_terminal_size(sys.stdout.fileno())
    except OSError:
        return 80, 24
    return max(2, size.columns), max(2, size.lines)


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """A handler, so that the signal wakes the select."""


def _end(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
