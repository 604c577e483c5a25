"""Whether the message types of a module are as good as they can be, before others depend on their layout."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import msgspec

from horus_core.messages import layout as layouts
from horus_core.messages import registry
from horus_core.messages.message import Message
from horus_core.topics.types import SLOT_MAX
from horus_plugins.monitor.message_types import MessageType, describe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import ModuleType

    from horus_core.messages.layout import Layout
    from horus_plugins.monitor.message_types import Field

ERROR = "error"
NOTE = "note"
_REAL = ("f32", "f64")


class Finding(msgspec.Struct):
    """What is wrong with a type, or could be better."""

    type: str
    severity: str
    """`error` or `note`."""
    text: str


class Report(msgspec.Struct):
    """What was found in a module."""

    target: str
    types: list[MessageType]
    findings: list[Finding]

    @property
    def errors(self) -> int:
        """How many of the findings are errors."""
        return sum(finding.severity == ERROR for finding in self.findings)


def check(module: ModuleType, target: str) -> Report:
    """Look at every message class that the module, or package, defines itself."""
    found = (cls for cls in _all_under(Message) if _is_of(cls, module.__name__))
    classes = sorted(found, key=lambda cls: cls.__module__)  # in each module as they stand there
    findings = [Finding(cls.__name__, *found) for cls in classes for found in _findings(cls)]
    if not classes:
        findings.append(
            Finding("", ERROR, f"no message type: expected a subclass of horus.Message in {target}")
        )
    return Report(target, [describe(cls) for cls in classes], findings)


def _all_under(base: type[Message]) -> Iterator[type[Message]]:
    for cls in base.__subclasses__():
        if cls.__type_hash__ and "__generated__" not in cls.__dict__:
            yield cls
        yield from _all_under(cls)


def _is_of(cls: type, module: str) -> bool:
    return cls.__module__ == module or cls.__module__.startswith(f"{module}.")


def _findings(cls: type[Message]) -> Iterator[tuple[str, str]]:
    one = describe(cls)
    yield from _clashes(cls)
    yield from _behaviour(cls)
    if not (cls.__doc__ or "").strip():
        yield NOTE, "has no docstring: one sentence that says what it is"
    yield from _words(one.fields)
    yield from _padding(layouts.of(cls))
    if one.size > SLOT_MAX and not one.bounded:
        text = f"is {one.size} bytes, which travel each time, and through the pool: slots hold {SLOT_MAX}. "
        yield NOTE, f"{text}Bounded arrays (bounded=True) travel at their used length"


def _clashes(cls: type[Message]) -> Iterator[tuple[str, str]]:
    for offer in registry.types.all():
        other, by = offer.thing, offer.plugin.distribution
        if other is cls or _same_source(cls, other):
            continue
        if other.__name__ == cls.__name__:
            same = other.__type_hash__ == cls.__type_hash__
            advice = "and its layout: they are one type" if same else "with another layout: rename it"
            yield NOTE if same else ERROR, f"has the name of a type of {by} ({other.__module__}), {advice}"
        elif cls.__topic__ is not None and other.__topic__ == cls.__topic__:
            text = f"has the default topic {cls.__topic__!r} of {other.__name__} ({by})"
            yield NOTE, f"{text}: who comes second on it gets a TopicTypeError"


def _same_source(cls: type[Message], other: type[Message]) -> bool:
    """Whether it is the class itself, imported a second time as a file."""
    import sys  # noqa: PLC0415 - only here

    mine, theirs = (getattr(sys.modules.get(one.__module__), "__file__", None) for one in (cls, other))
    return mine is not None and mine == theirs and cls.__qualname__ == other.__qualname__


def _behaviour(cls: type[Message]) -> Iterator[tuple[str, str]]:
    fresh = cls.__new__(cls)
    yield from _tried("is_valid()", fresh.is_valid)
    yield from _tried("repr()", fresh.__repr__)
    try:
        pickle.dumps(fresh)
    except (pickle.PicklingError, AttributeError, ImportError) as error:
        yield NOTE, f"cannot be pickled: {error}. Define it at the top of a module"


def _tried(what: str, call: Callable[[], object]) -> Iterator[tuple[str, str]]:
    try:
        call()
    except Exception as error:  # noqa: BLE001 - the class's own code may do anything
        yield ERROR, f"{what} of a new message raises {type(error).__name__}: {error}"


def _words(fields: Iterable[Field]) -> Iterator[tuple[str, str]]:
    for field in fields:
        if not field.doc:
            yield NOTE, f"{field.name}: has no doc: one sentence that says what it is"
        if not field.unit and field.type.startswith(_REAL):
            yield NOTE, f'{field.name}: has no unit: expected one such as "m/s", or "1" for a pure number'
        if field.name == "timestamp_ns" and not field.kw_only:
            yield NOTE, "timestamp_ns: can be given by position: elsewhere it is keyword-only (kw_only=True)"


def _padding(layout: Layout) -> Iterator[tuple[str, str]]:
    """Where bytes are lost to alignment, if another order of the fields would save some."""
    fields = layout["fields"]
    holes, end = [], 0
    for entry in fields:
        if entry.get("bounded"):  # its count and its alignment are part of it
            return
        if entry["offset"] > end:
            holes.append(f"{_bytes(entry['offset'] - end)} before {entry['name']}")
        end = layouts.end(entry)
    used = sum(layouts.end(entry) - entry["offset"] for entry in fields)
    least = -(-used // layout["align"]) * layout["align"]
    if holes and least < layout["size"]:
        text = f"is {_bytes(layout['size'])}, with padding: {', '.join(holes)}"
        yield NOTE, f"{text}. With its fields in order of size, large ones first, it is {least}"


def _bytes(count: int) -> str:
    return f"{count} byte{'' if count == 1 else 's'}"


def told(report: Report) -> Iterator[str]:
    """The report in lines."""
    for finding in report.findings:
        yield f"{finding.severity}: {finding.type}{': ' if finding.type else ''}{finding.text}"
    notes = len(report.findings) - report.errors
    names = ", ".join(one.name for one in report.types) or "none"
    yield f"{report.target}: types {names}; errors {report.errors}, notes {notes}"
