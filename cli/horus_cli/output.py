"""How commands show data: JSON, or lines and tables that are safe in a terminal, with colours if they are wanted."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, TextIO

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_GAP = "  "


def print_json(value: object) -> None:
    """Write a value as one line of JSON to stdout. Its shape stands in horus_cli/shapes.py."""
    import msgspec  # noqa: PLC0415 - not needed for --help

    click.echo(msgspec.json.encode(value))


def safe(text: str) -> str:
    """What others wrote, fit for one line of a terminal: control characters are shown, not obeyed."""
    from horus_core.text import plain_name  # noqa: PLC0415 - not needed for --help

    return plain_name(text)


def colour(text: str, name: str, *, bold: bool = False, err: bool = False) -> str:
    """The text in a colour, for stdout or stderr; as it is where no colours are wanted."""
    if not wants_colours(sys.stderr if err else sys.stdout):
        return text
    return click.style(text, fg=name, bold=bold)


def wants_colours(stream: TextIO | None) -> bool:
    """Whether it is a terminal whose user wants colours (https://no-color.org)."""
    return stream is not None and stream.isatty() and not os.environ.get("NO_COLOR")


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str] = ()) -> list[str]:
    """Lines in columns under their headers; the columns named in `right` end flush. Made safe to show."""
    cells = [[safe(cell) for cell in row] for row in rows]
    widths = [max(map(_width, column)) for column in zip(headers, *cells, strict=True)]
    flush = [header in right for header in headers]
    return [_line(row, widths, flush) for row in [list(headers), *cells]]


def _line(row: Sequence[str], widths: Sequence[int], flush: Sequence[bool]) -> str:
    padded = []
    for cell, width, end in zip(row, widths, flush, strict=True):
        blanks = " " * (width - _width(cell))
        padded.append(blanks + cell if end else cell + blanks)
    return _GAP.join(padded).rstrip()


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    from horus_core.text import columns  # noqa: PLC0415 - not needed for --help

    return sum(map(columns, text))


def echo_all(lines: Iterable[str]) -> None:
    """Write lines to stdout."""
    for line in lines:
        click.echo(line)
