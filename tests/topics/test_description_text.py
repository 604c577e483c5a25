"""A region's description: JSON that some other program wrote, of which nothing is believed."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from horus_core.errors import RegionError
from horus_core.topics import types


@pytest.mark.parametrize(
    "meta",
    [
        b"",
        b"[1]",
        b'{"type":NaN}',
        b'{"size":1e999}',
        b'{"size":-Infinity}',
        b'{"type":"\\ud800"}',
        b'{"type":"\xff"}',
        b'{"type":"x"',
        b'{"layout":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"layout":' + b"[" * 300 + b"]" * 300 + b"}",
    ],
)
def test_what_is_no_description_is_refused(meta):
    """What is not JSON, holds numbers or characters that there are not, or is nested deeply."""
    with pytest.raises(RegionError, match="expected a"):
        types.read_description(SimpleNamespace(meta=meta))


def test_a_description_comes_back_as_it_was_written(horus_namespace):
    """With whatever characters a node's name or a doc may hold."""
    said = {"node": "caf\u00e9 \\u0041 \n", "pid": 1}
    written = types.description(types.MSGPACK, "t", said)
    assert types.read_description(SimpleNamespace(meta=written))["creator"] == said
