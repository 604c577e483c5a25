"""Topics in lines for people. What others wrote can neither forge lines nor steer a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from horus_core.text import plain_name
from horus_plugins.monitor.dates import span
from horus_plugins.monitor.topic_lines import hertz, milliseconds, size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from horus_plugins.monitor.topic_delay import Delay
    from horus_plugins.monitor.topic_info import TopicInfo
    from horus_plugins.monitor.topic_window import Spread
    from horus_plugins.monitor.topics import Publisher, Subscriber, TopicState

HEADERS = ("TOPIC", "TYPE", "STATE", "RATE", "PUBLISHERS", "SUBSCRIBERS")
RIGHT = ("RATE", "PUBLISHERS", "SUBSCRIBERS")


def row(state: TopicState) -> tuple[str, ...]:
    """One line of the list."""
    counts = str(len(state.publishers)), str(len(state.subscribers))
    if state.error:
        return state.name, "", state.state, "", "", ""
    return state.name, state.type, state.state, hertz(state.rate_hz), *counts


def details(state: TopicState) -> Iterator[str]:
    """What `list --verbose` has below a topic."""
    if state.error:
        yield plain_name(f"  {state.error}")
        return
    latched = ", latched" if state.latched else ""
    yield f"  {state.kind}, keeps {state.capacity}, {size(state.size_bytes)}{latched}, {_last(state)}"
    yield from ends(state)


def ends(state: TopicState) -> Iterator[str]:
    """Who is there, a line each."""
    for publisher in state.publishers:
        refused = f"  refused {publisher.refused}" if publisher.refused else ""
        rate = "" if publisher.rate_hz is None else f"  {hertz(publisher.rate_hz)}"
        yield f"  publisher   {_who(publisher)}  sent {publisher.sent}{refused}{rate}"
    for one in state.subscribers:
        counts = f"received {one.delivered}  missed {one.missed}  skipped {one.skipped}"
        yield f"  subscriber  {_who(one)}  {counts}  lag {one.lag}"


def page(found: TopicInfo) -> Iterator[str]:
    """All about one topic, but for the layout of its type."""
    state = found.state
    yield f"{plain_name(state.name)}  {state.state}, {_last(state)}{_rate(state)}"
    bounded = f", {state.kind}" if state.kind != state.type else ""
    yield plain_name(f"type      {state.type}{bounded}")
    if any(byte != "0" for byte in found.type_hash):
        yield f"hash      {found.type_hash}"
    latched = "; latched: who comes late gets the last one" if state.latched else ""
    large = f", {found.large_kept} of 64 KiB and more" if found.large_kept != state.capacity else ""
    yield f"keeps     {state.capacity} messages{large}{latched}"
    yield f"has had   {found.messages} messages, {found.kept} of them still there"
    yield f"memory    {_memory(found)}"
    yield plain_name(f"file      {found.file}, made by {found.creator} (pid {found.creator_pid or '?'})")
    if not (state.publishers or state.subscribers):
        yield "nobody publishes or subscribes"
    yield from (line.removeprefix("  ") for line in ends(state))
    for mismatch in found.mismatches:
        yield plain_name(f"MISMATCH  {mismatch}")


def delay(report: Delay) -> Iterator[str]:
    """How old messages are, and how far behind subscribers."""
    if report.own_ms is not None:
        clock = "" if report.clock == "monotonic" else f" (stamped by the {report.clock}'s clock)"
        yield f"published {_aged(report.own_ms)} after their timestamps{clock}, of {report.own_ms.seen} messages"
    elif report.messages:
        yield f"{report.messages} messages; when they were stamped is not known: {plain_name(report.why_not)}"
    for one in report.subscribers:
        yield (
            f"  {plain_name(one.node)}  pid {one.pid or '?'}  behind by {_aged(one.age_ms)}, "
            f"{one.messages} message{'s' * (one.messages != 1)} now"
        )
    if report.there and not report.messages:
        yield "no messages"


def _aged(spread: Spread) -> str:
    parts = (milliseconds(one) for one in (spread.mean, spread.min, spread.max, spread.std))
    return "{} (min {}, max {}, std {})".format(*parts)


def _memory(found: TopicInfo) -> str:
    memory = found.memory
    text = f"{size(memory.region_bytes)}, slots of {found.payload_bytes} bytes"
    if memory.blocks:
        held = f", {memory.held_blocks} of them held by readers" if memory.held_blocks else ""
        text += (
            f"; in pools {memory.blocks} block{'s' * (memory.blocks != 1)}, {size(memory.block_bytes)}{held}"
        )
    return text


def _last(state: TopicState) -> str:
    return "no message yet" if state.age_s is None else f"last message {span(state.age_s)} ago"


def _rate(state: TopicState) -> str:
    return "" if not state.rate_hz else f", {hertz(state.rate_hz)}"


def _who(end: Publisher | Subscriber) -> str:
    called = f" (as {end.called})" if end.called else ""
    return f"{plain_name(end.node + called)}  pid {end.pid or '?'}"
