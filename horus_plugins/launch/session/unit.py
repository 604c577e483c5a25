"""One node of a session: its place in the plan, its process, and what the manifest says of it."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from horus_plugins.launch.child import Child
from horus_plugins.launch.environment import environment
from horus_plugins.launch.manifest import Exit, LaunchedNode
from horus_plugins.launch.session.restarts import Restarts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from horus_plugins.launch.child import Start
    from horus_plugins.launch.file.plan import PlannedNode
    from horus_plugins.launch.manifest import NodeStatus
    from horus_plugins.launch.output import Outlet
    from horus_plugins.launch.session.ending import Ending
    from horus_plugins.launch.session.files import LineFile

FINAL = ("stopped", "crashed", "failed")


class Unit:
    """A node that the session runs, through all of its restarts."""

    def __init__(self, plan: PlannedNode, log: LineFile) -> None:
        self.plan = plan
        self.log = log
        self.restarts = Restarts(plan.restart)
        self.row = LaunchedNode(
            plan.name, command=list(plan.command), policy=plan.restart.policy, log=str(log.path)
        )
        self.child: Child | None = None
        """Its process, until nothing of it is left."""
        self.ending: Ending | None = None
        """How its process is being stopped."""
        self.ready = False
        self.held = False
        """Whether somebody had it stopped: it is not restarted."""
        self.again = False
        """Whether it is to start anew as soon as its process is gone, because somebody asked for it."""
        self.successor: PlannedNode | None = None
        """What takes its place then."""
        self.leaving = False
        """Whether the plan has it no more."""
        self.begin_at: float | None = None
        """When its start delay is over; None: what it depends on is not there."""
        self.retry_at: float | None = None
        self.exit_code = 0
        """Of its last end, or 1 when it could not be started."""
        self._ran: tuple[float, int] | None = None

    @property
    def name(self) -> str:
        """As the launch file has it."""
        return self.plan.name

    @property
    def status(self) -> NodeStatus:
        """What the manifest says."""
        return self.row.status

    @property
    def living(self) -> Child | None:
        """Its process while it runs."""
        return self.child if self.child is not None and self.child.running else None

    @property
    def over(self) -> bool:
        """Whether nothing of it lives and nothing of it will start."""
        return self.child is None and self.retry_at is None and not self.again and self.status in FINAL

    @property
    def is_due_again(self) -> bool:
        """Whether its back-off is over and nothing is left of its last process."""
        return self.retry_at is not None and self.child is None and time.monotonic() >= self.retry_at

    def spawn(
        self, namespace: str, mark: Mapping[str, str], out: Outlet, err: Outlet, start: Start | None = None
    ) -> Child:
        """Start its process, by `start` if that can. Raises LaunchError."""
        added = {**environment(namespace), **self.plan.environment, **mark}
        self.begin_at = self.retry_at = None
        self.again = False
        child = Child(self.name, self.plan.command, added, out=out, err=err, cwd=self.plan.cwd, start=start)
        self.child, self.ready, self.ending = child, False, None
        self._ran = None
        row = self.row
        row.pid, row.status, row.started_ns = child.pid, "starting", time.time_ns()
        row.next_try_ns, row.waiting_for, row.schedulers = 0, "", []
        return child

    def ended(self, end: Exit, code: int) -> None:
        """Take note of the end of its process."""
        self.exit_code = code
        self.ready = False
        self.row.pid = 0
        self.row.schedulers = []
        self.row.last_exit = end

    def settle(self) -> None:
        """No restart: it stays as it ended."""
        end = self.row.last_exit
        well = end is None or end.asked or end.code == 0
        self.row.status = "stopped" if well else "crashed"
        self.row.next_try_ns, self.row.waiting_for = 0, ""
        self.retry_at = self.begin_at = None
        self.again = False

    def cancel(self) -> None:
        """Start nothing any more. What lives goes on."""
        self.again = False
        if self.living is None and self.status not in ("crashed", "failed"):
            self.settle()

    def wait(self) -> None:
        """Start when all that it depends on is there, whatever was before: it failed to start, or was stopped."""
        self.held = self.again = False
        self.retry_at = None
        if self.status != "waiting":  # a delay that has begun goes on
            self.begin_at = None
            self.row.status, self.row.waiting_for, self.exit_code = "waiting", "", 0

    def back_off(self, wait_s: float, why: str = "") -> None:
        """Start again after so long; `why` it could not be started just now."""
        self.retry_at = time.monotonic() + wait_s
        self.row.status, self.row.waiting_for = "backing-off", why
        self.row.next_try_ns = time.time_ns() + int(wait_s * 1e9)

    def fail(self, why: str) -> None:
        """It cannot be started."""
        self.row.status, self.row.waiting_for = "failed", why
        self.row.next_try_ns = 0
        self.retry_at = self.begin_at = None
        self.exit_code = self.exit_code or 1

    def is_busy(self, over_s: float) -> bool:
        """Whether its process has worked, or wanted to, since `over_s` ago; what only waits holds up no others."""
        child = self.living
        if child is None:
            return False
        worked = _worked_ns(child.pid)
        if worked is None:
            return child.age_s < 1.0
        now = time.monotonic()
        if self._ran is None:
            self._ran = (now, worked)
        since, before = self._ran
        if now - since < over_s:
            return True
        self._ran = (now, worked)
        return worked - before > over_s * 1e9 / 20


def _worked_ns(pid: int) -> int | None:
    """How long the process has run and has waited for a processor, in nanoseconds; None where nobody counts."""
    with suppress(OSError, ValueError):
        ran, waited, *_ = Path("/proc", str(pid), "schedstat").read_bytes().split()
        return int(ran) + int(waited)
    return None
