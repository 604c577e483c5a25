"""Messages as rows of CSV (RFC 4180): a column a value, named by its path; lists of any length are JSON in a cell."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from horus_core.messages.message import Message
from horus_core.messages.pooled import Pooled
from horus_plugins.echo import json_text, paths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_MOST = 64
"""Fixed arrays of more elements are one column."""


class Table:
    """Makes a header of the first message, and a row of each.

    `chosen` are the columns wanted, else all; `about` stands before them; `clean` is applied to each cell.
    """

    def __init__(
        self,
        chosen: Sequence[paths.Path] = (),
        about: Sequence[str] = (),
        clean: Callable[[str], str] = str,
    ) -> None:
        self._chosen = tuple(chosen)
        self._about = tuple(about)
        self._clean = clean
        self._columns: list[str] | None = None
        self.extra: list[str] = []
        """Columns that later messages had and the header has not: they are left out."""

    def rows(self, message: Any, about: dict[str, Any] | None = None) -> str:
        """The message's row with its end, after the header if it is the first."""
        cells = dict(self._cells(message))
        text = ""
        if self._columns is None:
            self._columns = list(cells)
            text = self._line([*self._about, *self._columns])
        self.extra += [name for name in cells if name not in self._columns and name not in self.extra]
        said = about or {}
        head = [_cell(said.get(name)) for name in self._about]
        return text + self._line([*head, *(cells.get(name, "") for name in self._columns)])

    def _line(self, cells: Sequence[str]) -> str:
        written = io.StringIO()
        row = [self._clean(cell) for cell in cells]
        csv.writer(written, lineterminator="\r\n").writerow(row)  # so that it quotes what holds either
        return written.getvalue()[:-2] + "\n"

    def _cells(self, message: Any) -> Iterator[tuple[str, str]]:
        if not self._chosen:
            yield from _flat(message, "")
            return
        for path in self._chosen:
            yield from _flat(paths.get(message, path), paths.text(path))


def _flat(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Message):
        for one in type(value).__descriptors__:
            if not one.alias:
                yield from _field(value, one, f"{path}.{one.name}" if path else one.name)
    elif isinstance(value, Pooled):
        for name, said in (value.to_dict() | {"nbytes": value.nbytes}).items():
            yield f"{path}.{name}" if path else name, _cell(said)
    elif isinstance(value, dict) and value:
        for key, inner in value.items():
            step = paths.text([key if isinstance(key, (str, int)) else repr(key)])
            yield from _flat(inner, step if not path else f"{path}{'' if step[0] == '[' else '.'}{step}")
    else:
        yield path or "value", _cell(value)


def _field(message: Message, one: Any, path: str) -> Iterator[tuple[str, str]]:
    value = getattr(message, one.name)
    if one.shape != "fixed" or one.capacity > _MOST:
        if one.shape != "one" and one.kind == "message":
            yield path, json_text.value([part.to_dict() for part in value])
        elif one.shape != "one":
            yield path, json_text.value(value.tolist() if hasattr(value, "tolist") else list(value))
        else:
            yield from _flat(int(value) if one.type is not None and one.kind != "message" else value, path)
        return
    for index in range(one.capacity):
        element = value[index]
        yield from _flat(element.item() if hasattr(element, "item") else element, f"{path}[{index}]")


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if hasattr(value, "tolist") and getattr(value.dtype, "kind", "") in "buif":
        value = value.tolist()
        return _cell(value) if not isinstance(value, list) else json_text.value(value)
    return json_text.value(value)
