"""Messages as a stream of MessagePack: what `--format msgpack` prints and reads.

A message is one MessagePack value: of a dict topic the value itself, with numpy arrays as on the wire; of a message
class a map whose first key is `$type`. A dict with text keys that begin with `$` is the `$value` of a map of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgpack
import msgspec

from horus_core.messages import codec
from horus_plugins.echo.json_text import TYPE
from horus_plugins.echo.record import BadValueError, Record, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_VALUE = "$value"


def encode(record: Record) -> bytes:
    """One message."""
    said = record.value
    if record.type:
        said = {TYPE: record.type} | said
    elif type(said) is dict and any(type(key) is str and key[:1] == "$" for key in said):
        said = {_VALUE: said}
    parts = codec.parts(codec.encode(said))
    return parts if isinstance(parts, bytes) else b"".join(parts)


def decode(data: bytes | memoryview) -> Record:
    """A record from the bytes of one message. Raises BadValueError."""
    try:
        said = codec.decode(data)
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError, MemoryError) as error:
        raise BadValueError(f"expected MessagePack, got what is none: {_reason(error)}") from None
    if type(said) is not dict:
        return Record("", said)
    if set(said) == {_VALUE}:
        return Record("", said[_VALUE])
    if TYPE not in said:
        return Record("", said)
    name = said.pop(TYPE)
    if type(name) is not str or not name:
        raise BadValueError(f"$.{TYPE}: expected the name of a message class, got {shown(name)}")
    return Record(name, said)


def split(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The bytes of each message of a stream. Raises BadValueError for what is no MessagePack, or ends too early."""
    unpacker: Any = msgpack.Unpacker(max_buffer_size=0, strict_map_key=False)
    held = bytearray()
    start = 0  # where in the stream `held` begins
    for chunk in chunks:
        held += chunk
        unpacker.feed(chunk)
        while (end := _next(unpacker)) is not None:
            yield bytes(held[: end - start])
            del held[: end - start]
            start = end
    if held:
        raise BadValueError(f"expected whole messages, got {len(held)} bytes of one that ends too early")


def _next(unpacker: Any) -> int | None:
    """Where the next message ends; None when it is not there yet."""
    try:
        unpacker.skip()
    except msgpack.OutOfData:
        return None
    except (msgpack.UnpackException, ValueError, RecursionError) as error:
        raise BadValueError(f"expected MessagePack, got what is none: {_reason(error)}") from None
    return int(unpacker.tell())


def _reason(error: Exception) -> str:
    return str(error).rstrip(".") or type(error).__name__
