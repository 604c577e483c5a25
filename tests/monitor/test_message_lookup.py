"""Layouts that other processes wrote into a topic's region: shown, or refused, and never more than text."""

from __future__ import annotations

import json
import os

import pytest

import horus
from horus_core import _native
from horus_core.errors import ConfigError, RegionError
from horus_core.messages import layout
from horus_core.shm import namespace as namespaces
from horus_core.shm import process, region
from horus_plugins.monitor import message_lookup, message_text, message_types

EVIL = "\x1b[31m\nhash 00\r\u202e"


def make_region(topic, description, type_hash=bytes(16), kind=_native.TYPED):
    """A topic's region with any description, as another process could have made it."""
    member = process.member()
    name = namespaces.topic_region(member.namespace, topic)
    text = json.dumps(description).encode()

    def fill(fd):
        _native.ring_format(fd, kind, 4, 64, type_hash, text, False)

    with namespaces.locked(member.namespace):
        os.close(region.create(name, _native.ring_size(4, 64, len(text)), fill))


def described(layout_of, **more):
    return {"topic": "t", "type": "Evil", "python": None, "layout": layout_of, **more}


BROKEN = {
    "no layout": (described(None), "carries Evil, which have none"),
    "a name that steers": (described({"name": EVIL, "fields": [], "size": 8}), "Cannot make a message class"),
    "a number": (described(7), "Cannot make a message class"),
    "no fields": (
        described({"name": "A", "size": 8, "align": 8, "fields": []}),
        "Cannot make a message class",
    ),
    "an unknown kind": (
        described({"name": "A", "size": 8, "fields": [{"name": "a", "kind": EVIL, "offset": 0}]}),
        "Cannot make a message class",
    ),
    "another place": (
        described({"name": "A", "size": 16, "fields": [{"name": "a", "kind": "u8", "offset": 8}]}),
        "at byte 8 in the region, at byte 0 in C",
    ),
    "another hash": (described(horus.CmdVel.__layout__), "expected the hash 00000000"),
    "a huge size": (
        described({"name": "A", "size": 1 << 40, "fields": [{"name": "a", "kind": "u8", "offset": 0}]}),
        "expected a message of at most",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_makes_no_sense_is_refused_in_words(horus_namespace, what):
    """An error of ours, in which nothing that the region holds can steer a terminal."""
    description, expected = BROKEN[what]
    make_region("t", description)
    with pytest.raises((RegionError, ConfigError)) as caught:
        message_lookup.of_topic("t")
    assert expected in str(caught.value)
    assert not set(str(caught.value)) & set("\x1b\r\u202e")


def test_words_that_make_sense_are_shown_as_text(horus_namespace):
    """Docs, units, enum members and the creator's name, each with control characters, stay in their lines."""
    fields = [
        {"name": "mode", "kind": "u8", "offset": 0, "members": {EVIL: 1}, "doc": EVIL, "unit": EVIL},
        {"name": "größe", "kind": "f32", "offset": 4},
    ]
    made = {"name": "Evil", "size": 8, "align": 4, "fields": fields}
    make_region("t", described(made, creator={"node": EVIL, "pid": EVIL}), layout.hash_of(made))
    cls, creator = message_lookup.of_topic("t")
    lines = list(message_text.page(message_types.describe(cls), creator))
    lines += message_text.difference(cls, horus.CmdVel, "topic:t", EVIL)
    assert all(line.isprintable() for line in lines)
    assert any("größe" in line for line in lines)
    assert sum(line.startswith("hash ") for line in lines) == 1


def test_looking_makes_no_namespace(monkeypatch, other_namespace):
    """A topic of a namespace that nobody uses is not there, and neither is the namespace afterwards."""
    monkeypatch.setenv("HORUS_NAMESPACE", other_namespace)
    with pytest.raises(ConfigError, match="No topic 'scan' in namespace"):
        message_lookup.of_topic("scan")
    assert namespaces.regions(other_namespace) == []
    assert not namespaces.path(other_namespace).exists()
