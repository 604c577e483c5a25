"""What a region's creator wrote about the topic is another process's word: it is used, never trusted."""

from __future__ import annotations

import json
import os
import sys

import pytest

import horus
from horus_core import _native
from horus_core.messages import layout
from horus_core.shm import namespace, process, region


class Reading(horus.Message):
    value: horus.f64 = 0.0


LAYOUT = layout.of(Reading) | {"name": "Foreign"}


def put(topic: str, meta: bytes | None = None, **said: object) -> None:
    """Make a typed topic whose creator described it so."""
    member = process.member()
    if meta is None:
        meta = json.dumps({"type": "Foreign", "layout": LAYOUT} | said).encode()
    type_hash = layout.hash_of(LAYOUT)

    def fill(fd):
        _native.ring_format(fd, _native.TYPED, 16, 8, type_hash, meta, False)

    name = namespace.topic_region(member.namespace, topic)
    os.close(region.create(name, _native.ring_size(16, 8, len(meta)), fill))
    member.bump()


@pytest.mark.parametrize(
    "python",
    ["builtins:int", "horus_core.messages.message:Message", "no_such_module:X", "leaves:X", ":", 7],
)
# spec: F25
def test_a_reference_that_leads_nowhere_is_no_error(python, tmp_path, monkeypatch):
    """Where the creator's class cannot be had, one is built from the layout; importing never ends the process."""
    (tmp_path / "leaves.py").write_text("raise SystemExit(3)")
    monkeypatch.syspath_prepend(tmp_path)
    put("t", python=python)
    topic = horus.Topic("t")
    assert topic.type.__name__ == "Foreign"
    topic.send(topic.type(value=2.0))
    assert topic.recv().value == 2.0


def test_the_error_of_a_class_that_cannot_be_made_names_the_topic():
    """Neither class nor layout: which topic, which type, and what to do."""
    put("t", layout=None)
    with pytest.raises(
        horus.RegionError, match=r"topic 't' failed .*expected a class for type Foreign.*Install"
    ):
        horus.Topic("t")


# spec: F7
def test_a_mismatch_is_told_whatever_stands_for_the_creator():
    """A creator that is no object is an unknown one."""
    put("t", creator="me")
    keep = horus.Topic("t")
    with pytest.raises(horus.TopicTypeError, match="Type mismatch on topic 't'"):
        horus.Topic("t", dict)
    keep.close()


def test_a_description_that_is_nested_without_end_is_an_error():
    """The reader's stack does not run out, wherever this interpreter's ends."""
    depth = 4 * sys.getrecursionlimit()
    put("t", b'{"layout":' + b"[" * depth + b"]" * depth + b"}")
    with pytest.raises(horus.RegionError, match="topic 't' failed"):
        horus.Topic("t")


@pytest.mark.parametrize("depth", [201, 300, 980])
def test_a_description_that_is_too_deep_for_its_readers_is_an_error(depth):
    """What the JSON reader takes may still be too deep for who works with it: RegionError, not RecursionError."""
    entry = b'{"name": "a", "kind": "u8", "offset": 0, "size": ' + b"[" * depth + b"]" * depth + b"}"
    put("t", b'{"type": "Foreign", "layout": {"name": "Foreign", "size": 1, "fields": [' + entry + b"]}}")
    with pytest.raises(horus.RegionError, match="topic 't' failed"):
        horus.Topic("t")


def test_a_description_that_would_be_too_long_is_refused_by_its_maker():
    """The docs of the fields are part of it: the error says so before anything is made."""

    class Talkative(horus.Message):
        value: horus.f64 = horus.field(default=0.0, doc="word " * 300_000)

    with pytest.raises(horus.ConfigError, match="Shorten the docs"):
        horus.Topic("t", Talkative)
