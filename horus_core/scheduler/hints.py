"""What a user would want to be told: nobody publishes a topic here, but it is elsewhere, or under a like name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from horus_core.errors import HorusError
from horus_core.shm import namespace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from horus_core.scheduler.entry import Entry
    from horus_core.topics.topic import Topic

_ALIKE = 0.8
_DIGITS = str.maketrans("", "", "0123456789")


def unheard_topics(entries: Iterable[Entry]) -> None:
    """Warn of subscribed topics without a publisher that exist in another namespace of the user, or are misspelt."""
    entries = list(entries)
    lonely = [
        (entry, topic) for entry in entries for topic in entry.wiring.open_inlets() if _is_unheard(topic)
    ]
    if not lonely:
        return
    here = namespace.current()
    others = [other for other in namespace.mine() if other != here]
    used = {name for entry in entries for name in (*entry.node.publishers(), *entry.node.subscribers())}
    unused = [name for name in map(namespace.topic_of, namespace.regions(here)) if name and name not in used]
    for entry, topic in lonely:
        if not _found_elsewhere(entry, topic, here, others):
            _find_misspelt(entry, topic, here, unused)


def _is_unheard(topic: Topic) -> bool:
    try:
        return topic.over == "shm" and not topic.publishers
    except HorusError:  # it cannot be opened: recv() says so where the node's own policy deals with it
        return False


def _found_elsewhere(entry: Entry, topic: Topic, here: str, others: Iterable[str]) -> bool:
    for other in others:
        if (namespace.SHM / namespace.topic_region(other, topic.name)).exists():
            entry.journal.warning(
                f"waits for topic {topic.name!r}, which nobody publishes in namespace {here!r}; it exists in "
                f"namespace {other!r}. To share it, start this process with {namespace.VARIABLE}={other}."
            )
            return True
    return False


def _find_misspelt(entry: Entry, topic: Topic, here: str, unused: Iterable[str]) -> None:
    """Tell of a topic of nearly the same name. Those that differ in digits only are meant: camera1, camera2."""
    import difflib  # noqa: PLC0415 - only for a hint's text

    wanted = _folded(topic.name)
    for name in unused:
        same = wanted == _folded(name)
        alike = difflib.SequenceMatcher(None, wanted, _folded(name)).ratio() >= _ALIKE
        if alike and (not same or topic.name.lower() == name.lower()):
            entry.journal.warning(
                f"waits for topic {topic.name!r}, which nobody publishes in namespace {here!r}; there is {name!r}. "
                f"If that is meant, correct the name."
            )
            return


def _folded(name: str) -> str:
    return name.lower().translate(_DIGITS)
