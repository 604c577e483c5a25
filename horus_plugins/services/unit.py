"""The text of systemd's unit files (systemd.unit(5), systemd.service(5), systemd.exec(5))."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SECTION = "X-Horus"
"""Sections that begin with X- are no business of systemd's: this one tells what `horus service` made."""
_PLAIN = re.compile(r"[\w@./:+,=-]+")

Line = tuple[str, str]


class Unit(NamedTuple):
    """A unit file."""

    name: str
    """With its suffix."""
    sections: Sequence[tuple[str, Sequence[Line]]]

    @property
    def text(self) -> str:
        """As it stands in the file."""
        parts = [
            f"[{title}]\n" + "".join(f"{key}={value}\n" for key, value in lines)
            for title, lines in self.sections
        ]
        return "# Made by `horus service install`: install it again rather than edit it.\n" + "\n".join(parts)


def command(words: Iterable[str]) -> str:
    """A command line as ExecStart= takes it: quoted, with what systemd would expand doubled."""
    return " ".join(quoted(word.replace("$", "$$")) for word in words)


def assignment(name: str, value: str) -> str:
    """A variable as Environment= takes it."""
    return quoted(f"{name}={value}")


def quoted(word: str) -> str:
    """One word, in quotes where it needs them; `%` is doubled."""
    word = specifiers(word)
    if _PLAIN.fullmatch(word.replace("%%", "")) and word:
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def specifiers(text: str) -> str:
    """A text with `%` doubled: systemd would put something in its place."""
    return text.replace("%", "%%")
