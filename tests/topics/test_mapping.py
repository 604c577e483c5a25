"""The mark by which others see that this process uses a region."""

from __future__ import annotations

import os
import weakref

import pytest

import horus
from horus_core import _native
from horus_core.shm import namespace, process, region


def test_a_mapping_that_ends_leaves_the_mark_of_a_newer_one():
    """A region that is opened anew while its old mapping is given back still counts as used."""
    horus.Topic("t", dict).close()
    member = process.member()
    file = region.open_existing(namespace.topic_region(member.namespace, "t"))
    try:
        old = _native.Ring(file, member)
        new: list[_native.Ring] = []
        # A weak reference's callback stands for another thread that gets its turn in the middle.
        watch = weakref.ref(old, lambda _: new.append(_native.Ring(file, member)))
        del old
        assert watch() is None
        assert new[0].in_use(False)
    finally:
        os.close(file)


@pytest.mark.parametrize("first", [0, 1])
def test_a_mapping_that_ends_leaves_the_mark_of_another_one(first):
    """The mark is the process's: whichever of two mappings ends first, the region counts as used until the other."""
    horus.Topic("t", dict).close()
    name = namespace.topic_region(process.member().namespace, "t")
    file = region.open_existing(name)
    try:
        both = [_native.Ring(file, process.member()) for _ in range(2)]
        both.pop(first)
        with namespace.locked(process.member().namespace):
            watcher = process.peek(process.member().namespace)
        looking = _native.Ring(file, watcher)
        assert looking.in_use(True)
        both.clear()
        assert not looking.in_use(True)
    finally:
        os.close(file)
