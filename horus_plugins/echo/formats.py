"""The formats of `topic echo`: each turns a message into what is written of it."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from horus_core import _native
from horus_core.messages.message import Message
from horus_core.text import plain_name
from horus_plugins.echo import json_text, packed, paths, record
from horus_plugins.echo.columns import Table
from horus_plugins.echo.text import Text, f32

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from horus_core.topics.topic import Info
    from horus_plugins.echo.listening import Seen

ABOUT = ("topic", "sequence", "time", "publish_ns", "publisher")
"""What `--meta` tells of a message."""

_NS = 1_000_000_000


def about(topic: str, info: Info | None) -> dict[str, Any] | None:
    """What is known of a message: its number, when and by whom it was sent; None if that was not asked for."""
    if info is None:
        return None
    said = (topic, info.sequence, calendar(info.publish_ns), info.publish_ns, info.publisher)
    return dict(zip(ABOUT, said, strict=True))


def calendar(monotonic_ns: int) -> str:
    """A time of this machine's CLOCK_MONOTONIC as one of the calendar, in UTC, ISO 8601."""
    since = time.time_ns() - (_native.now_ns() - monotonic_ns)
    seconds, rest = divmod(since, _NS)
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%dT%H:%M:%S}.{rest // 1000:06d}Z"


class Format:
    """Says what is written of each message, and whether a message has what is wanted of it."""

    def __init__(self, topic: str, fields: Sequence[paths.Path]) -> None:
        self._topic = topic
        self._fields = tuple(fields)

    def show(self, seen: Seen) -> bytes:
        """What is written of the message."""
        raise NotImplementedError

    def _about(self, seen: Seen) -> dict[str, Any] | None:
        return about(self._topic, seen.info)

    def _chosen(self, message: Any) -> Any:
        """The values at the wanted paths: the value of one, an object of several."""
        values = record.of(message).value
        found = {paths.text(path): paths.get(values, path) for path in self._fields}
        return next(iter(found.values())) if len(found) == 1 else found


class AsText(Format):
    """Lines for people, and `---` after each message."""

    def __init__(
        self,
        topic: str,
        fields: Sequence[paths.Path],
        *,
        full: bool = False,
        paint: Callable[[str, str], str] | None = None,
    ) -> None:
        super().__init__(topic, fields)
        self._text = Text(full=full, paint=paint)
        self._paint = paint or (lambda text, _role: text)

    def show(self, seen: Seen) -> bytes:
        """The message's lines."""
        lines = []
        if (said := self._about(seen)) is not None:
            who = plain_name(said["publisher"]) or "somebody who has left"
            lines.append(self._paint(f"# {said['sequence']}  {said['time']}  {who}", "about"))
        if self._fields:
            lines += [line for path in self._fields for line in self._part(seen.message, path)]
        else:
            lines += [*self._text.lines(seen.message), self._paint("---", "about")]
        return "".join(f"{line}\n" for line in lines).encode(errors="replace")

    def _part(self, message: Any, path: paths.Path) -> list[str]:
        parent = paths.get(message, path[:-1])
        value = paths.get(message, path)
        kind = _f32_of(parent, path[-1])
        lines = [kind(value)] if kind else list(self._text.lines(value))
        if len(self._fields) == 1:
            return lines
        name = self._paint(plain_name(paths.text(path)), "name")
        return [f"{name}: {lines[0]}"] if len(lines) == 1 else [f"{name}:", *(f"  {line}" for line in lines)]


def _f32_of(parent: Any, step: str | int) -> Callable[[float], str] | None:
    if not isinstance(parent, Message):
        return None
    one = next(one for one in type(parent).__descriptors__ if one.name == step)
    return f32 if one.kind == "f32" and one.shape == "one" else None


class AsJson(Format):
    """A line of JSON for each message: horus_plugins/echo/json_text.py says which."""

    def show(self, seen: Seen) -> bytes:
        """The message's line."""
        said = record.Record("", self._chosen(seen.message)) if self._fields else record.of(seen.message)
        return (json_text.encode(said, self._about(seen)) + "\n").encode("ascii")


class AsCsv(Format):
    """A row for each message, after a header."""

    def __init__(
        self,
        topic: str,
        fields: Sequence[paths.Path],
        tell: Callable[[str], None],
        *,
        meta: bool = False,
        terminal: bool = False,
    ) -> None:
        super().__init__(topic, fields)
        self._table = Table(fields, ABOUT if meta else (), plain_name if terminal else str)
        self._tell = tell
        self._told = 0

    def show(self, seen: Seen) -> bytes:
        """The message's row; before the first one the header."""
        rows = self._table.rows(seen.message, self._about(seen))
        extra = self._table.extra
        if len(extra) > self._told:
            new = ", ".join(plain_name(name) for name in extra[self._told :][:8])
            self._tell(
                f"left out, as the first message had no such column: {new}. Name what you want with --field."
            )
            self._told = len(extra)
        return rows.encode(errors="replace")


class AsMsgpack(Format):
    """The bytes of each message: horus_plugins/echo/packed.py says which."""

    def show(self, seen: Seen) -> bytes:
        """The message's bytes."""
        if self._fields:
            return packed.encode(record.Record("", self._chosen(seen.message)))
        return packed.encode(record.of(seen.message))
