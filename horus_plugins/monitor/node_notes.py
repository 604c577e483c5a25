"""Why a node is not as it should be, in words, with what may help."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from horus_core import _native
from horus_core.scheduler import health
from horus_plugins.monitor import dates, schedulers

if TYPE_CHECKING:
    from horus_plugins.monitor.claims import Claim
    from horus_plugins.monitor.node_pace import Pace
    from horus_plugins.monitor.processes import Process
    from horus_plugins.monitor.schedulers import SchedulerRecord
    from horus_plugins.monitor.sessions import Sessions

_NS = 1_000_000_000
_LONG_TICK_NS = _NS


class Look:
    """A scheduler at the moment of a look."""

    def __init__(
        self, record: SchedulerRecord, scheduler: str, process: Process | None, sessions: Sessions
    ) -> None:
        self.record = record
        self.scheduler = scheduler
        """running, ended or killed."""
        self.process = process
        """None when it is gone, or not to be seen from here."""
        self.sessions = sessions
        self.now_ns = _native.now_ns()

    def changed_ns(self, row: int) -> int:
        """When a node took on the state that it has; 0: long ago."""
        return schedulers.state_changes(self.record).get(row, 0)

    def last_failure(self, row: int) -> str:
        """The last line of the last traceback of a node; "" for none."""
        texts = [
            event["text"] for event in self._events if event["node"] == row and event["kind"] == "failure"
        ]
        lines = texts[-1].strip().splitlines() if texts else []
        return lines[-1].strip() if lines else ""

    @property
    def last_sign(self) -> str:
        """When a scheduler that is gone wrote last, as a date and how long ago."""
        ns = schedulers.last_sign_ns(self.record, self.record.ticks(), self._events, self.now_ns)
        return f"{dates.seconds(self.record.realtime_ns(ns))} ({dates.ago((self.now_ns - ns) / _NS)})"

    @cached_property
    def _events(self) -> list[dict[str, Any]]:
        return self.record.events()


def note(looked: Look, row: dict[str, Any], state: str, pace: Pace, claim: Claim | None) -> str:
    """What to say of a node that a record tells of; "" when all is well."""
    if state == "crashed":
        return _crashed(looked, row, claim)
    if looked.process is not None and looked.process.stopped_by and state == "stale":
        return f"{_frozen(looked.process)}; it was {row['state']}"
    told = {"stale": _stale, "hung": _hung, "error": _error, "unknown": _unknown}
    if state in told:
        return told[state](looked, row, pace)
    if state == "running":
        return _running(looked, row)
    if row["held"]:
        safe = " in its safe state" * row["in_safe_state"]
        return f"held{safe} by an emergency stop, until `horus estop --release`"
    return ""


def note_of_claim(claim: Claim, state: str, process: Process | None, blind: str) -> str:
    """What to say of a node that only its presence tells of."""
    if blind:
        return "whether it lives cannot be told"
    if claim.crashed:
        return f"{_last_line(claim.crashed)}, {dates.seconds(claim.crashed_ns)}"
    if state == "crashed":
        return f"its process ({claim.pid}) is gone without an end; it had started {dates.seconds(claim.started_ns)}"
    if process is not None and process.stopped_by:
        return _frozen(process)
    return "its process lives, but no record tells what it does"


def _frozen(process: Process) -> str:
    if process.state == "t":
        return f"its process ({process.pid}) is held by a debugger"
    return f"its process ({process.pid}) is stopped by a signal: `kill -CONT {process.pid}` lets it go on"


def _crashed(looked: Look, row: dict[str, Any], claim: Claim | None) -> str:
    if claim is not None and claim.crashed:
        return f"{_last_line(claim.crashed)}, {dates.seconds(claim.crashed_ns)}"
    failure = looked.last_failure(row["row"])
    if looked.scheduler != schedulers.KILLED:
        return failure
    pid = looked.record.header["pid"]
    how = looked.sessions.how_it_ended(pid)
    in_tick = ", in a tick" if row["started_ns"] else ""
    ended = f"its process ({pid}): {how}" if how else f"its process ({pid}) is gone without an end"
    return f"{ended}{in_tick}; last sign of life {looked.last_sign}"


def _stale(looked: Look, row: dict[str, Any], pace: Pace) -> str:
    due = f"though one is due every {dates.span(row['period_ns'] / _NS)}"
    if row["started_ns"]:
        return f"in a tick for {dates.span((looked.now_ns - row['started_ns']) / _NS)}, {due}"
    return f"no tick for {dates.span((looked.now_ns - pace.last_tick_ns) / _NS)}, {due}"


def _hung(looked: Look, row: dict[str, Any], _pace: Pace) -> str:
    if row["gone"]:
        return "its tick was left behind when it was to stop, and goes on"
    if not row["started_ns"]:
        return "its tick does not end"
    spent = dates.span((looked.now_ns - row["started_ns"]) / _NS)
    limit = f" (watchdog {dates.span(row['watchdog_ns'] / _NS)})" if row["watchdog_ns"] else ""
    return f"in a tick for {spent}{limit}"


def _error(looked: Look, row: dict[str, Any], _pace: Pace) -> str:
    failure = looked.last_failure(row["row"])
    last = f", the last: {failure}" if failure else ""
    return f"{row['failed_in_row']} failures in a row{last}"


def _unknown(_looked: Look, _row: dict[str, Any], _pace: Pace) -> str:
    return "its record names no state that this version knows"


def _running(looked: Look, row: dict[str, Any]) -> str:
    if row["ladder"] >= health.ISOLATED:
        return "isolated after misses: it ticks once a second, to try"
    if row["ladder"] == health.SLOW:
        return "ticks at half its rate, after misses"
    if row["failed_in_row"]:
        failure = looked.last_failure(row["row"])
        return f"{row['failed_in_row']} failures in a row" + (f", the last: {failure}" if failure else "")
    spent_ns = looked.now_ns - row["started_ns"] if row["started_ns"] else 0
    if spent_ns > max(_LONG_TICK_NS, 2 * row["period_ns"]):
        return f"in a tick for {dates.span(spent_ns / _NS)}"
    return ""


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[0] if lines else ""
