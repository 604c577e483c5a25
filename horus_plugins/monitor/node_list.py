"""The nodes of a namespace with their true state: what their records say, checked against the kernel.

Nobody is asked, so it works while a process is frozen, hung or dead. Who lives is who holds the kernel's lock; a
process that a signal has stopped lives, and none of its nodes runs.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec

from horus_core.errors import HorusError, RegionError
from horus_core.shm import namespace as namespaces
from horus_core.shm import process as membership
from horus_core.text import plain, plain_name
from horus_plugins.monitor import claims, node_notes, node_pace, nodes, processes, schedulers, sessions

if TYPE_CHECKING:
    from horus_core import _native
    from horus_plugins.monitor.claims import Claim
    from horus_plugins.monitor.node_pace import Pace
    from horus_plugins.monitor.processes import Process
    from horus_plugins.monitor.schedulers import SchedulerRecord

_NS = 1_000_000_000
CPU_WINDOW_S = 0.05
UNKNOWN, STALE, CRASHED = "unknown", "stale", "crashed"
_OVER = ("stopped", "uninitialized")
_DEAD = (*_OVER, CRASHED)


class ListedNode(msgspec.Struct, kw_only=True):
    """A node at this moment."""

    name: str
    state: str
    """As in horus.NodeState, or `stale`: it is to tick and does not; `unknown`: nothing tells."""
    note: str = ""
    """Why it is not as it should be, and what may help."""
    pid: int
    scheduler: str = ""
    session: str = ""
    """The launch session that started its process; "" for none."""
    order: int = 0
    rate_hz: float = 0.0
    """At which it is to tick now; 0: not by time."""
    reached_hz: float | None = None
    """At which it did tick, over its last 20 periods, at least half a second; not by time: over 2 s."""
    busy_percent: float | None = None
    """The share of that time that it was in ticks."""
    ticks: int | None = None
    cpu_percent: float | None = None
    """Of its whole process, 100 being one core: nodes of one process have the same."""
    memory_bytes: int | None = None
    """Resident memory of its whole process, with what it shares."""
    uptime_s: float | None = None
    figures: nodes.Figures | None = None
    """As get_node_stats() gives them; null where no record tells."""


class NodeList(msgspec.Struct, kw_only=True):
    """All nodes of a namespace."""

    namespace: str
    nodes: list[ListedNode]
    unreadable: dict[str, str] = {}
    """What cannot be read, and why: nodes may be missing."""
    left_out: int = 0
    """Nodes that have ended, which only `all` shows."""


class Observer:
    """Looks at the nodes of a namespace, again and again; CPU is counted from one look to the next."""

    def __init__(self, namespace: str, *, everything: bool = False, measure: bool = True) -> None:
        """`everything`: nodes that have ended, too. `measure`: also what takes reading many ticks."""
        self.namespace = namespace
        self._everything = everything
        self.measure = measure
        self._cpu = processes.CpuMeter()
        self._has_looked = False

    def look(self, window_s: float = CPU_WINDOW_S) -> NodeList:
        """How they are now. The first look takes at least the window, for the sake of CPU; nothing is created."""
        if not namespaces.path(self.namespace).exists():
            return NodeList(namespace=self.namespace, nodes=[])
        look = _Look(self.namespace, self._cpu, measure=self.measure)
        listed = look.nodes()
        if not self._has_looked:
            time.sleep(max(0.0, window_s - self._cpu.counted_s()))
            self._has_looked = True
        look.fill_in_cpu(listed)
        shown = [node for node in listed if self._everything or node.state not in _OVER]
        return NodeList(
            namespace=self.namespace,
            nodes=shown,
            unreadable=look.unreadable,
            left_out=len(listed) - len(shown),
        )


class _Look:
    """One look at all of them."""

    def __init__(self, namespace: str, cpu: processes.CpuMeter, *, measure: bool) -> None:
        self._namespace = namespace
        self._cpu = cpu
        self._measure = measure
        self._processes: dict[int, Process | None] = {}
        self.unreadable: dict[str, str] = {}
        self._blind = ""
        """Why nobody can say who lives."""
        self._sessions = sessions.Sessions(namespace)
        self._claims: dict[str, Claim] = {}
        self._member: _native.Member | None = None

    def nodes(self) -> list[ListedNode]:
        """By session, process and order."""
        records = self._open()
        listed = [node for record in records for node in self._of_scheduler(record)]
        listed = _one_of_each_name(listed)
        known = {node.name for node in listed}
        listed += [self._of_claim(claim) for name, claim in self._claims.items() if name not in known]
        self._tell_sessions(listed)
        return sorted(listed, key=lambda node: (not node.session, node.session, node.scheduler, node.order))

    def fill_in_cpu(self, listed: list[ListedNode]) -> None:
        """What each process used since it was met."""
        self._cpu.keep(self._processes)
        used = {pid: self._cpu.percent(pid) for pid, one in self._processes.items() if one is not None}
        for node in listed:
            if node.memory_bytes is not None:
                node.cpu_percent = used.get(node.pid)

    def _open(self) -> list[SchedulerRecord]:
        self._claims, bad_claims = claims.claims(self._namespace)
        try:
            records, bad_records = schedulers.schedulers(self._namespace)
            self._member = membership.look(self._namespace)
        except RegionError as error:
            self._blind = str(error)
            self.unreadable["the namespace"] = self._blind
            return []
        bad = {"record of scheduler": bad_records, "presence of node": bad_claims}
        bad["manifest of session"] = self._sessions.unreadable
        for what, names in bad.items():
            self.unreadable |= {f"the {what} {plain_name(name)!r}": plain(why) for name, why in names.items()}
        # Of what two dead processes left under one name the later counts.
        return sorted(records, key=lambda record: int(record.header["created_ns"]))

    def _process(self, pid: int) -> Process | None:
        if pid not in self._processes:
            self._processes[pid] = one = processes.of_namespace(pid, self._namespace)
            if one is not None:
                self._cpu.start(pid)
        return self._processes[pid]

    def _of_scheduler(self, record: SchedulerRecord) -> list[ListedNode]:
        try:
            return self._read(record)
        except (HorusError, OSError) as error:  # it was whole when it was opened
            self.unreadable[f"the record of scheduler {record.name!r}"] = str(error)
            return []

    def _read(self, record: SchedulerRecord) -> list[ListedNode]:
        state = record.look()
        # A tick that was left behind at the stop goes on, though its node was removed.
        rows = [row for row in record.rows() if not row["gone"] or row["state"] == "hung"]
        living = state == schedulers.RUNNING
        one = self._process(record.header["pid"]) if living else None
        looked = node_notes.Look(record, state, one, self._sessions)
        paces = node_pace.paces(record, rows, looked.now_ns, measure=self._measure and living)
        return [self._of_row(looked, row, paces[row["row"]]) for row in rows]

    def _of_row(self, looked: node_notes.Look, row: dict[str, Any], pace: Pace) -> ListedNode:
        record, state = looked.record, _state(looked, row, pace)
        claim = self._claims.get(row["name"])
        if claim is not None and claim.pid != record.header["pid"]:
            claim = None
        listed = ListedNode(
            name=row["name"],
            state=state,
            note=node_notes.note(looked, row, state, pace, claim),
            pid=record.header["pid"],
            scheduler=record.name,
            order=row["order"],
            rate_hz=_rate(row),
            reached_hz=pace.reached_hz,
            busy_percent=pace.busy_percent,
            ticks=row["ticks"],
            figures=msgspec.convert(nodes.figures(row, state), nodes.Figures),
        )
        if looked.process is not None and state not in _OVER:
            listed.memory_bytes = looked.process.memory_bytes
            if claim is not None and state not in _DEAD:
                listed.uptime_s = claim.uptime_s
        return listed

    def _of_claim(self, claim: Claim) -> ListedNode:
        """A node whose scheduler has left no record."""
        living = claims.is_alive(claim, self._member)
        one = self._process(claim.pid) if living else None
        if self._blind:
            state = UNKNOWN
        elif living:
            state = STALE if one is not None and one.stopped_by else UNKNOWN
        else:
            state = CRASHED
        listed = ListedNode(
            name=claim.name,
            state=state,
            note=node_notes.note_of_claim(claim, state, one, self._blind),
            pid=claim.pid,
            order=claim.order,
            rate_hz=claim.rate,
        )
        if one is not None:
            listed.memory_bytes = one.memory_bytes
            listed.uptime_s = claim.uptime_s
        return listed

    def _tell_sessions(self, listed: list[ListedNode]) -> None:
        of_pid = {pid: self._sessions.of(pid) for pid in {node.pid for node in listed}}
        for node in listed:
            node.session = of_pid[node.pid]


def _state(looked: node_notes.Look, row: dict[str, Any], pace: Pace) -> str:
    """The state of a node, checked against the ticks it began and what the kernel says of its process."""
    state = schedulers.shown_state(row, looked.scheduler, pace.last_tick_ns, looked.now_ns)
    if state == STALE:  # unless it was just started or resumed
        last_ns = max(pace.last_tick_ns, looked.changed_ns(row["row"]))
        state = schedulers.shown_state(row, looked.scheduler, last_ns, looked.now_ns)
    if looked.process is not None and looked.process.stopped_by and state not in _DEAD:
        return STALE
    return state


def _rate(row: dict[str, Any]) -> float:
    return 0.0 if node_pace.by_messages(row) else _NS / row["period_ns"]


def _one_of_each_name(listed: list[ListedNode]) -> list[ListedNode]:
    """What a dead process has left under a name that lives again, or died again later, is of no interest."""
    last_dead = {node.name: node for node in listed if node.state in _DEAD}
    living = {node.name for node in listed if node.state not in _DEAD}
    return [
        node
        for node in listed
        if node.state not in _DEAD or (node.name not in living and last_dead[node.name] is node)
    ]
