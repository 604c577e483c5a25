"""Where `topic pub -` reads from: lines of JSON, or a stream of MessagePack, message by message as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from horus_core.errors import ConfigError
from horus_plugins.echo import json_text, packed
from horus_plugins.echo.record import BadValueError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from horus_plugins.echo.record import Record

_CHUNK = 1 << 20


class Readable(Protocol):
    """A binary stream with a buffer."""

    def readline(self) -> bytes:
        """The next line."""

    def read1(self, size: int, /) -> bytes:
        """What there is, at most so many bytes."""


def lines(stream: Readable) -> Iterator[tuple[str, Record]]:
    """(where, record) of each line of JSON; empty lines are passed over. Raises ConfigError, naming the line."""
    number = 0
    while line := stream.readline():
        number += 1
        if not line.strip():
            continue
        where = f"line {number} of stdin"
        try:
            yield where, json_text.decode(line)
        except BadValueError as error:
            raise _bad(where, error) from None


def messages(stream: Readable) -> Iterator[tuple[str, Record]]:
    """(where, record) of each value of a stream of MessagePack. Raises ConfigError, naming which one."""
    number = 0
    try:
        for data in packed.split(iter(lambda: stream.read1(_CHUNK), b"")):
            number += 1
            yield f"message {number} of stdin", packed.decode(data)
    except BadValueError as error:
        raise _bad(f"message {number + 1} of stdin", error) from None


def of(form: str, stream: Any) -> Iterator[tuple[str, Record]]:
    """What comes in a format: json or msgpack."""
    return messages(stream) if form == "msgpack" else lines(stream)


def _bad(where: str, error: BadValueError) -> ConfigError:
    return ConfigError(f"Reading {where} failed: {str(error).rstrip('.')}.")
