"""The emergency stop as seen from outside: engaging, releasing, and who has obeyed.

Always over shared memory, whatever HORUS_BACKEND says: a process alone has nobody to stop.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from horus_core import _native
from horus_core.backends import registry
from horus_core.control import estop, flights
from horus_core.errors import HorusError
from horus_core.shm import namespace, process
from horus_plugins.launch import manifest

if TYPE_CHECKING:
    from pathlib import Path

_PATIENCE_S = 1.0
_STEP_S = 0.005
_SOURCE = "horus estop"
_ENDED = ("crashed", "stopped")


class NodeStatus(msgspec.Struct):
    """A node that a living scheduler runs."""

    scheduler: str
    name: str
    state: str
    held: bool
    """Whether it ticks no more, and its enter_safe_state(), if it has one, has returned."""
    safe_state: bool
    """Whether its enter_safe_state() was called and has returned, and it has not ticked since."""


class Status(msgspec.Struct):
    """How the emergency stop of a namespace stands."""

    namespace: str
    engaged: bool
    reason: str
    source: str
    schedulers: list[str]
    nodes: list[NodeStatus]
    stopping: list[str] = []
    """The launch sessions that heard it, and stop all of their processes or have done so."""
    deaf: list[str] = []
    """The launch sessions that run on."""

    @property
    def is_safe(self) -> bool:
        """Whether it is engaged, somebody heard it, and every node has obeyed."""
        heard = self.schedulers or self.stopping
        return self.engaged and bool(heard) and not self.moving and not self.deaf

    @property
    def moving(self) -> list[NodeStatus]:
        """The nodes that have not obeyed."""
        return [node for node in self.nodes if not node.held and node.state not in _ENDED]


def engage(reason: str) -> Status:
    """Publish the order, and wait a second at most for those who hear it to obey."""
    return _publish(estop.order_to_stop(reason, _SOURCE), lambda now: not now.moving and not now.deaf)


def release() -> Status:
    """Publish that it is over."""
    return _publish(estop.order_to_release(_SOURCE), lambda _now: True)


def status() -> Status:
    """How it stands; looking makes no topic."""
    here = namespace.current()
    namespace.require_ours(here)
    found = Status(here, engaged=False, reason="", source="", schedulers=[], nodes=[])
    if not namespace.path(here).exists():
        return found
    from horus_core.topics.topic import Topic  # noqa: PLC0415 - only where there is a namespace

    with Topic(estop.TOPIC, backend=registry.SHM) as topic:
        order = topic.latest()
    if isinstance(order, estop.EmergencyStop):
        found.engaged, found.reason, found.source = bool(order.engaged), order.reason, order.source
    for path in flights.listed(here):
        _add_scheduler(found, path)
    if found.engaged:
        _add_sessions(found)
    return found


def told(found: Status) -> list[str]:
    """The status in words."""
    if not found.engaged:
        return [f"Not engaged in namespace {found.namespace!r}."]
    lines = [f"ENGAGED in namespace {found.namespace!r} by {found.source or 'somebody'}: {found.reason}"]
    if not found.schedulers and not found.stopping and not found.deaf:
        lines.append("No scheduler heard it: none runs in this namespace. Those that start later will.")
        if os.environ.get(registry.VARIABLE) == registry.LOCAL:
            lines.append(
                f"What runs with {registry.VARIABLE}=local hears its own process only: stop that itself."
            )
    lines += [
        f"NOT SAFE: {node.name} of {node.scheduler} ({node.state}) has not reached its safe state."
        for node in found.moving
    ]
    lines += [f"Launch session {name} heard it: its processes are stopped." for name in found.stopping]
    lines += [f"NOT SAFE: launch session {name} runs on." for name in found.deaf]
    if found.schedulers:
        lines.append(_counted(found))
    lines.append("It stands until `horus estop --release`.")
    return lines


def told_of_release(found: Status) -> list[str]:
    """What came of a release in words: that it was done, not only that nothing is engaged."""
    if found.engaged:  # by somebody else, meanwhile
        return told(found)
    more = ": nodes tick again" if found.nodes else ""
    return [f"Released in namespace {found.namespace!r}{more}."]


def _counted(found: Status) -> str:
    """How many nodes obey; that few of them have an enter_safe_state() is no sign that the others move."""
    nodes, schedulers = len(found.nodes), len(found.schedulers)
    held, safe = (sum(getattr(node, what) for node in found.nodes) for what in ("held", "safe_state"))
    ended = sum(not node.held and node.state in _ENDED for node in found.nodes)
    return (
        f"Held: {held} of {nodes} node{'s' * (nodes != 1)} of {schedulers} scheduler{'s' * (schedulers != 1)}, "
        f"{safe} of them by their own enter_safe_state(){f'; {ended} had ended' * bool(ended)}."
    )


def _publish(order: estop.EmergencyStop, is_done: Any) -> Status:
    there = manifest.names(namespace.current())
    with estop.open_topic(_SOURCE, registry.SHM) as topic:
        if not topic.send(order):
            raise HorusError(f"The order was not published: topic {estop.TOPIC!r} took nothing. Try again.")
        deadline = time.monotonic() + _PATIENCE_S
        found = status()
        while not is_done(found) and time.monotonic() < deadline:
            time.sleep(_STEP_S)
            found = status()
    if order.engaged:  # those that are over by now have heard it, too
        over = there - manifest.names(found.namespace)
        found.stopping = sorted({*found.stopping, *over})
    return found


def _add_sessions(found: Status) -> None:
    with suppress(HorusError, OSError):  # nobody's, or a namespace whose lock somebody keeps
        for session in manifest.sessions(found.namespace):
            if session.alive:
                (found.stopping if session.status == "stopping" else found.deaf).append(session.session)


def _add_scheduler(found: Status, path: Path) -> None:
    try:
        reader = _native.FlightReader(path)
        if not flights.is_alive(reader.header(), process.member(found.namespace)):
            return
        rows = reader.rows()
    except (HorusError, OSError):
        return  # gone at this moment, or nobody's
    name = path.name.removesuffix(flights.SUFFIX)
    found.schedulers.append(name)
    found.nodes += [
        NodeStatus(name, row["name"], row["state"], row["held"], row["in_safe_state"])
        for row in rows
        if not row["gone"] or row["state"] == "hung"  # a tick that was left behind goes on
    ]
