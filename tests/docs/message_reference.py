"""docs/message-reference.md, made from the classes: run this file, or `make reference`, to write it anew."""

from __future__ import annotations

import enum
import inspect
import sys
from pathlib import Path

from horus_core.messages.message import Message
from horus_plugins.messages.plugin import TABLES
from horus_plugins.monitor import message_types

PAGE = Path(__file__).resolve().parents[2] / "docs" / "message-reference.md"
BOX = "horus_plugins.messages."
OWN = ("is_valid",)
HEAD = """\
# Message reference

Every message type that comes with HORUS, written by `make reference` from the classes themselves. All are attributes
of `horus`; how they are used, and how to define your own, is in [messages](messages.md). `horus msg show LaserScan`
shows the same for any type, with offsets.

Each type has a constructor that takes its fields in this order, or by keyword; `timestamp_ns` and its kin, and other
names of values inside (*also*), by keyword only. An empty default is zeros, nothing, or what the part has. `≤` marks
bounded arrays, and types with them: only what is used travels. The unit 1 is a pure number, *any* is the user's own.
`is_valid()` of each type says whether its values make sense.

"""
POOLED = """\
## Pool-backed

Their payload lies in shared memory, where receivers see it: [topics](topics.md#images-and-other-large-payloads).

"""


def page():
    """The whole text of the page."""
    parts = [HEAD, _contents(), *(_table(table) for table in TABLES), POOLED]
    parts += [_pooled(name) for name in ("Image", "DepthImage", "PointCloud", "Tensor")]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _title(table):
    return table.__name__.removeprefix(BOX).capitalize()


def _contents():
    rows = ["| table | types |", "|---|---|"]
    for table in TABLES:
        links = ", ".join(f"[{cls.__name__}](#{cls.__name__.lower()})" for cls in table.TYPES)
        rows.append(f"| [{_title(table)}](#{_title(table).lower()}) | {links} |")
    return "\n".join(rows) + "\n"


def _table(table):
    doc = inspect.getdoc(table)
    return "\n".join([f"## {_title(table)}", "", doc, "", *(_type(cls) for cls in table.TYPES)])


def _type(cls):
    one = message_types.describe(cls)
    size = f"{'≤ ' if one.bounded else ''}{one.size} bytes"
    lines = [
        f"### {one.name}",
        "",
        f"{one.doc} {f'Topic `{one.topic}`, ' if one.topic else 'No default topic, '}{size}.",
    ]
    lines += ["", "| field | type | unit | default | |", "|---|---|---|---|---|"]
    lines += [_row(field, cls) for field in one.fields]
    if one.aliases:
        also = ", ".join(f"`{name}` ({_where(cls, name)})" for name in one.aliases)
        lines += ["", f"Also {also}."]
    methods = list(_methods(cls))
    if methods:
        lines += ["", *methods]
    return "\n".join([*lines, ""])


def _row(field, cls):
    descriptor = getattr(cls, field.name)
    kind = field.type.replace("<=", "≤ ")
    about = field.doc
    if field.members:
        kind = kind.replace(descriptor.kind, descriptor.type.__name__)
        about += " " + ", ".join(f"{value} {name}" for name, value in field.members.items()) + "."
    elif isinstance(descriptor.type, type) and issubclass(descriptor.type, Message):
        kind = kind.replace(
            descriptor.type.__name__, f"[{descriptor.type.__name__}](#{descriptor.type.__name__.lower()})"
        )
    cells = (f"`{field.name}`", kind, field.unit, field.default, about)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _where(cls, name):
    """The path of an alias, found by where it lies."""
    alias = getattr(cls, name)
    return _path(cls, alias.offset)


def _path(cls, offset):
    for one in cls.__descriptors__:
        end = one.offset + one.size * one.capacity
        if one.alias or not one.offset <= offset < end:
            continue
        if isinstance(one.type, type) and issubclass(one.type, Message):
            return f"{one.name}.{_path(one.type, offset - one.offset)}"
        return one.name if one.shape == "one" else f"{one.name}[{(offset - one.offset) // one.size}]"
    raise AssertionError(offset)


def _methods(cls):
    for name, value in vars(cls).items():
        function = value.__func__ if isinstance(value, classmethod) else value
        if name.startswith("_") or name in OWN or isinstance(value, enum.EnumMeta):
            continue
        if isinstance(value, property):
            yield f"- `.{name}`: {_first(value)}"
        elif inspect.isfunction(function):
            dot = f"{cls.__name__}." if isinstance(value, classmethod) else "."
            yield f"- `{dot}{name}({_parameters(function)})`: {_first(function)}"


def _parameters(function):
    """As people write them: without self, and with types where they are short."""
    shown = []
    for one in list(inspect.signature(function).parameters.values())[1:]:
        if one.kind is one.KEYWORD_ONLY and "*" not in shown:
            shown.append("*")
        shown.append(one.name if one.default is one.empty else f"{one.name}={one.default!r}")
    return ", ".join(shown)


def _first(documented):
    return " ".join((inspect.getdoc(documented) or "").partition("\n\n")[0].split())


def _pooled(name):
    one = message_types.pooled(name)
    return f"### {name}\n\n{one.doc} Topic `{one.topic}`; {one.size} bytes cross it.\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE.name} written\n")
