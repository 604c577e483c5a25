"""What the metadata of the installed distributions says about entry points, read in one pass over sys.path.

importlib-metadata takes 50 ms to import on the machine where this was written and 110 ms for the names and versions
of 50 plugins among 300 distributions; reading the same files here takes 6 ms. What is no folder on sys.path (a zip,
a finder of somebody's own) is left to the standard library.
"""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX = "horus."
_HEAD = 4096
"""Name and version stand at the top of a METADATA file; the description, which is long, stands below."""
_FILES = {".dist-info": "METADATA", ".egg-info": "PKG-INFO"}


class EntryPoint(NamedTuple):
    """One line of an entry_points.txt in a group of HORUS's, and whose it is."""

    group: str
    name: str
    value: str
    distribution: str
    version: str
    folder: str
    """The folder on sys.path that holds the metadata."""


class Found(NamedTuple):
    """What one pass found."""

    entry_points: tuple[EntryPoint, ...]
    hidden: dict[str, tuple[str, ...]]
    """By a distribution's canonical name: its other versions, as `1.0 in folder`, which are not used."""


def canonical(name: str) -> str:
    """The name of a distribution as installers compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def scan() -> Found:
    """Read the entry points of all distributions. Of two with one name the first on sys.path counts."""
    used: dict[str, str] = {}
    hidden: dict[str, tuple[str, ...]] = {}
    found: list[EntryPoint] = []
    for folder, stem, text, head in _all():
        groups = _groups(text)
        name, version = _head(stem, head) if groups or head else _from_stem(stem)
        key = canonical(name)
        if key in used:
            if used[key] != f"{version} in {folder}":  # one folder may stand on sys.path twice
                hidden[key] = (*hidden.get(key, ()), f"{version} in {folder}")
            continue
        used[key] = f"{version} in {folder}"
        found += [EntryPoint(*line, name, version, folder) for line in groups]
    return Found(tuple(found), hidden)


def _all() -> Iterator[tuple[str, str, str, str]]:
    """(folder, `name-version`, entry_points.txt, the metadata's head if the entry points may be ours)."""
    for folder in dict.fromkeys(sys.path):
        try:
            where = folder or os.getcwd()  # noqa: PTH109 - a string is all that is wanted
            names = sorted(os.listdir(where))  # noqa: PTH208 - one of 300 folders a start: Path costs
        except NotADirectoryError:
            yield from _foreign(folder)
            continue
        except OSError:
            continue
        for name in names:
            stem, dot, kind = name.rpartition(".")
            if dot and f".{kind}" in _FILES and not name.startswith("~"):  # so pip calls what it is removing
                text = _read(f"{where}/{name}/entry_points.txt")
                ours = f"[{_PREFIX}" in text
                yield (
                    where,
                    stem,
                    text if ours else "",
                    _read(f"{where}/{name}/{_FILES['.' + kind]}") if ours else "",
                )


def _foreign(folder: str) -> Iterator[tuple[str, str, str, str]]:
    """The distributions of something on sys.path that is no folder."""
    import importlib.metadata  # noqa: PLC0415 - slow, and rarely needed

    for one in importlib.metadata.Distribution.discover(path=[folder]):
        text = one.read_text("entry_points.txt") or ""
        name, version = one.metadata["Name"], one.version
        yield folder, f"{name}-{version}", text, f"Name: {name}\nVersion: {version}\n"


def _read(path: str) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        size = _HEAD if not path.endswith(".txt") else os.fstat(descriptor).st_size
        return os.read(descriptor, size).decode(errors="replace")
    except OSError:
        return ""
    finally:
        os.close(descriptor)


def _groups(text: str) -> list[tuple[str, str, str]]:
    """(group, name, value) of each line in a group of ours."""
    lines: list[tuple[str, str, str]] = []
    group = ""
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("[") and line.endswith("]"):
            group = line[1:-1].strip()
        elif group.startswith(_PREFIX) and line and line[0] not in "#;":
            name, equals, value = line.partition("=")
            if equals:
                lines.append((group, name.strip(), value.partition("[")[0].strip()))
    return lines


def _head(stem: str, head: str) -> tuple[str, str]:
    top = re.split(r"\r?\n\r?\n", head, maxsplit=1)[0]  # a description may say what it likes
    fields = dict(re.findall(r"^(Name|Version): *(\S+)", top, re.MULTILINE))
    name, version = _from_stem(stem)
    return fields.get("Name", name), fields.get("Version", version)


def _from_stem(stem: str) -> tuple[str, str]:
    name, _, version = stem.partition("-")
    return name, version or "unknown"
