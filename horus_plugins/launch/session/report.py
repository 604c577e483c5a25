"""What a launcher says: steps with their seconds, who waits for what, and at the end who ended how."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from horus_plugins.launch.output import Outlet, prefix

if TYPE_CHECKING:
    from collections.abc import Iterable

    from horus_plugins.launch.pump import Pump
    from horus_plugins.launch.session.files import LineFile
    from horus_plugins.launch.session.unit import Unit

_COLOURS = ("36", "33", "35", "32", "34", "96", "93", "95", "92", "94")
_PROGRESS_S = 5.0


class Report:
    """The launcher's own lines, on stderr and in a file of the session."""

    def __init__(self, pump: Pump, log: LineFile, *, colour: bool) -> None:
        self._pump = pump
        self._log = log
        self._colour = colour
        self._colours: dict[str, str] = {}
        self._since = time.monotonic()
        self._progress_at = self._since + _PROGRESS_S

    def say(self, text: str, hint: str = "") -> None:
        """A line; the hint is for this terminal alone: elsewhere the same key does something else."""
        self._pump.say(text + hint)
        self._log.put(text.encode("utf-8", "replace") + b"\n")

    def step(self, text: str, hint: str = "") -> None:
        """A line with the seconds since the last phase began."""
        self.say(f"{time.monotonic() - self._since:5.1f} s  {text}", hint)

    def begin_phase(self) -> None:
        """Count the seconds from here on."""
        self._since = time.monotonic()

    def outlets(self, unit: Unit) -> tuple[Outlet, Outlet]:
        """Where the output of a node goes; its label is in a colour of its own on a terminal."""
        own = self._colours.setdefault(unit.name, label_colour(len(self._colours)))
        shown = prefix(unit.name, own if self._colour else "")
        return Outlet(shown, self._pump.out, unit.log), Outlet(shown, self._pump.err, unit.log)

    def progress(self, units: Iterable[Unit]) -> None:
        """Every few seconds, who is not there yet and why."""
        if time.monotonic() < self._progress_at:
            return
        self._progress_at = time.monotonic() + _PROGRESS_S
        for unit in units:
            if unit.status == "waiting" and unit.row.waiting_for:
                self.step(f"[{unit.name}] waits for {unit.row.waiting_for}")
            elif unit.status == "starting" and unit.living is not None:
                why = "its nodes have not all started" if unit.row.schedulers else "it runs no scheduler yet"
                self.step(
                    f"[{unit.name}] is not ready after {unit.living.age_s:.0f} s: {why} (pid {unit.row.pid})"
                )

    def table(self, units: Iterable[Unit]) -> None:
        """Who ended how."""
        rows = [("NAME", "END", "RESTARTS")]
        for unit in units:
            end = unit.row.last_exit
            how = end.text if end is not None else unit.row.waiting_for or "never started"
            if end is not None and unit.status == "failed":
                how = f"{how}; {unit.row.waiting_for}"
            if end is not None and end.asked and end.signal:
                how += ", as asked"
            rows.append((unit.name, how, str(unit.row.restarts)))
        widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
        self.say("")
        for name, how, restarts in rows:
            self.say(f"  {name:<{widths[0]}}  {how:<{widths[1]}}  {restarts:>8}")


def label_colour(number: int) -> str:
    """A colour for the label of the node with that number."""
    return _COLOURS[number % len(_COLOURS)]
