"""Finding topics: by name, by type, and what to say of one that is not there."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import msgspec

from horus_core.plugins.reasons import nearest
from horus_core.shm import namespace as namespaces
from horus_core.shm import region
from horus_plugins.monitor import topics

if TYPE_CHECKING:
    from horus_plugins.monitor.topics import TopicState


class FoundTopic(msgspec.Struct):
    """A topic, and what it carries."""

    name: str
    type: str
    kind: str
    state: str


class FoundTopics(msgspec.Struct):
    """Which topics of a namespace were meant."""

    namespace: str
    wanted: str
    topics: list[FoundTopic]


def find(namespace: str, wanted: str, *, reserved: bool = False) -> FoundTopics:
    """The topics whose name or type is `wanted`, or matches it as a pattern of the shell (`*`, `?`, `[...]`)."""
    found = [
        FoundTopic(state.name, state.type, state.kind, state.state)
        for state in topics.topics(namespace)
        if _is_meant(state, wanted) and (reserved or not topics.is_reserved(state.name))
    ]
    return FoundTopics(namespace, wanted, found)


def _is_meant(state: TopicState, wanted: str) -> bool:
    return any(fnmatchcase(said, wanted) for said in (state.name, state.type, state.kind) if said)


def exists(namespace: str, topic: str) -> bool:
    """Whether the topic has a region."""
    return region.identity(namespaces.topic_region(namespace, topic)) is not None


def missing(namespace: str, topic: str) -> str:
    """What to say of a topic that is not there: the nearest name, and the other namespaces that have it."""
    near = nearest(topic, topics.regions(namespace).values())
    others = [other for other in namespaces.mine() if other != namespace and exists(other, topic)]
    elsewhere = f" Namespace {others[0]!r} has it: --namespace {others[0]}." if others else ""
    return f"No topic {topic!r} in namespace {namespace!r}.{near}{elsewhere}"
