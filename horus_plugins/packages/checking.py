"""Whether a package does what it declares: its nodes run for a while, alone, and what they use is compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from horus_core.messages.message import Message
from horus_core.nodes.node import Node
from horus_core.scheduler.scheduler import Scheduler
from horus_core.shm import namespace
from horus_plugins.monitor import topics as monitor
from horus_plugins.packages.report import Check, NodeReport, Topic

if TYPE_CHECKING:
    from collections.abc import Iterable

_FEEDER = "horus-package-check"
_FEED_HZ = 20
_LAST = 1_000_000_000
_DICT = "dict"


def check(nodes: list[Node], declared: list[NodeReport], seconds: float) -> Check:
    """Run the nodes for so long in this process's namespace, fed with default messages, and compare."""
    feeder = _Feeder(nodes)
    scheduler = Scheduler(name=_FEEDER, blackbox=False)
    found = Check(seconds)
    try:
        for node in (*nodes, feeder):
            scheduler.add(node)
        scheduler.run(seconds)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's code may raise anything
        found.problems.append(f"running it raised {type(error).__name__}: {error}")
    found.used = feeder.used
    for report in declared:
        _compare(report, found.used.get(report.name, NodeReport(report.name, None)), found)
    return found


class _Feeder(Node):
    """Publishes a default message on each typed topic that the nodes subscribe; in the end notes who used what.

    It starts last, so it is shut down first, while the others' topics are open.
    """

    def __init__(self, nodes: list[Node]) -> None:
        self.used: dict[str, NodeReport] = {}
        self._nodes = nodes
        wanted = [one for node in nodes for one in node._horus.wiring.declarations()[1]]  # noqa: SLF001 - of the house
        self._messages: dict[str, Any] = {
            one.topic: one.type()
            for one in wanted
            if one.topic and one.type is not None and issubclass(one.type, Message)
        }
        super().__init__(_FEEDER, rate=_FEED_HZ, order=_LAST)

    def tick(self) -> None:
        for topic, message in self._messages.items():
            self.send(topic, message)

    def shutdown(self) -> None:
        self.used = _used(namespace.current(), self._nodes)


def _used(where: str, nodes: Iterable[Node]) -> dict[str, NodeReport]:
    """Who published and subscribed what, as the regions tell; who only looked at it, the node itself knows."""
    used: dict[str, NodeReport] = {}
    looked_at = {node.name: node._horus.wiring.looked_at() for node in nodes}  # noqa: SLF001 - of the house
    for state in monitor.topics(where):
        if state.name.startswith("_horus.") or state.error:
            continue
        topic = Topic(state.name, _DICT if state.kind == _DICT else state.type)
        for publisher in state.publishers:
            used.setdefault(publisher.node, NodeReport(publisher.node, None)).publishes.append(topic)
        lookers = [node for node, topics in looked_at.items() if state.name in topics]
        for node in dict.fromkeys([*(subscriber.node for subscriber in state.subscribers), *lookers]):
            used.setdefault(node, NodeReport(node, None)).subscribes.append(topic)
    return used


def _compare(declared: NodeReport, used: NodeReport, found: Check) -> None:
    for keyword, verb, says, does in (
        ("pubs", "publishes", declared.publishes, used.publishes),
        ("subs", "subscribes", declared.subscribes, used.subscribes),
    ):
        types = {one.topic: one.type for one in says}
        seen = {one.topic: one.type for one in does}
        for topic, kind in seen.items():
            if topic not in types:
                found.problems.append(
                    f"{declared.name} {verb} {topic!r} ({kind}), which its {keyword}= do not name"
                )
            elif types[topic] and types[topic] != kind:
                found.problems.append(
                    f"{declared.name} {verb} {topic!r} as {kind}, declared as {types[topic]}"
                )
            elif not types[topic]:
                found.notes.append(f"{declared.name} declares {topic!r} without a type; it carried {kind}")
        found.notes += _unseen(declared.name, verb, [topic for topic in types if topic and topic not in seen])


def _unseen(node: str, verb: str, topics: Iterable[str]) -> list[str]:
    never = {"publishes": "did not publish", "subscribes": "did not read, or nobody published,"}[verb]
    return [f"{node} {never} {topic!r} in this time" for topic in topics]
