"""Why nothing comes: the topic is not there, it is called a little differently, it is in another namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from horus_core.plugins.reasons import nearest
from horus_core.shm import namespace as namespaces

if TYPE_CHECKING:
    from horus_plugins.echo.known import KnownTopic


def reason(topic: KnownTopic) -> str:
    """One line about a topic on which nothing has come yet. Looks at names only."""
    here = namespaces.current()
    if topic.attached:
        publishers = topic.publishers
        if publishers:
            some = ", ".join(publishers[:3]) + (", …" if publishers[3:] else "")
            return f"waiting: no message on {topic.name!r} yet; it is published by {some}"
        return f"waiting: nobody publishes {topic.name!r} in namespace {here!r} now{_hints(topic.name, here)}"
    return f"waiting: there is no topic {topic.name!r} in namespace {here!r} yet{_hints(topic.name, here)}"


def _hints(name: str, here: str) -> str:
    others = [
        other
        for other in namespaces.mine()
        if other != here and (namespaces.SHM / namespaces.topic_region(other, name)).exists()
    ]
    if others:
        return f"; it is in namespace {others[0]!r}: --namespace {others[0]}"
    there = {topic for one in namespaces.regions(here) if (topic := namespaces.topic_of(one)) is not None}
    return f".{near}" if (near := nearest(name, there - {name})) else ""
