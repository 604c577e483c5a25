"""What a user would want to be told: a topic that nobody publishes here, but somebody does elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from horus_core.shm import namespace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from horus_core.scheduler.entry import Entry
    from horus_core.topics.topic import Topic


def other_namespaces(entries: Iterable[Entry]) -> None:
    """Warn of subscribed topics without a publisher here that exist in another of the user's namespaces."""
    lonely = [
        (entry, topic) for entry in entries for topic in entry.wiring.open_inlets() if not topic.publishers
    ]
    if not lonely:
        return
    here = namespace.current()
    others = [other for other in namespace.mine() if other != here]
    for entry, topic in lonely:
        _say(entry, topic, here, others)


def _say(entry: Entry, topic: Topic, here: str, others: Iterable[str]) -> None:
    for other in others:
        if (namespace.SHM / namespace.topic_region(other, topic.name)).exists():
            entry.journal.warning(
                f"waits for topic {topic.name!r}, which nobody publishes in namespace {here!r}; it exists in "
                f"namespace {other!r}. To share it, start this process with {namespace.VARIABLE}={other}."
            )
            return
