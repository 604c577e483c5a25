"""Looking at topics from a process that takes part in them."""

from __future__ import annotations

import os

import horus
from horus_core import _native
from horus_core.shm import namespace, process, region
from horus_plugins.monitor import topics


def test_looking_leaves_the_mark_of_use(horus_namespace):
    """A process that lists its own topics still counts as using them: nobody may clean or replace them."""
    topic = horus.Topic("t", dict)
    assert [state.name for state in topics.topics(horus_namespace)] == ["t"]
    watcher = process.peek(horus_namespace)
    file = region.open_existing(namespace.topic_region(horus_namespace, "t"))
    try:
        assert _native.Ring(file, watcher).in_use(True)
    finally:
        os.close(file)
    topic.close()


# spec: A56
def test_a_list_needs_no_lock_of_the_namespace(horus_namespace):
    """Who is stopped while it opens a topic holds that lock: it must not hide what runs."""
    topic = horus.Topic("t", dict)
    with namespace.locked(horus_namespace):
        assert [state.state for state in topics.topics(horus_namespace)] == [topics.UNUSED]
    topic.close()
