"""Everything that can be told of one node from outside."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import msgspec

from horus_core.errors import HorusError, RegionError
from horus_core.plugins.reasons import nearest
from horus_plugins.monitor import blackbox, claims, dates, logs, node_list, processes, topics
from horus_plugins.monitor.blackbox import Event  # noqa: TC001 - msgspec reads the annotations
from horus_plugins.monitor.logs import LogLine  # noqa: TC001 - the same
from horus_plugins.monitor.node_list import ListedNode  # noqa: TC001 - the same

if TYPE_CHECKING:
    from horus_plugins.monitor.claims import Claim
    from horus_plugins.monitor.topics import TopicState

_WINDOW_S = 0.1
_EVENTS = 10
_LINES = 5
_LOG_NS = 600 * 1_000_000_000


class ProcessDetail(msgspec.Struct, kw_only=True):
    """The process of a node; what it says of itself is the kernel's word."""

    pid: int
    host: str
    user: str
    command: str
    state: str
    """One letter, as in ps(1)."""
    threads: int
    uptime_s: float
    memory_bytes: int
    shared_memory_bytes: int | None
    """How much of it is shared memory: topics, and frames that it looks at."""


class End(msgspec.Struct, kw_only=True):
    """A topic that a node publishes or subscribes."""

    topic: str
    type: str = ""
    """"" while nobody has made the topic."""
    called: str = ""
    """What the node calls it, where it was given this one instead."""
    open: bool = False
    """Whether the node has it open now; else it declares it only."""
    messages: int = 0
    """Sent, or received."""
    missed: int = 0
    lag: int = 0


class NodeDetail(msgspec.Struct, kw_only=True):
    """One node, with all that can be told of it."""

    namespace: str
    node: ListedNode
    process: ProcessDetail | None = None
    """null when it is gone, or not to be seen from here."""
    publishes: list[End] = []
    subscribes: list[End] = []
    events: list[Event] = []
    """The last ten that its scheduler recorded of it."""
    log: list[LogLine] = []
    """The last five lines that it logged, of those files that were written in the last ten minutes."""
    failure: str = ""
    """The last traceback that was recorded."""
    crashed: str = ""
    """What it crashed of, as it said itself."""
    crashed_at: str | None = None
    unreadable: dict[str, str] = {}


def detail(namespace: str, name: str) -> NodeDetail:
    """One node, living or not. Raises HorusError that names the nearest for a name that there is not."""
    listed = node_list.Observer(namespace, everything=True).look(_WINDOW_S)
    node = next((node for node in listed.nodes if node.name == name), None)
    if node is None:
        there = [node.name for node in listed.nodes]
        hint = nearest(name, there) or (f" There are {', '.join(sorted(there)[:10])}." if there else "")
        raise HorusError(
            f"No node {name!r} in namespace {namespace!r}: expected the name of a node that runs or has left a "
            f"record, got {name!r}.{hint} `horus node list --all` shows them."
        )
    found = NodeDetail(namespace=namespace, node=node, unreadable=listed.unreadable)
    claim = claims.claims(namespace)[0].get(name)
    if claim is not None and claim.pid == node.pid:
        if claim.crashed:
            found.crashed, found.crashed_at = claim.crashed, dates.iso(claim.crashed_ns)
    else:
        claim = None
    if node.memory_bytes is not None:
        found.process = _process(node.pid, namespace)
    found.publishes, found.subscribes = _ends(namespace, node, claim)
    if node.scheduler:
        _recall(found)
    lines = logs.Reader(namespace).read(time.time_ns() - _LOG_NS)
    found.log = [line for line in lines if (line.node, line.pid) == (name, node.pid)][-_LINES:]
    return found


def _process(pid: int, namespace: str) -> ProcessDetail | None:
    one = processes.of_namespace(pid, namespace)
    if one is None:
        return None
    return ProcessDetail(
        pid=pid,
        host=socket.gethostname(),
        user=processes.user(pid),
        command=processes.command_line(pid),
        state=one.state,
        threads=one.threads,
        uptime_s=one.uptime_s,
        memory_bytes=one.memory_bytes,
        shared_memory_bytes=processes.shared_memory_bytes(pid),
    )


def _recall(found: NodeDetail) -> None:
    """Fill in what its scheduler recorded of it."""
    try:
        record = blackbox.named(found.namespace, found.node.scheduler)
        recorded = blackbox.Reader(record, [found.node.name]).recent()
    except (HorusError, OSError):  # it has ended meanwhile
        return
    events = [event for event in recorded if event.node == found.node.name]
    found.events = events[-_EVENTS:]
    found.failure = next((event.text for event in reversed(events) if event.kind == "failure"), "")


def _ends(namespace: str, node: ListedNode, claim: Claim | None) -> tuple[list[End], list[End]]:
    """What it has open now, and what it declares beside."""
    try:
        states = {
            state.name: state for state in topics.topics(namespace) if not topics.is_reserved(state.name)
        }
    except RegionError:
        states = {}
    publishes = {topic: _declared(topic, states) for topic in (claim.pubs if claim else ())}
    subscribes = {topic: _declared(topic, states) for topic in (claim.subs if claim else ())}
    for topic, state in states.items():
        for publisher in state.publishers:
            if (publisher.node, publisher.pid) == (node.name, node.pid):
                publishes[topic] = End(
                    topic=topic, type=state.type, called=publisher.called, open=True, messages=publisher.sent
                )
        for one in state.subscribers:
            if (one.node, one.pid) == (node.name, node.pid):
                subscribes[topic] = End(
                    topic=topic,
                    type=state.type,
                    called=one.called,
                    open=True,
                    messages=one.delivered,
                    missed=one.missed,
                    lag=one.lag,
                )
    called = {topic: name for name, topic in claim.remapped.items()} if claim else {}
    for end in (*publishes.values(), *subscribes.values()):
        end.called = end.called or called.get(end.topic, "")
    return [publishes[topic] for topic in sorted(publishes)], [
        subscribes[topic] for topic in sorted(subscribes)
    ]


def _declared(topic: str, states: dict[str, TopicState]) -> End:
    state = states.get(topic)
    return End(topic=topic, type="" if state is None else state.type)
