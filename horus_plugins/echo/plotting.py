"""`topic echo --plot PATH`: a number over time in the terminal, with keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from horus_core import _native
from horus_core.text import plain_name
from horus_plugins.echo import following, paths, plot
from horus_plugins.monitor.screen import Screen

if TYPE_CHECKING:
    from horus_plugins.echo.listening import Limits, Listener

_FRAME_NS = 50_000_000
_WINDOW_S = 10.0
_SHORTEST_S, _LONGEST_S = 0.1, 600.0
_KEYS = "+ - window   space pause   q quit"


class Plotter:
    """What is drawn, and what the keys change."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._series = plot.Series()
        self._window_s = _WINDOW_S
        self._paused_ns: int | None = None
        self._last: float | None = None
        self.over = False

    def add(self, points: list[tuple[int, float]]) -> None:
        """Points of (ns, value)."""
        if points:
            self._series.add(points)
            self._last = points[-1][1]

    def press(self, key: str) -> None:
        """Do what the key says."""
        if key in "qQ":
            self.over = True
        elif key == " ":
            self._paused_ns = None if self._paused_ns is not None else _native.now_ns()
        elif key in "+=":
            self._window_s = max(_SHORTEST_S, self._window_s / 2)
        elif key in "-_":
            self._window_s = min(_LONGEST_S, self._window_s * 2)

    def lines(self, width: int, height: int, note: str = "") -> list[str]:
        """The picture now."""
        now_ns = _native.now_ns() if self._paused_ns is None else self._paused_ns
        points = self._series.since(now_ns - int(self._window_s * 1e9))
        points = [point for point in points if point[0] <= now_ns]
        value = "waiting" if self._last is None else f"{self._last:.6g}"
        state = "   paused" if self._paused_ns is not None else ""
        head = f"{self._title}   {value}   {len(points)} points{state}"
        body = plot.draw(points, now_ns, self._window_s, width, max(2, height - 2))
        return [head, *body, note or _KEYS]


def run(listener: Listener, limits: Limits, path: paths.Path, notes: list[str]) -> None:
    """Draw until a limit, a key or Ctrl+C ends it; the newest of `notes` stands in the last line."""
    plotter = Plotter(plain_name(f"{listener.topic.name}  {paths.text(path)}"))
    next_ns = 0
    try:
        with Screen() as screen:
            for batch in listener.listen(limits):
                plotter.add(list(following.numbers(batch, path)))
                while key := screen.wait():
                    plotter.press(key)
                now_ns = _native.now_ns()
                if now_ns >= next_ns:
                    next_ns = now_ns + _FRAME_NS
                    screen.show(plotter.lines(*screen.size, plain_name(notes[-1]) if notes else ""))
                if plotter.over:
                    break
    finally:
        listener.close()
