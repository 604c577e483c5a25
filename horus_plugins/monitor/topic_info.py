"""Everything about one topic: its type and layout, its memory, who is there, and what does not fit."""

from __future__ import annotations

import json
import os
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
import posix_ipc

from horus_core import _native
from horus_core.errors import ConfigError, HorusError, RegionError
from horus_core.messages import layout as layouts
from horus_core.messages import registry
from horus_core.shm import namespace as namespaces
from horus_core.shm import process, region
from horus_core.topics import types
from horus_plugins.monitor import dates, message_types, topic_find, topics

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CHUNK = struct.Struct(
    "<8sIIQQQQII"
)  # magic, layout, chunk, writer, size, first payload, block size, blocks, retired
_LOG_BYTES = 1 << 20
_CHUNK_MAGIC = b"HRPOOL01"
_CHUNK_HEADER, _BLOCK_ROW, _HOLDS_AT, _HOLD_BYTES = 128, 128, 64, 64


class Memory(msgspec.Struct):
    """What the topic takes of shared memory."""

    region_bytes: int
    blocks: int
    """Of pools, to which messages that still are in the ring refer."""
    block_bytes: int
    """Of these; a block may be a ninth longer than its message, and serve several topics."""
    held_blocks: int
    """Of these, how many a reader holds."""


class TopicInfo(msgspec.Struct):
    """A topic at this moment."""

    namespace: str
    state: topics.TopicState
    file: str
    payload_bytes: int
    """What fits a slot; longer messages lie in a pool."""
    large_kept: int
    """How many messages of 64 KiB and more are kept."""
    messages: int
    """How many were ever accepted."""
    kept: int
    """How many of them the ring still has."""
    type_hash: str
    python: str
    """Where its creator has the class, as `module:name`; empty for dicts."""
    creator: str
    """The node that made the region."""
    creator_pid: int
    layout: message_types.MessageType | None
    """Read from the region; None for dicts and pool-backed types."""
    memory: Memory
    mismatches: list[str]
    """What does not fit: who was refused because of another type, as they logged it; a class of that name that is
    installed here and has another layout."""


def info(namespace: str, topic: str) -> TopicInfo:
    """All about the topic. Raises ConfigError, with the nearest name, when there is none, and RegionError."""
    name = namespaces.topic_region(namespace, topic)
    member = process.look(namespace)
    try:
        fd = region.open_existing(name)
    except posix_ipc.ExistentialError:
        raise _missing(namespace, topic) from None
    try:
        return _read(_mapped(fd, member), namespace, topic)
    except RegionError as error:
        raise RegionError(f"Reading topic {topic!r} failed: {error} (file=/dev/shm/{name})") from None
    finally:
        os.close(fd)


def _mapped(fd: int, member: _native.Member | None) -> _native.Ring:
    if member is None:
        raise RegionError("nobody lives in the namespace who could read it: run `horus clean`")
    return _native.Ring(fd, member)


def _missing(namespace: str, topic: str) -> HorusError:
    return ConfigError(f"{topic_find.missing(namespace, topic)} `horus topic list` shows all.")


def _read(ring: _native.Ring, namespace: str, topic: str) -> TopicInfo:
    state = topics.state(ring, namespace, topic)
    said = types.read_description(ring)
    creator = said.get("creator")
    creator = creator if isinstance(creator, dict) else {}
    pid = creator.get("pid")
    front, voids = ring.voids()
    return TopicInfo(
        namespace=namespace,
        state=state,
        file=f"/dev/shm/{namespaces.topic_region(namespace, topic)}",
        payload_bytes=ring.payload,
        large_kept=ring.large_kept,
        messages=max(0, front - ring.capacity - voids),
        kept=len(ring.sightings(0, ring.capacity)[2]),
        type_hash=ring.type_hash.hex(),
        python=str(said.get("python") or ""),
        creator=str(creator.get("node", "?")),
        creator_pid=pid if isinstance(pid, int) and 0 <= pid < 1 << 32 else 0,
        layout=_layout(said.get("layout")) if ring.kind == _native.TYPED else None,
        memory=_memory(ring, namespace),
        mismatches=[*_refused(namespace, topic), *_installed(ring, state)],
    )


def _layout(said: Any) -> message_types.MessageType | None:
    """The type that the region describes. Raises RegionError for what is no layout."""
    return None if said is None else message_types.describe(layouts.class_from_layout(said))


# ---- memory ----


def _memory(ring: _native.Ring, namespace: str) -> Memory:
    found = {
        key: held
        for key, size in _references(ring).items()
        if (held := _block(namespace, key, size)) is not None
    }
    return Memory(
        region_bytes=ring.size,
        blocks=len(found),
        block_bytes=sum(size for size, _ in found.values()),
        held_blocks=sum(held for _, held in found.values()),
    )


def _references(ring: _native.Ring) -> dict[tuple[int, int, int, int], int]:
    """The blocks that messages of the ring refer to, as (writer, chunk, block, generation), with their lengths."""
    words = []
    for at in (0, 8, 16):
        _, _, seen = ring.sightings(0, ring.capacity, at)
        words.append({one[0]: (one[5], one[2]) for one in seen if one[4] and one[5] is not None})
    found = {}
    for number, (writer, length) in words[0].items():
        if number in words[1] and number in words[2]:
            place, generation = words[1][number][0] or 0, words[2][number][0] or 0
            found[writer or 0, place & 0xFFFFFFFF, place >> 32, generation] = length
    return found


def _block(namespace: str, key: tuple[int, int, int, int], length: int) -> tuple[int, bool] | None:
    """(bytes, whether a reader holds it) of a block; None when it is another message's by now, or cannot be read."""
    writer, chunk, block, generation = key
    name = namespaces.region(namespace, f"pool.{writer & 0xFFFF}-{writer >> 16}.{chunk}")
    try:
        with _file(name).open("rb") as file:
            head = os.pread(file.fileno(), _CHUNK_HEADER, 0)
            row = os.pread(file.fileno(), _BLOCK_ROW, _CHUNK_HEADER + block * _BLOCK_ROW)
    except (OSError, OverflowError):
        return None
    if len(head) < _CHUNK.size or len(row) < _BLOCK_ROW:
        return None
    magic, _, _, _, _, _, block_bytes, blocks, _ = _CHUNK.unpack_from(head)
    if magic != _CHUNK_MAGIC or block >= blocks or int.from_bytes(row[:8], "little") != generation:
        return None
    return max(length, block_bytes) if block_bytes < 1 << 48 else length, any(
        row[_HOLDS_AT : _HOLDS_AT + _HOLD_BYTES]
    )


def _file(name: str) -> Path:
    return namespaces.SHM / name


# ---- what does not fit ----


def _refused(namespace: str, topic: str) -> list[str]:
    """What processes logged when they wanted the topic with another type: the last line of each."""
    wanted = f"Type mismatch on topic {topic!r}: "
    found: dict[object, tuple[int, str]] = {}
    for file in (namespaces.path(namespace) / "logs").glob("*.jsonl"):
        for line in _last_lines(file):
            if wanted.encode() not in line:
                continue
            with suppress(ValueError, TypeError, KeyError, RecursionError):
                said = json.loads(line)
                found[said["pid"]] = (int(said["time_ns"]), str(said["text"]))
    return [f"{dates.seconds(time_ns)}: {text}" for time_ns, text in sorted(found.values())]


def _last_lines(file: Path) -> list[bytes]:
    try:
        with file.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _LOG_BYTES))
            return log.read(_LOG_BYTES).splitlines()
    except OSError:  # it was rotated away
        return []


def _installed(ring: _native.Ring, state: topics.TopicState) -> Iterator[str]:
    """A class of that name is installed here, and lies otherwise: this version of a package is not the robot's."""
    if ring.kind != _native.TYPED:
        return
    try:
        here = registry.find(state.type) if state.type.isidentifier() else None
    except HorusError:
        return  # several
    if here is not None and layouts.type_hash(here) != ring.type_hash:
        yield f"the {state.type} that is installed here has another layout (hash {layouts.type_hash(here).hex()})"
